// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import NIOCore
internal import Synchronization

/// The tokens that retries cost, shared by all calls of a client (gRFC A6).
final class SharedThrottle: Sendable {
  private let throttle: Mutex<RetryThrottle>

  init(_ configuration: RetryThrottling) { throttle = Mutex(RetryThrottle(configuration)) }

  /// Whether calls may be sent again.
  var isOpen: Bool { throttle.withLock { $0.allowsRetry } }

  /// Takes note of a failure.
  func failed() { throttle.withLock { $0.attemptFailed() } }

  /// Takes note of a success.
  func succeeded() { throttle.withLock { $0.attemptSucceeded() } }
}

/// The most that any call is sent, whatever its policy says (gRFC A6).
private let maxAttemptsLimit = 5

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
  private let throttle: SharedThrottle?
  private var sent = 1
  private var steps = 0

  init(_ policy: RetryPolicy, _ throttle: SharedThrottle?) {
    self.policy = policy
    self.throttle = throttle
  }

  /// How long to wait before the call is sent again; nil where it is not.
  mutating func delay(after end: CallEnd, chance: Double = .random(in: 0...1)) -> TimeAmount? {
    let pushback = Pushback(end.trailers)
    guard policy.retryableCodes.contains(end.status.code) else { return nil }
    throttle?.failed()
    guard pushback != .never, sent < min(policy.maxAttempts, maxAttemptsLimit), throttle?.isOpen ?? true
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
  private let throttle: SharedThrottle?
  /// Attempts that began.
  private(set) var sent = 1
  private var isStopped = false

  init(_ policy: HedgingPolicy, _ throttle: SharedThrottle?) {
    self.policy = policy
    self.throttle = throttle
  }

  /// How long after the last attempt the next one begins; nil where none does.
  var delay: TimeAmount? { maySend ? .nanoseconds(max(0, policy.delay)) : nil }

  private var maySend: Bool {
    !isStopped && sent < min(policy.maxAttempts, maxAttemptsLimit) && throttle?.isOpen ?? true
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
