// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Bytes

/// Flags from the environment: `--max-message-size` is also `SONDE_MAX_MESSAGE_SIZE`, and the command line wins.
public enum EnvironmentFlags {
  /// What stands before a flag's name.
  public static let prefix = "SONDE_"

  /// The arguments with those from the environment before them, for the flags that are not on the command line.
  ///
  /// A switch takes `true` or `false`; a flag that may be repeated takes its values with commas between. An empty
  /// variable counts as unset, and one that names no flag is passed over: orchestrators set all kinds of them.
  public static func merge(
    _ arguments: [String], flags: [EnvironmentFlag], environment: (String) -> String?
  ) throws(ConfigurationError) -> [String] {
    let given = Set(arguments.compactMap { $0.after("--") }.map { $0.split(onASCII: 0x3D).first ?? $0 })
    var merged: [String] = []
    for flag in flags where !given.contains(flag.name) && !given.contains("no-" + flag.name) {
      guard let value = environment(flag.variable), !value.isEmpty else { continue }
      switch flag.kind {
      case .value: merged += ["--" + flag.name, value]
      case .list: for part in value.split(onASCII: 0x2C) { merged += ["--" + flag.name, part.asciiTrimmed] }
      case .onOff, .offOn:
        switch value.asciiLowercased {
        case "true", "1", "yes", "on": merged.append("--" + flag.name)
        case "false", "0", "no", "off": if flag.kind == .offOn { merged.append("--no-" + flag.name) }
        default: throw ConfigurationError("\(flag.variable) is \(value.quoted); it takes true or false")
        }
      }
    }
    return merged + arguments
  }
}

/// A flag that the environment can set.
public struct EnvironmentFlag: Sendable, Equatable {
  /// What it takes.
  public enum Kind: Sendable {
    /// One value.
    case value
    /// Any number of values.
    case list
    /// Nothing: it is there or not.
    case onOff
    /// Nothing: it is there, or is there with `no-` before its name.
    case offOn
  }

  /// The name without its dashes.
  public let name: String
  /// What it takes.
  public let kind: Kind

  /// A flag.
  public init(_ name: String, _ kind: Kind = .value) {
    self.name = name
    self.kind = kind
  }

  /// Its variable: `SONDE_` and the name in capitals.
  public var variable: String {
    var name = EnvironmentFlags.prefix
    for byte in self.name.utf8 {
      name.unicodeScalars.append(Unicode.Scalar(byte == 0x2D ? 0x5F : byte.isASCIILetter ? byte & 0xDF : byte))
    }
    return name
  }
}

/// A configuration that cannot work, in one line that says what to do.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The line.
  public let description: String

  /// An error in one line.
  public init(_ description: String) { self.description = description }
}
