// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite struct GeneratedSourcesTests {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Runs a command in the repository; nil where there is no such command.
  static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.currentDirectoryURL = root
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  /// The compiler that the committed files came from: Debian 12's. Another one orders and names options differently.
  static let compiler = "libprotoc 3.21.12\n"

  @Test("the sources in the tree are what the schemas give")
  func upToDate() throws {
    let version = try Self.run(["protoc", "--version"])
    guard version.status == 0, version.output == Self.compiler else {
      print("skipped: the sources are compared with those of \(Self.compiler.dropLast()), and that is not installed")
      return
    }
    let check = try Self.run(["scripts/generate-protos", "check"])
    #expect(check.status == 0, "\(check.output)")
  }
}
