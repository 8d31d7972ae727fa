// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// What a ``LoopWorker`` runs: a call that is to be handled on its loop.
public protocol LoopWork: AnyObject, Sendable {
  /// Does the work, in the worker's task, beginning on the loop's thread.
  func run(in worker: LoopWorker) async
}

/// A task of a loop's that runs one call after another.
///
/// ```
///          ┌────────── the next call ◄──────────┐
///          ▼                                    │ calls wait
/// made ► runs a call ──────────────────────► done
///                                             ├─ nothing waits ──► idle ──(a call comes)──► runs it
///                                             └─ cancelled, or enough are idle ──► ended
/// ```
///
/// To begin and end a task costs as much as most calls' handlers do, and most handlers never wait for anything: a batch
/// of their calls is run by one worker. Where a call waits, the next one gets a worker of its own. A task cannot be
/// cancelled for one call alone, so that a cancelled worker runs no other.
///
/// Everything but ``LoopWork/run(in:)`` belongs to the loop's thread.
public final class LoopWorker: @unchecked Sendable {
  private var task: Task<Void, Never>?
  private var wakeUp: UnsafeContinuation<Void, Never>?
  private var isSpoiled = false

  /// Makes a worker, which looks for work when the executor runs its jobs.
  init(_ executor: LoopExecutor) {
    task = Task(executorPreference: executor) {
      while let work = await self.next(of: executor) {
        await work.run(in: self)
        // Work that was left on another thread has nothing more to do with the loop's state.
        if !executor.loop.inEventLoop || self.isSpoiled { return }
      }
    }
  }

  /// Cancels the work that is being run.
  public func cancel() {
    isSpoiled = true
    task?.cancel()
  }

  /// Lets an idle worker look for work again.
  func wake() {
    let wakeUp = wakeUp
    self.wakeUp = nil
    wakeUp?.resume()
  }

  /// What is to be run next, once there is something; nil where the worker is not needed any more.
  private func next(of executor: LoopExecutor) async -> (any LoopWork)? {
    if let work = executor.takeWork() { return work }
    guard executor.keepsIdle() else { return nil }
    await withUnsafeContinuation { continuation in
      wakeUp = continuation
      executor.becameIdle(self)
    }
    return executor.takeWork()
  }
}
