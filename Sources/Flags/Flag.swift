// SPDX-License-Identifier: Apache-2.0

internal import Bytes

// Flags: one table of flags gives the parser, the help text and, at build time, the man page and the completions.

/// One flag of a tool.
public struct Flag: Sendable {
  /// What a flag's value is.
  public enum Kind: Equatable, Sendable {
    /// On or off; off unless given.
    case bool
    /// Any text.
    case string
    /// A length of time, see ``GoDuration``.
    case duration
    /// A length of time, too; a number without a unit is of seconds.
    case seconds
    /// A whole number in a range.
    case integer(ClosedRange<Int>)
    /// One of some words.
    case choice([String])
    /// A text that may be given more than once.
    case list
  }

  /// The name without dashes.
  public let name: String
  /// What the value is.
  public let kind: Kind
  /// What help calls the value, such as `FILE`; empty for booleans.
  public let placeholder: String
  /// The value where none is given, as the command line would write it.
  public let defaultValue: String
  /// One sentence for help, without a full stop.
  public let summary: String
  /// More for the man page: sentences, or nothing.
  public let details: String
  /// Whether an environment variable gives the value too.
  public let hasEnvironment: Bool
  /// One letter or digit that means the flag too; empty for none. Those of booleans may stand together behind one dash,
  /// as in `-tln`.
  public let short: String

  /// A flag.
  public init(
    _ name: String, _ kind: Kind, _ placeholder: String = "", default defaultValue: String = "", summary: String,
    details: String = "", hasEnvironment: Bool = true, short: String = ""
  ) {
    self.name = name
    self.kind = kind
    self.placeholder = placeholder
    self.defaultValue = defaultValue
    self.summary = summary
    self.details = details
    self.hasEnvironment = hasEnvironment
    self.short = short
  }
}

/// Some flags under a heading.
public struct FlagGroup: Sendable {
  /// The heading.
  public let title: String
  /// The flags, in the order of help.
  public let flags: [Flag]

  /// A group.
  public init(_ title: String, _ flags: [Flag]) {
    self.title = title
    self.flags = flags
  }
}

/// All flags of a tool.
public struct FlagTable: Sendable {
  /// The tool's name, as it is called.
  public let tool: String
  /// What the tool does, in one sentence without a full stop.
  public let summary: String
  /// What environment variables begin with, such as `GRPC_HEALTH_PROBE_`.
  public let environmentPrefix: String
  /// The groups, in the order of help.
  public let groups: [FlagGroup]
  /// What help calls the words that are no flags, such as `[PORT…]`; empty where there are none.
  public let operands: String
  /// The flags that help shows as necessary, such as `-addr=ADDRESS`.
  public let required: String
  /// What help writes before a flag's name: either is understood.
  public let dashes: String

  /// A table.
  public init(
    tool: String, summary: String, environmentPrefix: String, groups: [FlagGroup], operands: String = "",
    required: String = "", dashes: String = "-"
  ) {
    self.tool = tool
    self.summary = summary
    self.environmentPrefix = environmentPrefix
    self.groups = groups
    self.operands = operands
    self.required = required
    self.dashes = dashes
  }

  /// All flags, in the order of the groups.
  public var flags: [Flag] { groups.flatMap { $0.flags } }

  /// The environment variable of a flag; nil where it has none.
  public func environmentName(_ flag: Flag) -> String? {
    guard flag.hasEnvironment else { return nil }
    let name = flag.name.utf8.map { $0 == 0x2D ? 0x5F : $0.isASCIILetter ? $0 & ~0x20 : $0 }
    return environmentPrefix + String(decoding: name, as: UTF8.self)
  }

  /// What `-h` prints: every flag in the order of the alphabet, with its kind of value and its default.
  public var help: String {
    let words = [tool, required, "[flags]", operands].filter { !$0.isEmpty }
    var text = "usage: " + words.joined(separator: " ") + "\n\n\(summary).\n\n"
    for flag in flags.sorted(by: { $0.name < $1.name }) {
      let short = flag.short.isEmpty ? "" : "-\(flag.short), "
      text += "  " + short + dashes + flag.name + (flag.placeholder.isEmpty ? "" : " " + flag.placeholder)
      text += "\n        " + flag.summary
      if !flag.defaultValue.isEmpty { text += " (default \(flag.defaultValue))" }
      text += "\n"
    }
    guard flags.contains(where: { $0.hasEnvironment }) else { return text }
    let example = flags.first { $0.hasEnvironment }.flatMap { environmentName($0) } ?? environmentPrefix
    return text + "\nFlags may also be given as environment variables, such as \(example); the command line wins.\n"
  }
}
