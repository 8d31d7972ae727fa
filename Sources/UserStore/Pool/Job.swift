// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A piece of work that waits for a session — a ``UserReader`` or ``UserWriter`` — and a caller who waits for it.
///
/// Its life, in which it belongs to one thread at a time: the queue's lock hands it from the caller to a worker, and
/// the worker wakes the caller. Only the cancellation comes from elsewhere, and is atomic.
///
///     submitted ──► run (again, where a group of writes has to be taken apart) ──► finish
///         └───────► fail ─────────────────────────────────────────────────────────┘
class Job<Session>: @unchecked Sendable {
  private let cancelled = Atomic(false)

  /// The thread that asked, where it works in batches. Set before the job is submitted.
  final var caller: (any BatchingThread)?

  /// Whether the caller has given up. A read that has begun ends early then, a write does not.
  final var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

  final func cancel() { cancelled.store(true, ordering: .relaxed) }

  /// Does the work and keeps its result, or throws its error and keeps nothing.
  func run(_ session: Session) throws(StoreError) {}

  /// Keeps an error, in place of a result where there was one.
  func fail(_ error: StoreError) {}

  /// Gives the caller what was kept.
  func finish() {}
}

/// A job with a result.
final class TypedJob<Session, Value: Sendable>: Job<Session>, @unchecked Sendable {
  typealias Outcome = Result<Value, StoreError>

  private let body: @Sendable (Session) throws(StoreError) -> Value
  private var outcome: Outcome = .failure(.cancelled)
  /// Set before the job is submitted, taken when it ends.
  var continuation: UnsafeContinuation<Outcome, Never>?

  init(_ body: @escaping @Sendable (Session) throws(StoreError) -> Value) { self.body = body }

  override func run(_ session: Session) throws(StoreError) { outcome = .success(try body(session)) }

  override func fail(_ error: StoreError) { outcome = .failure(error) }

  override func finish() {
    continuation?.resume(returning: outcome)
    continuation = nil
  }
}
