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

/// A date and a time of day in UTC.
struct CivilTime {
  let year: Int64
  let month: Int64
  let day: Int64
  let secondOfDay: Int64

  /// The time so many seconds after 1970 began; the calendar is the proleptic Gregorian one.
  init(_ seconds: Int64) {
    let days = seconds >= 0 ? seconds / 86_400 : -((-seconds + 86_399) / 86_400)
    secondOfDay = seconds - days * 86_400
    // Years run from March, so that the leap day is a year's last; an era has 400 of them.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// `2026/11/21 09:05:00`.
  var logText: String {
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let time = "\(two(secondOfDay / 3600)):\(two(secondOfDay / 60 % 60)):\(two(secondOfDay % 60))"
    return "\(year)/\(two(month))/\(two(day)) " + time
  }
}
