// SPDX-License-Identifier: Apache-2.0

/// A date and a time of day in UTC, by the proleptic Gregorian calendar.
public struct CivilTime: Equatable, Sendable {
  private let date: CivilDate
  private let secondOfDay: Int64

  /// The time so many seconds after 1970 began.
  public init(_ seconds: Int64) {
    let days = seconds >= 0 ? seconds / 86_400 : -((-seconds + 86_399) / 86_400)
    secondOfDay = seconds - days * 86_400
    date = CivilDate(daysSince1970: days)
  }

  /// `2026/11/21 09:05:00`, as logs have it.
  public var logText: String { dateText("/") + " " + clock }

  /// `2026-11-21T09:05:00Z` (RFC 3339).
  public var isoText: String { dateText("-") + "T" + clock + "Z" }

  private func dateText(_ separator: String) -> String {
    Self.padded(date.year, 4) + separator + Self.padded(date.month, 2) + separator + Self.padded(date.day, 2)
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
