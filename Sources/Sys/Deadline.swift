// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// A point on the monotonic clock, in nanoseconds since some start of the machine's choosing.
public struct Instant: Comparable, Sendable {
  /// Nanoseconds since the clock's start.
  public let nanoseconds: Int64

  /// The present.
  public static var now: Instant {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  /// The nanoseconds from an earlier instant to this one.
  public func nanoseconds(since earlier: Instant) -> Int64 { nanoseconds - earlier.nanoseconds }

  /// Whether one instant comes before another.
  public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
}

/// The instant at which waiting ends. Every wait in the tools has one.
public struct Deadline: Equatable, Sendable {
  /// The instant; the largest one means never.
  public let instant: Instant

  /// A deadline that never comes.
  public static let never = Deadline(instant: Instant(nanoseconds: .max))

  /// A deadline at an instant.
  public init(instant: Instant) { self.instant = instant }

  /// The deadline that lies `nanoseconds` after `start`, which is now unless said otherwise. Sums that leave the
  /// clock's range mean never: people do pass `999999999s`.
  public init(nanoseconds: Int64, after start: Instant = .now) {
    let (sum, overflow) = start.nanoseconds.addingReportingOverflow(max(0, nanoseconds))
    instant = Instant(nanoseconds: overflow ? .max : sum)
  }

  /// Whether the instant has come.
  public var hasPassed: Bool { instant.nanoseconds != .max && Instant.now >= instant }

  /// What is left, in nanoseconds, never below zero.
  public var remaining: Int64 {
    instant.nanoseconds == .max ? .max : max(0, instant.nanoseconds - Instant.now.nanoseconds)
  }

  /// The earlier of two deadlines.
  public func earlier(_ other: Deadline) -> Deadline { instant <= other.instant ? self : other }
}

/// The wall clock, in seconds since 1970, for dates in certificates and logs.
public func secondsSince1970() -> Int64 {
  var time = timespec()
  unsafe clock_gettime(CLOCK_REALTIME, &time)
  return Int64(time.tv_sec)
}
