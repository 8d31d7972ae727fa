// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The value of `grpc-timeout`: at most eight digits and a unit.
public enum Timeout {
  private static let largest: Int64 = 99_999_999

  /// Nanoseconds as the header carries them, in the finest unit that has room, rounded up so that the server never
  /// gives up before the client does.
  ///
  /// Microseconds are the finest unit that is written: a shorter time is over before it arrives.
  public static func encode(nanoseconds: Int64) -> String {
    guard nanoseconds > 0 else { return "0n" }
    for (unit, size) in units.reversed() where unit != "n" {
      let count = nanoseconds / size + (nanoseconds % size == 0 ? 0 : 1)
      if count <= largest { return String(count) + unit }
    }
    return String(largest) + "H"
  }

  /// The nanoseconds behind a header's value; nil where it is malformed. Times beyond 292 years are that long.
  public static func decode(_ value: String) -> Int64? {
    let bytes = Array(value.utf8)
    guard let last = bytes.last, bytes.count <= 9, let count = parseDecimal(bytes.dropLast()) else { return nil }
    for (unit, size) in units where unit.utf8.first == last {
      let (product, overflow) = Int64(count).multipliedReportingOverflow(by: size)
      return overflow ? .max : product
    }
    return nil
  }

  /// Units from the largest to the smallest, in nanoseconds.
  private static let units: [(String, Int64)] = [
    ("H", 3_600_000_000_000), ("M", 60_000_000_000), ("S", 1_000_000_000), ("m", 1_000_000), ("u", 1_000), ("n", 1),
  ]
}
