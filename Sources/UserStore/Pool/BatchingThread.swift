// SPDX-License-Identifier: Apache-2.0

/// A thread that runs tasks in batches, as an event loop does.
///
/// A pool that knows the thread of its callers wakes its own threads once for all that a batch asks of it, and gives
/// the answers to them back in one batch. Otherwise each job would wake a thread, and each answer another one.
public protocol BatchingThread: AnyObject, Sendable {
  /// Calls the body at the end of the batch that runs now; once, however often it is asked for with the same key. To be
  /// called on the thread.
  func atBatchEnd(once key: AnyObject, _ body: @escaping @Sendable () -> Void)

  /// Calls the body in a batch of the thread's. From any thread.
  func runBatch(_ body: @escaping @Sendable () -> Void)
}
