// SPDX-License-Identifier: Apache-2.0

/// Where the callers of a ``DatabasePool`` want to be woken.
///
/// Waking a caller on another thread costs more than most queries. A server gives each of its event loops a sink, which
/// hops to the loop once for all the callers that one batch of work has answers for.
public protocol CompletionSink: AnyObject, Sendable {
  /// Runs every closure once, in order, on whatever thread it likes, soon and without waiting: each wakes one caller.
  /// A database thread calls it.
  func complete(_ batch: [@Sendable () -> Void])
}

/// Wakes callers from the database thread itself.
public final class DirectCompletion: CompletionSink {
  /// A sink.
  public init() {}

  /// Runs the closures at once.
  public func complete(_ batch: [@Sendable () -> Void]) {
    for completion in batch { completion() }
  }
}
