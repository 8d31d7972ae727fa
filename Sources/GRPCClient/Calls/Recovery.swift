// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import NIOCore
internal import Synchronization

/// The tokens that retries cost, shared by all calls of a client (gRFC A6).
final class RetryThrottle: Sendable {
  // Thousandths, so that a ratio counts with three decimals.
  private let maximum: Int
  private let gain: Int
  private let tokens: Atomic<Int>

  init(_ configuration: RetryThrottling) {
    maximum = Self.thousandths(min(configuration.maxTokens, 1_000))
    gain = Self.thousandths(configuration.tokenRatio)
    tokens = Atomic(maximum)
  }

  /// Whether calls may be sent again.
  var isOpen: Bool { tokens.load(ordering: .relaxed) > maximum / 2 }

  /// Takes note of a failure.
  func failed() { change(by: -1_000) }

  /// Takes note of a success.
  func succeeded() { change(by: gain) }

  private func change(by amount: Int) {
    var old = tokens.load(ordering: .relaxed)
    while true {
      let new = min(max(0, old + amount), maximum)
      let (done, seen) = tokens.compareExchange(expected: old, desired: new, ordering: .relaxed)
      if done { return }
      old = seen
    }
  }

  private static func thousandths(_ value: Double) -> Int { Int(min(max(0, value), 1e9) * 1_000) }
}

/// What a server says about sending a call again, in `grpc-retry-pushback-ms`.
enum Pushback: Equatable {
  /// Nothing.
  case none
  /// After this time.
  case after(TimeAmount)
  /// Not at all: a negative number, or none.
  case never

  init(_ trailers: Metadata) {
    guard let text = trailers.first("grpc-retry-pushback-ms") else {
      self = .none
      return
    }
    guard let milliseconds = Int32(text), milliseconds >= 0 else {
      self = .never
      return
    }
    self = .after(.milliseconds(Int64(milliseconds)))
  }
}

/// Decides whether a call that failed is sent again, and when: pure, but for the throttle that calls share.
struct RetryState {
  private let policy: RetryPolicy
  private let throttle: RetryThrottle?
  private var sent = 1
  private var steps = 0

  init(_ policy: RetryPolicy, _ throttle: RetryThrottle?) {
    self.policy = policy
    self.throttle = throttle
  }

  /// How long to wait before the call is sent again; nil where it is not.
  mutating func delay(after end: CallEnd, chance: Double = .random(in: 0...1)) -> TimeAmount? {
    let pushback = Pushback(end.trailers)
    guard policy.codes.contains(end.status.code) else { return nil }
    throttle?.failed()
    guard pushback != .never, sent < min(policy.maxAttempts, RetryPolicy.maxAttemptsLimit), throttle?.isOpen ?? true
    else { return nil }
    sent += 1
    if case .after(let time) = pushback {
      steps = 0
      return time
    }
    steps += 1
    return policy.backoff.delay(after: steps - 1, chance: chance)
  }
}

/// Decides when a call is sent once more without waiting for its first answer.
struct HedgeState {
  /// What an attempt's failure means.
  enum Verdict: Equatable {
    /// It is the call's outcome.
    case fatal
    /// The others are waited for, and the next attempt begins after this time; nil for none.
    case goOn(TimeAmount?)
  }

  private let policy: HedgingPolicy
  private let throttle: RetryThrottle?
  /// Attempts that began.
  private(set) var sent = 1
  private var isStopped = false

  init(_ policy: HedgingPolicy, _ throttle: RetryThrottle?) {
    self.policy = policy
    self.throttle = throttle
  }

  /// How long after the last attempt the next one begins; nil where none does.
  var delay: TimeAmount? { maySend ? max(.zero, policy.delay) : nil }

  private var maySend: Bool {
    !isStopped && sent < min(policy.maxAttempts, RetryPolicy.maxAttemptsLimit) && throttle?.isOpen ?? true
  }

  /// Takes note that an attempt begins; false where none may any more.
  mutating func begin() -> Bool {
    guard maySend else { return false }
    sent += 1
    return true
  }

  /// Takes note of an attempt that failed.
  mutating func verdict(on end: CallEnd) -> Verdict {
    guard policy.nonFatalCodes.contains(end.status.code) else { return .fatal }
    throttle?.failed()
    switch Pushback(end.trailers) {
    case .never:
      isStopped = true
      return .goOn(nil)
    case .after(let time): return .goOn(maySend ? time : nil)
    case .none: return .goOn(maySend ? .zero : nil)
    }
  }
}
