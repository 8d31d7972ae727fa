// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Sys

/// What goes on below the calls, line by line, for somebody who looks for a fault.
///
/// Users of gRPC's Go implementation switch it on by two variables: GRPC_GO_LOG_SEVERITY_LEVEL is `error`, `warning` or
/// `info`, and GRPC_GO_LOG_VERBOSITY_LEVEL of 2 or more adds every frame to `info`. Without the first it is `error`,
/// whose one line tells of a server that complains about too many PINGs; any other word switches the log off.
public final class TransportLog {
  /// How much is told.
  enum Level: Int, Comparable {
    case none, error, warning, info, frames

    static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  private static let frameVerbosity = 2

  let level: Level
  private let write: (String) -> Void

  /// A log as the environment asks for it; `write` takes whole lines.
  public init(environment: (String) -> String?, write: @escaping (String) -> Void) {
    let verbosity = parseDecimal((environment("GRPC_GO_LOG_VERBOSITY_LEVEL") ?? "").utf8) ?? 0
    level =
      switch (environment("GRPC_GO_LOG_SEVERITY_LEVEL") ?? "").asciiLowercased {
      case "info": verbosity >= Self.frameVerbosity ? .frames : .info
      case "warning": .warning
      case "", "error": .error
      default: .none
      }
    self.write = write
  }

  /// Whether frames are told of.
  var wantsFrames: Bool { level == .frames }

  func info(_ text: @autoclosure () -> String) { if level >= .info { line("INFO", text()) } }
  func warning(_ text: @autoclosure () -> String) { if level >= .warning { line("WARNING", text()) } }
  func error(_ text: @autoclosure () -> String) { if level >= .error { line("ERROR", text()) } }

  /// Takes the text and not its closure: the compiler would make a copy of this for each closure.
  private func line(_ name: String, _ text: String) {
    write("\(CivilTime(secondsSince1970()).logText) \(name): [transport] \(text.safeForDisplay)\n")
  }
}
