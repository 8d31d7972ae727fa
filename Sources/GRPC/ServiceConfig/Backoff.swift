// SPDX-License-Identifier: Apache-2.0

/// How long to wait before trying again: longer each time, up to a bound, and never the same for everybody.
public struct Backoff: Equatable, Sendable {
  /// The first wait, in nanoseconds.
  public var initial: Int64
  /// By how much each wait is longer than the one before.
  public var multiplier: Double
  /// The longest wait, in nanoseconds.
  public var limit: Int64
  /// How far a wait may lie from these figures, up and down: 0.2 for a fifth.
  public var jitter: Double

  /// Waits of nanoseconds.
  public init(initial: Int64, multiplier: Double, limit: Int64, jitter: Double = 0.2) {
    self.initial = initial
    self.multiplier = multiplier
    self.limit = limit
    self.jitter = jitter
  }

  /// The waits between attempts to connect that gRPC's implementations share: from 1 s to 2 min.
  public static let connection = Backoff(initial: 1_000_000_000, multiplier: 1.6, limit: 120_000_000_000)

  /// More waits than this differ from each other in nothing that can be measured.
  private static let stepLimit = 1_000

  /// The wait before the n-th attempt after the first, in nanoseconds: n counts from 1, `random` lies between 0 and 1.
  public func delay(before n: Int, random: Double) -> Int64 {
    var wait = Double(max(0, initial))
    let most = Double(max(0, limit))
    for _ in 1..<max(2, min(n, Self.stepLimit)) where n > 1 && wait < most { wait *= multiplier }
    // Figures that are no numbers, or below none, make no wait.
    let shaken = min(wait, most) * (1 + jitter * (2 * random - 1))
    guard shaken > 0 else { return 0 }
    return shaken < Double(Int64.max) ? Int64(shaken + 0.5) : .max
  }
}
