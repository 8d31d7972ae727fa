// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON

/// Timestamps and durations as text.
enum TimeText {
  /// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds from the epoch.
  private static let timestamps: ClosedRange<Int64> = -62_135_596_800...253_402_300_799
  /// Ten thousand years.
  private static let durations: ClosedRange<Int64> = -315_576_000_000...315_576_000_000

  // MARK: - Timestamps

  /// The seconds and nanoseconds of a text in the form of RFC 3339, its letters capitals; nil for what is none, or not
  /// in the range.
  static func timestamp(_ text: ArraySlice<UInt8>) -> (seconds: Int64, nanoseconds: Int32)? {
    var reader = TextReader(text)
    guard let year = reader.digits(4), reader.take(0x2D), let month = reader.digits(2), reader.take(0x2D),
      let day = reader.digits(2), reader.take(0x54), let hour = reader.digits(2), reader.take(0x3A),
      let minute = reader.digits(2), reader.take(0x3A), let second = reader.digits(2),
      let nanoseconds = reader.fraction(), let offset = reader.zone(),
      (1...9_999).contains(year), (1...12).contains(month),
      (1...CivilDate.days(inMonth: month, of: year)).contains(day),
      hour < 24, minute < 60, second < 60
    else { return nil }
    let seconds =
      (CivilDate(year: year, month: month, day: day).daysSince1970 * 24 + hour) * 3_600 + minute * 60 + second - offset
    return timestamps.contains(seconds) ? (seconds, nanoseconds) : nil
  }

  /// Appends the form of a timestamp, in UTC with no fraction or one of 3, 6 or 9 digits; false, with nothing appended,
  /// where it is out of range.
  static func append(timestamp seconds: Int64, _ nanoseconds: Int64, to text: inout [UInt8]) -> Bool {
    guard timestamps.contains(seconds), (0..<1_000_000_000).contains(nanoseconds) else { return false }
    let fromStart = seconds - timestamps.lowerBound
    let date = CivilDate(daysSince1970: fromStart / 86_400 + timestamps.lowerBound / 86_400)
    let rest = fromStart % 86_400
    append(date.year, 4, to: &text)
    text.append(0x2D)
    append(date.month, 2, to: &text)
    text.append(0x2D)
    append(date.day, 2, to: &text)
    text.append(0x54)
    append(rest / 3_600, 2, to: &text)
    text.append(0x3A)
    append(rest / 60 % 60, 2, to: &text)
    text.append(0x3A)
    append(rest % 60, 2, to: &text)
    appendFraction(nanoseconds, to: &text)
    text.append(0x5A)
    return true
  }

  // MARK: - Durations

  /// The seconds and nanoseconds, of one sign, of a text such as `1.5s`; nil for what is none, or not in the range.
  static func duration(_ text: ArraySlice<UInt8>) -> (seconds: Int64, nanoseconds: Int32)? {
    var reader = TextReader(text)
    let isNegative = reader.take(0x2D)
    guard let seconds = reader.number(), let nanoseconds = reader.fraction(), reader.take(0x73), reader.isAtEnd,
      seconds <= durations.upperBound
    else { return nil }
    return isNegative ? (-seconds, -nanoseconds) : (seconds, nanoseconds)
  }

  /// Appends the form of a duration, with no fraction or one of 3, 6 or 9 digits; false, with nothing appended, where
  /// it is out of range or its parts differ in their sign.
  static func append(duration seconds: Int64, _ nanoseconds: Int64, to text: inout [UInt8]) -> Bool {
    guard durations.contains(seconds), (-999_999_999...999_999_999).contains(nanoseconds),
      seconds == 0 || nanoseconds == 0 || (seconds < 0) == (nanoseconds < 0)
    else { return false }
    if seconds < 0 || nanoseconds < 0 { text.append(0x2D) }
    JSONWriter.appendDecimal(seconds.magnitude, to: &text)
    appendFraction(abs(nanoseconds), to: &text)
    text.append(0x73)
    return true
  }

  // MARK: - Digits

  private static func appendFraction(_ nanoseconds: Int64, to text: inout [UInt8]) {
    guard nanoseconds != 0 else { return }
    text.append(0x2E)
    if nanoseconds % 1_000_000 == 0 {
      append(nanoseconds / 1_000_000, 3, to: &text)
    } else if nanoseconds % 1_000 == 0 {
      append(nanoseconds / 1_000, 6, to: &text)
    } else {
      append(nanoseconds, 9, to: &text)
    }
  }

  private static func append(_ value: Int64, _ count: Int, to text: inout [UInt8]) {
    var unit: Int64 = 1
    for _ in 1..<count { unit *= 10 }
    while unit > 0 {
      text.append(0x30 + UInt8(truncatingIfNeeded: value / unit % 10))
      unit /= 10
    }
  }
}

/// Reads a text of digits and marks from its start to its end.
private struct TextReader {
  private var rest: ArraySlice<UInt8>

  init(_ text: ArraySlice<UInt8>) { rest = text }

  var isAtEnd: Bool { rest.isEmpty }

  /// Takes a character where it comes next.
  mutating func take(_ character: UInt8) -> Bool {
    guard rest.first == character else { return false }
    rest.removeFirst()
    return true
  }

  /// A number of so many digits.
  mutating func digits(_ count: Int) -> Int64? {
    var value: Int64 = 0
    for _ in 0..<count {
      guard let digit = rest.first, digit &- 0x30 < 10 else { return nil }
      value = value * 10 + Int64(digit - 0x30)
      rest.removeFirst()
    }
    return value
  }

  /// A number of one digit at least; one that is larger than any duration is as large as that.
  mutating func number() -> Int64? {
    guard let first = digits(1) else { return nil }
    var value = first
    while let digit = digits(1) { value = min(value * 10 + digit, 1 << 50) }
    return value
  }

  /// Nanoseconds behind a point, one to nine digits; 0 where there is no point.
  mutating func fraction() -> Int32? {
    guard take(0x2E) else { return 0 }
    let all = rest.count
    guard var value = digits(1) else { return nil }
    while all - rest.count < 9, let digit = digits(1) { value = value * 10 + digit }
    for _ in all - rest.count..<9 { value *= 10 }
    return Int32(truncatingIfNeeded: value)
  }

  /// The seconds by which a zone is ahead, up to the text's end.
  mutating func zone() -> Int64? {
    if take(0x5A) { return isAtEnd ? 0 : nil }
    let isAhead = take(0x2B)
    guard isAhead || take(0x2D), let hours = digits(2), take(0x3A), let minutes = digits(2), hours < 24, minutes < 60,
      isAtEnd
    else { return nil }
    let offset = hours * 3_600 + minutes * 60
    return isAhead ? offset : -offset
  }
}
