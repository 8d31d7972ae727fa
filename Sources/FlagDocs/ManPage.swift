// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Flags

// FlagDocs: what a table of flags gives at build time — a man page and completions. Never linked into a tool.

/// A section of a man page beside the flags.
public struct ManSection: Sendable {
  /// The heading, in capitals.
  public let title: String
  /// Paragraphs, or terms with their explanations.
  public let items: [Item]

  /// A part of a section.
  public enum Item: Sendable {
    /// A paragraph.
    case text(String)
    /// A term and what it means.
    case term(String, String)
    /// Lines that stand as they are.
    case code(String)
  }

  /// A section.
  public init(_ title: String, _ items: [Item]) {
    self.title = title
    self.items = items
  }
}

/// A page of section 1 of the manual, in roff with the man macros.
public struct ManPage {
  private let table: FlagTable
  private let version: String
  private let sections: [ManSection]

  /// A page for a table; the sections follow the flags.
  public init(_ table: FlagTable, version: String, sections: [ManSection]) {
    self.table = table
    self.version = version
    self.sections = sections
  }

  /// The page's text.
  public var text: String {
    var text = Self.heading(tool: table.tool, version: version, summary: table.summary)
    text += ".B \(Self.escaped(table.tool))\n"
    if !table.required.isEmpty { text += "\\fB\(Self.escaped(table.required))\\fR " }
    text += "[\\fIflags\\fR]\(table.operands.isEmpty ? "" : " " + Self.escaped(table.operands))\n"
    for group in table.groups {
      text += ".SH \(Self.escaped(group.title.uppercased()))\n"
      for flag in group.flags { text += Self.entry(flag, of: table) }
    }
    return text + Self.text(of: sections)
  }

  /// What every page begins with, up to the heading of the synopsis.
  static func heading(tool: String, version: String, summary: String) -> String {
    var text = ".TH \(escaped(tool.uppercased())) 1 \"\" \"Sonde \(version)\" \"User Commands\"\n"
    text += ".SH NAME\n\(escaped(tool)) \\- \(escaped(decapitalized(summary)))\n.SH SYNOPSIS\n"
    return text
  }

  /// Sections as they stand behind the flags.
  static func text(of sections: [ManSection]) -> String {
    var text = ""
    for section in sections {
      text += ".SH \(escaped(section.title))\n"
      for item in section.items {
        switch item {
        case .text(let paragraph): text += ".PP\n\(line(paragraph))\n"
        case .term(let term, let meaning): text += ".TP\n.B \(escaped(term))\n\(line(meaning))\n"
        case .code(let lines):
          text += ".PP\n.nf\n\(lines.split(onASCII: 0x0A).map(line).joined(separator: "\n"))\n.fi\n"
        }
      }
    }
    return text
  }

  /// A flag with all that is known of it.
  static func entry(_ flag: Flag, of table: FlagTable) -> String {
    let short = flag.short.isEmpty ? "" : "\\fB\(escaped("-" + flag.short))\\fR, "
    var text = ".TP\n\(short)\\fB\(escaped(table.dashes + flag.name))\\fR"
    if !flag.placeholder.isEmpty { text += "=\\fI\(escaped(flag.placeholder))\\fR" }
    text += "\n\(line(sentence(flag.summary)))"
    if !flag.defaultValue.isEmpty { text += "\nThe default is \(escaped(flag.defaultValue))." }
    if case .choice(let words) = flag.kind { text += "\nOne of \(escaped(words.joined(separator: ", ")))." }
    if !flag.details.isEmpty { text += "\n\(line(flag.details))" }
    if let variable = table.environmentName(flag) { text += "\nEnvironment: \\fB\(escaped(variable))\\fR." }
    return text + "\n"
  }

  /// The text with what roff would take for its own escaped.
  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      case "'": result += "\\(aq"
      case "`": result += "\\(ga"
      default: result.append(character)
      }
    }
    return result
  }

  /// A text as a line of its own: a dot or a quote at its beginning would be a request.
  static func line(_ text: String) -> String {
    let escaped = escaped(text)
    return escaped.hasPrefix(".") ? "\\&" + escaped : escaped
  }

  static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }
  private static func decapitalized(_ text: String) -> String { text.prefix(1).lowercased() + text.dropFirst() }
}
