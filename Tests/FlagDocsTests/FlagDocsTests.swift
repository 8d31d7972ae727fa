// SPDX-License-Identifier: Apache-2.0

import FlagDocs
import Flags
import Foundation
import HealthProbe
import TestSupport
import Testing

@testable import generate_docs

@Suite struct ManPageTests {
  let page = ManPage(
    probeFlags, version: "1.2.3",
    sections: [ManSection("NOTES", [.text(".hidden 'quoted' back\\slash"), .term("a-b", "c"), .code("x\n.y")])]
  ).text

  @Test("every flag has an entry with its variable and its default")
  func entries() {
    for flag in probeFlags.flags {
      #expect(page.contains("\\fB\\-\(flag.name.replacingOccurrences(of: "-", with: "\\-"))\\fR"))
      if flag.hasEnvironment { #expect(page.contains(probeFlags.environmentName(flag) ?? "?")) }
    }
    #expect(page.contains("The default is 1s."))
  }

  @Test("nothing in a text is taken for a request or an escape of roff's")
  func escaping() {
    #expect(page.contains("\\&.hidden \\(aqquoted\\(aq back\\eslash"))
    #expect(page.contains("\n\\&.y\n"))
    #expect(page.contains(".B a\\-b\n"))
    #expect(page.hasPrefix(".TH GRPC_HEALTH_PROBE 1"))
  }
}

@Suite struct FaultPageTests {
  @Test("the page of faults is the table's; `make docs` writes it")
  func upToDate() throws {
    let page = Repository.root.appendingPathComponent("docs/faults.md")
    #expect(try String(contentsOf: page, encoding: .utf8) == FaultPage.text)
  }

  @Test("the page of diagnoses is the table's, too")
  func diagnoses() throws {
    let page = Repository.root.appendingPathComponent("docs/diagnoses.md")
    #expect(try String(contentsOf: page, encoding: .utf8) == DiagnosisPage.text)
  }
}

@Suite struct CompletionsTests {
  @Test("the shell itself finds no mistake in its completions")
  func syntax() throws {
    let scratch = try Scratch()
    let file = scratch.path("completions")
    try Completions(probeFlags).bash.write(toFile: file, atomically: false, encoding: .utf8)
    let bash = try Command(["bash", "-n", file])
    #expect(bash.code == 0, "\(bash.output)")
  }

  @Test("each shell's file knows every flag, and the words of those that have some")
  func content() {
    let completions = Completions(probeFlags)
    for flag in probeFlags.flags {
      #expect(completions.bash.contains("-\(flag.name)"))
      #expect(completions.zsh.contains("-\(flag.name)"))
      #expect(completions.fish.contains("-o \(flag.name) "))
    }
    for text in [completions.bash, completions.zsh, completions.fish] { #expect(text.contains("text json")) }
  }
}
