// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import FlagDocs
import Flags
import Foundation
import TestSupport
import Testing

@testable import generate_docs

@Suite struct CommandSetTests {
  private static let shared = [FlagGroup("Output", [Flag("json", .bool, summary: "Print JSON", hasEnvironment: false)])]

  private static func table(_ name: String, _ flags: [Flag], operands: String = "") -> FlagTable {
    FlagTable(
      tool: "tool " + name, summary: "It's for \(name)", environmentPrefix: "",
      groups: [FlagGroup("Own", flags)] + shared, operands: operands, dashes: "--")
  }

  private let tool = CommandSet(
    tool: "tool", summary: "Does things",
    commands: [
      .init(
        "first",
        table("first", [Flag("type", .choice(["A", "SRV"]), "TYPE", summary: "Ask for it", hasEnvironment: false)])),
      .init(
        "second",
        table(
          "second", [Flag("cacert", .string, "FILE", summary: "Trust it", hasEnvironment: false)],
          operands: "[PORT…]")),
      .init(
        "group one", table("group one", [Flag("x", .bool, summary: "Be X", hasEnvironment: false)], operands: "WORD")),
      .init("group two", table("group two", [Flag("y", .bool, summary: "Be Y", hasEnvironment: false)])),
    ], shared: shared)

  @Test("the page has each command with its own flags, and what all share once")
  func manual() {
    let page = tool.manPage(version: "1.2.3", sections: [ManSection("NOTES", [.text("more")])])
    let headings = page.split(separator: "\n").filter { $0.hasPrefix(".S") }
    #expect(
      headings == [
        ".SH NAME", ".SH SYNOPSIS", ".SH COMMANDS", ".SS first [flags]", ".SS second [flags] [PORT…]",
        ".SS group one [flags] WORD", ".SS group two [flags]", ".SH OUTPUT", ".SH NOTES",
      ])
    #expect(page.components(separatedBy: "\\fB\\-\\-json\\fR").count == 2)
    #expect(page.contains("\\fB\\-\\-cacert\\fR=\\fIFILE\\fR\nTrust it."))
    #expect(netdiagCommands.manPage(version: "1", sections: []).contains("\\fB\\-t\\fR, \\fB\\-\\-tcp\\fR"))
  }

  /// What bash offers for the last of some words.
  private func offered(_ words: [String]) throws -> Set<String> {
    let scratch = try Scratch()
    let file = scratch.path("completions")
    try tool.bash.write(toFile: file, atomically: false, encoding: .utf8)
    let script = """
      source "$1"; shift
      compopt() { :; }
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
      _tool
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let bash = try Command(["bash", "-c", script, "bash", file] + words)
    #expect(bash.code == 0, "\\(bash.output)")
    return Set(bash.output.split(separator: "\n").map(String.init))
  }

  @Test("bash offers commands first, then the flags of the command, then the words of a flag")
  func bash() throws {
    #expect(try offered(["tool", ""]) == ["first", "second", "group", "help", "version"])
    #expect(try offered(["tool", "se"]) == ["second"])
    #expect(try offered(["tool", "first", "--"]) == ["--type=", "--json"])
    #expect(try offered(["tool", "second", "--"]) == ["--cacert=", "--json"])
    #expect(try offered(["tool", "group", ""]) == ["one", "two", "help"])
    #expect(try offered(["tool", "group", "two", "-"]) == ["--y", "--json"])
    #expect(try offered(["tool", "first", "--type", "="]) == ["A", "SRV"])
    #expect(try offered(["tool", "first", "--type", "=", "S"]) == ["SRV"])
  }

  @Test("zsh and fish know every command and every flag")
  func otherShells() {
    for text in [tool.zsh, tool.fish] {
      for word in ["first", "second", "group", "one", "two", "A SRV", "Its for first", "Its for group one"] {
        #expect(text.contains(word), "\(word)")
      }
    }
    for flag in ["type", "cacert", "json", "x", "y"] {
      #expect(tool.zsh.contains("'--\(flag)"))
      #expect(tool.fish.contains("-l \(flag) "))
    }
  }

  @Test("netdiag's page and completions have every command and every flag of it")
  func netdiag() {
    let page = netdiagCommands.manPage(version: "1.2.3", sections: netdiagManual)
    for command in Netdiag.commands {
      #expect(page.contains("\n.SS \(command.name) "))
      for flag in command.flags.flags {
        #expect(page.contains("\\fB\\-\\-\(flag.name.replacingOccurrences(of: "-", with: "\\-"))\\fR"))
        #expect(netdiagCommands.bash.contains("--\(flag.name)"))
      }
    }
  }
}
