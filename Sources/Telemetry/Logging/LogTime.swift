// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Glibc

/// A moment of the wall clock, for a log's line.
struct LogTime: Sendable {
  /// Seconds since 1970.
  let seconds: Int64
  /// The microseconds beyond.
  let microseconds: Int64

  /// The present.
  static var now: LogTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return LogTime(seconds: Int64(time.tv_sec), microseconds: Int64(time.tv_nsec) / 1_000)
  }
}

/// Writes moments as RFC 3339 has them, to the microsecond. The text of a second is made once.
struct LogTimeText: Sendable {
  private var second: Int64 = .min
  private var text: [UInt8] = []

  /// Appends a moment: `2026-11-21T09:05:00.000123Z`.
  mutating func append(_ time: LogTime, to bytes: inout [UInt8]) {
    if time.seconds != second {
      second = time.seconds
      text = Array(CivilTime(time.seconds).isoText.utf8.dropLast())
    }
    bytes += text
    bytes.append(0x2E)
    bytes.appendDecimal(UInt64(max(0, time.microseconds)), digits: 6)
    bytes.append(0x5A)
  }
}

extension [UInt8] {
  /// Appends a number in decimal, with zeros in front up to so many digits.
  mutating func appendDecimal(_ number: UInt64, digits: Int = 1) {
    var width = 1
    var bound: UInt64 = 10
    while width < 20, number >= bound {
      width += 1
      bound = width < 20 ? bound * 10 : .max
    }
    width = Swift.max(width, digits)
    let start = count
    append(contentsOf: repeatElement(0x30, count: width))
    var rest = number
    var index = start + width - 1
    while rest > 0 {
      self[index] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
      index -= 1
    }
  }

  /// Appends nanoseconds as milliseconds with three places.
  mutating func appendMilliseconds(_ nanoseconds: Int64) {
    let microseconds = UInt64(Swift.max(0, nanoseconds)) / 1_000
    appendDecimal(microseconds / 1_000)
    append(0x2E)
    appendDecimal(microseconds % 1_000, digits: 3)
  }
}
