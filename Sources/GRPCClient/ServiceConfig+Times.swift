// SPDX-License-Identifier: Apache-2.0

public import GRPC
public import NIOCore

// The service configuration, which is pure, in terms of the event loops' clock.

extension Backoff {
  /// A time that grows from `initial` by `multiplier` to `maximum`, give or take the part `jitter` of it.
  public init(
    initial: TimeAmount = .seconds(1), maximum: TimeAmount = .seconds(120), multiplier: Double = 1.6,
    jitter: Double = 0.2
  ) {
    self.init(
      initial: initial.nanoseconds, multiplier: multiplier, limit: maximum.nanoseconds, jitter: jitter)
  }

  /// How long to wait after so many failures before it, with chance as a number from 0 to 1.
  func delay(after failures: Int, chance: Double = .random(in: 0...1)) -> TimeAmount {
    .nanoseconds(delay(before: min(max(0, failures), 1_000) + 1, random: chance))
  }
}

extension LoadBalancing {
  /// Whether one server takes all calls.
  var isPickFirst: Bool {
    if case .pickFirst = self { true } else { false }
  }
}
