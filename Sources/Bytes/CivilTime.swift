// SPDX-License-Identifier: Apache-2.0

/// A date and a time of day in UTC, by the proleptic Gregorian calendar.
public struct CivilTime: Equatable, Sendable {
  private let year: Int64
  private let month: Int64
  private let day: Int64
  private let secondOfDay: Int64

  /// The time so many seconds after 1970 began.
  public init(_ seconds: Int64) {
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

  /// `2026/11/21 09:05:00`, as logs have it.
  public var logText: String { date(separator: "/") + " " + clock }

  /// `2026-11-21T09:05:00Z` (RFC 3339).
  public var isoText: String { date(separator: "-") + "T" + clock + "Z" }

  private func date(separator: String) -> String {
    Self.padded(year, 4) + separator + Self.padded(month, 2) + separator + Self.padded(day, 2)
  }

  private var clock: String {
    Self.padded(secondOfDay / 3600, 2) + ":" + Self.padded(secondOfDay / 60 % 60, 2) + ":"
      + Self.padded(secondOfDay % 60, 2)
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
  }
}
