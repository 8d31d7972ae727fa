// SPDX-License-Identifier: Apache-2.0

/// How failures and successes count against retries, for all calls of a client to one server.
public struct RetryThrottling: Equatable, Sendable {
  /// The tokens that there are at most and at first: 1 to 1,000.
  public var maxTokens: Int
  /// What a success gives back, in thousandths of a token; above 0.
  public var ratioThousandths: Int

  /// A way to count.
  public init(maxTokens: Int, ratioThousandths: Int) {
    self.maxTokens = maxTokens
    self.ratioThousandths = ratioThousandths
  }
}

/// The tokens themselves: while half of them are gone, nothing is tried again.
///
/// Counts in thousandths, so that a fraction given back often enough is a whole token and nothing is rounded.
public struct RetryThrottle: Equatable, Sendable {
  private let limit: Int
  private let ratio: Int
  private var tokens: Int

  /// All tokens there.
  public init(_ throttling: RetryThrottling) {
    limit = min(max(1, throttling.maxTokens), 1_000) * 1_000
    ratio = min(max(1, throttling.ratioThousandths), limit)
    tokens = limit
  }

  /// Whether another attempt may be made.
  public var allowsRetry: Bool { tokens > limit / 2 }

  /// An attempt ended with a code that is tried again, or the server asked not to try again.
  public mutating func attemptFailed() { tokens = max(0, tokens - 1_000) }

  /// An attempt succeeded.
  public mutating func attemptSucceeded() { tokens = min(limit, tokens + ratio) }
}
