// SPDX-License-Identifier: Apache-2.0

/// How many times were how long, in bounded memory: exact below 256 ns, and from there within 1/128 of the time.
///
/// A time's bucket is its highest eight bits and how far they are shifted, so that each power of two has 128 buckets.
struct LatencyHistogram {
  private static let bucketsPerPower = 128
  /// One bucket for each value below 256, then 128 for each further power of two up to 2^63.
  private static let bucketCount = 57 * bucketsPerPower + bucketsPerPower

  private var counts = [UInt64](repeating: 0, count: bucketCount)
  /// How many times were recorded.
  private(set) var count: UInt64 = 0
  /// The shortest time, in nanoseconds; 0 where there is none.
  private(set) var shortest: Int64 = 0
  /// The longest time, in nanoseconds.
  private(set) var longest: Int64 = 0
  private var sum = 0.0

  /// Adds a time in nanoseconds; one below zero counts as zero.
  mutating func record(_ nanoseconds: Int64) {
    let time = max(0, nanoseconds)
    counts[Self.bucket(of: time)] += 1
    shortest = count == 0 ? time : min(shortest, time)
    longest = max(longest, time)
    sum += Double(time)
    count += 1
  }

  /// The mean, in nanoseconds.
  var mean: Int64 { count == 0 ? 0 : Int64(sum / Double(count)) }

  /// The time that so many of a thousand times do not exceed, in nanoseconds.
  func quantile(perMille share: UInt64) -> Int64 {
    guard count > 0 else { return 0 }
    let rank = max(1, (count * share + 999) / 1_000)
    var seen: UInt64 = 0
    for (bucket, number) in counts.enumerated() where number > 0 {
      seen += number
      if seen >= rank { return min(Self.upperBound(of: bucket), longest) }
    }
    return longest
  }

  /// How many times lie above one bound and at or below another, in nanoseconds; both are taken to the end of their
  /// bucket.
  func count(above lower: Int64, through upper: Int64) -> UInt64 {
    let first = lower < 0 ? 0 : Self.bucket(of: lower) + 1
    let last = Self.bucket(of: max(0, upper))
    guard first <= last else { return 0 }
    return counts[first...last].reduce(0, +)
  }

  private static func bucket(of time: Int64) -> Int {
    let shift = max(0, 56 - time.leadingZeroBitCount)
    return shift * bucketsPerPower + Int(time >> Int64(shift))
  }

  private static func upperBound(of bucket: Int) -> Int64 {
    guard bucket >= 2 * bucketsPerPower else { return Int64(bucket) }
    let shift = bucket / bucketsPerPower - 1
    let high = UInt64(bucket - shift * bucketsPerPower + 1) << UInt64(shift)
    return Int64(clamping: high - 1)
  }
}
