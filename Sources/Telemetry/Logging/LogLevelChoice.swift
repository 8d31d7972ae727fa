// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Logging

/// A level of a log that has no such name.
public struct UnknownLogLevel: Error, Equatable, CustomStringConvertible {
  /// Where it was asked for: the flag or the variable.
  public let source: String
  /// What was asked for.
  public let value: String

  /// One line that names the choices.
  public var description: String {
    let names = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
    return "\(source): no log level \(value.quoted); the levels are \(names)"
  }
}

/// How verbose the log is, by flag and environment.
public enum LogLevelChoice {
  /// The variable that stands for the flag.
  public static let variable = "SONDE_LOG_LEVEL"
  /// The level unless somebody asks for another.
  public static let standard = Logger.Level.info

  /// The level of a name; case does not matter, and `warn` is `warning`.
  public static func level(named name: String) -> Logger.Level? {
    let name = name.asciiLowercased
    return name == "warn" ? .warning : Logger.Level(rawValue: name)
  }

  /// The level that a flag asks for; without it the variable; without that the variables of gRPC's Go implementation,
  /// `GRPC_GO_LOG_SEVERITY_LEVEL` (`info`, `warning`, `error`) and `GRPC_GO_LOG_VERBOSITY_LEVEL`: with information
  /// asked for or the severity unset, 2 and more mean debug, and 99 and more everything, frames too. What these two say
  /// wrongly is passed over, as that implementation does. An empty variable counts as unset.
  public static func resolve(
    flag: String?, environment: (String) -> String?
  ) throws(UnknownLogLevel) -> Logger.Level {
    if let flag { return try parse(flag, "--log-level") }
    func value(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }
    if let text = value(variable) { return try parse(text, variable) }
    let severity = value("GRPC_GO_LOG_SEVERITY_LEVEL")?.asciiLowercased
    switch severity {
    case "error": return .error
    case "warning": return .warning
    default:
      let verbosity = parseDecimal((value("GRPC_GO_LOG_VERBOSITY_LEVEL") ?? "0").utf8) ?? 0
      return verbosity >= 99 ? .trace : verbosity >= 2 ? .debug : standard
    }
  }

  private static func parse(_ text: String, _ source: String) throws(UnknownLogLevel) -> Logger.Level {
    guard let level = level(named: text) else { throw UnknownLogLevel(source: source, value: text) }
    return level
  }
}
