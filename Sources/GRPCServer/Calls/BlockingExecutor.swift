// SPDX-License-Identifier: Apache-2.0

internal import NIOPosix

/// Threads for handlers that block or compute for long: `handle(method, on: executor) { … }`.
public final class BlockingExecutor: TaskExecutor {
  private let pool: NIOThreadPool

  /// An executor with so many threads, which live as long as it does.
  public init(threads: Int) {
    pool = NIOThreadPool(numberOfThreads: max(1, threads))
    pool.start()
  }

  /// Takes a job; from any thread.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    pool.submit { _ in job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }

  deinit { pool.shutdownGracefully { _ in } }
}
