// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@Suite struct FormTests {
  static let sources = Repository.files(
    in: ["Sources", "Tests", "Fuzz", "Benchmarks", "Protos", "scripts", ".ci"],
    endings: [".swift", ".c", ".h", ".py", ".ld", ".proto", ".sh"]
  ).filter { !isGenerated($0) }
  static let scripts = Repository.files(in: ["scripts", ".ci"], endings: [""]).filter { $0.text.hasPrefix("#!") }

  /// What protoc's plugin for Swift writes has a form of its own, and messages that nothing names yet.
  static func isGenerated(_ file: Repository.File) -> Bool {
    file.path.hasPrefix("Sources/Schemas/") && file.path.hasSuffix(".pb.swift")
  }

  @Test("every source says its licence in its first lines")
  func licence() {
    for file in Self.sources + Self.scripts {
      #expect(file.lines.prefix(3).contains { $0.contains("SPDX-License-Identifier: Apache-2.0") }, "\(file.path)")
    }
    #expect(Self.sources.count > 50)
  }

  @Test("lines have at most 120 columns, no tabs and no space at their end")
  func lines() {
    for file in Self.sources + Self.scripts {
      for (number, line) in file.lines.enumerated() {
        #expect(line.count <= 120, "\(file.path):\(number + 1) is too long")
        #expect(!line.hasSuffix(" ") || file.path.hasPrefix("Tests/"), "\(file.path):\(number + 1) ends in a space")
        #expect(!line.hasPrefix("\t"), "\(file.path):\(number + 1) begins with a tab")
      }
    }
  }

  @Test("no file of the tools traps on what it is given")
  func noTraps() {
    let banned = ["try!", "fatalError(", "preconditionFailure(", "as!", "precondition("]
    for file in Repository.swiftSources where toolModules.contains(file.module) {
      for (number, line) in file.lines.enumerated() where !line.drop(while: { $0 == " " }).hasPrefix("//") {
        for word in banned { #expect(!line.contains(word), "\(file.path):\(number + 1) has \(word)") }
      }
    }
  }

  @Test("no file is a leftover: each Swift source declares something that another line of its module, or a user, names")
  func noDeadFiles() {
    let declaration = /(?:func|struct|class|enum|protocol|var|let|typealias|extension)\s+`?([A-Za-z_][A-Za-z0-9_]*)/
    for file in Repository.swiftSources where !file.path.hasSuffix("main.swift") && !Self.isGenerated(file) {
      let names = Set(file.text.matches(of: declaration).map { String($0.output.1) })
      #expect(!names.isEmpty, "\(file.path) declares nothing")
      let isNamed = names.contains { name in
        Repository.swiftSources.contains { $0.path != file.path && $0.text.contains(name) }
      }
      #expect(isNamed, "nothing names what \(file.path) declares")
    }
  }

  @Test("every link of the documents leads to a file")
  func links() throws {
    let documents = Repository.files(in: ["docs"], endings: [".md"])
    let readme = Repository.File(
      path: "README.md",
      text: try String(contentsOf: Repository.root.appendingPathComponent("README.md"), encoding: .utf8))
    for document in documents + [readme] {
      let folder = Repository.root.appendingPathComponent(document.path).deletingLastPathComponent()
      for match in document.text.matches(of: /\]\(([^)#:]+)(#[^)]*)?\)/) {
        let target = folder.appendingPathComponent(String(match.output.1)).standardizedFileURL
        #expect(
          FileManager.default.fileExists(atPath: target.path), "\(document.path) links to \(match.output.1)")
      }
    }
  }

  @Test(
    "what the README shows as whole programs are the programs that are built",
    arguments: [
      "greeter-server/GreeterServer.swift", "greeter-client/GreeterClient.swift",
    ])
  func examples(path: String) throws {
    let readme = try String(contentsOf: Repository.root.appendingPathComponent("README.md"), encoding: .utf8)
    let source = try String(contentsOf: Repository.root.appendingPathComponent("Examples/" + path), encoding: .utf8)
    let program = source.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(2)
    #expect(program.count <= 60)
    #expect(readme.contains("```swift\n" + program.joined(separator: "\n") + "```"))
  }
}
