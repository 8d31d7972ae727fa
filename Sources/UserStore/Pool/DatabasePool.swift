// SPDX-License-Identifier: Apache-2.0

internal import SQLite
internal import Synchronization

/// The asynchronous way to the users: a thread that writes and some that read, each with a connection of its own.
///
/// Nothing that blocks runs on the caller's thread. Work that waits is taken many pieces at a time: reads of a batch
/// share one transaction, and writes of a batch share one that reaches the disk once, so hundreds of creations at the
/// same time cost one flush. A write is on the disk when its caller hears of it.
public final class DatabasePool: Sendable {
  /// How a pool works.
  public struct Configuration: Sendable {
    /// The file, which is created where it is missing, or `:memory:`, which keeps nothing.
    public var path: String
    /// How many threads read. In memory none does: the one connection there is reads and writes.
    public var readers = 2
    /// How many reads may wait, and how many writes: more are refused, so that nobody waits for long.
    public var queueCapacity = 10_000
    /// How long a write waits for another process that writes, in milliseconds.
    public var busyTimeout: Int32 = 5_000
    /// Tells the time.
    public var clock: Clock = WallClock.now
    /// Called on the writing thread after each batch that was kept: a good moment to look for new events. It may not
    /// block.
    public var didCommit: @Sendable () -> Void = {}
    /// The thread that runs now, where it works in batches: its calls wake the pool's threads, and are woken by them,
    /// together.
    public var callerThread: @Sendable () -> (any BatchingThread)? = { nil }

    /// A pool on a file.
    public init(path: String) { self.path = path }
  }

  /// What works, as far as a try can tell.
  public struct Health: Equatable, Sendable {
    /// Why nothing can be read; nil where reading works.
    public let readFailure: StoreError?
    /// Why nothing can be written; nil where writing works.
    public let writeFailure: StoreError?
  }

  /// How much the threads of one kind have to do. Work that waits while all of them are busy says that the database is
  /// what calls wait for.
  public struct Load: Equatable, Sendable {
    /// Jobs that wait for a thread.
    public let waiting: Int
    /// How many may.
    public let capacity: Int
    /// Threads that work.
    public let busyThreads: Int
    /// Threads that there are.
    public let threads: Int
    /// Jobs that were refused since the start, since as many waited as may.
    public let refused: UInt64
  }

  /// A reader takes at most so many jobs at once: what it has taken, the other readers cannot help with.
  static let maxReadBatch = 64
  /// A transaction has at most so many jobs: other processes wait for its end.
  static let maxWriteBatch = 512

  private let writes: JobQueue<UserWriter>
  /// nil where the writing thread reads too.
  private let reads: JobQueue<UserReader>?
  private let threads: ThreadCount
  private let callerThread: @Sendable () -> (any BatchingThread)?

  /// Opens the connections, brings the file to the present schema and starts the threads. It blocks meanwhile.
  ///
  /// - Throws: ``StoreError/unavailable(reason:)`` or ``StoreError/internalFailure(reason:)`` where the file cannot be
  ///   used.
  public init(_ configuration: Configuration) throws(StoreError) {
    var options = Database.Options()
    options.busyTimeout = configuration.busyTimeout
    let isShared = configuration.path != Database.inMemory
    let readerCount = isShared ? max(1, configuration.readers) : 0
    let writer = try UserWriter(path: configuration.path, options: options, clock: configuration.clock)
    var readers: [Handover<ReadWorker>] = []
    for _ in 0..<readerCount {
      readers.append(Handover(ReadWorker(reader: try UserReader(path: configuration.path, options: options))))
    }

    writes = JobQueue(capacity: configuration.queueCapacity, workers: 1, maxBatch: Self.maxWriteBatch)
    reads =
      isShared
      ? JobQueue(capacity: configuration.queueCapacity, workers: readerCount, maxBatch: Self.maxReadBatch) : nil
    threads = ThreadCount()
    callerThread = configuration.callerThread

    let writing = Handover(WriteWorker(writer: writer, didCommit: configuration.didCommit))
    do throws(StoreError) {
      try threads.start(name: "db-writer") { [writes] in writing.take()?.serve(writes) }
      for (index, reading) in readers.enumerated() {
        guard let reads else { break }
        try threads.start(name: "db-reader-\(index + 1)") { reading.take()?.serve(reads) }
      }
    } catch {
      close()
      throw error
    }
  }

  deinit { close() }

  /// Runs the body on a reading thread. What it reads is one state of the database.
  ///
  /// - Throws: what the body throws, ``StoreError/overloaded``, ``StoreError/cancelled`` where the task was cancelled,
  ///   which ends a query that runs, too, and ``StoreError/unavailable(reason:)`` after ``shutdown()``.
  public nonisolated(nonsending) func read<T: Sendable>(
    _ body: @escaping @Sendable (UserReader) throws(StoreError) -> T
  ) async throws(StoreError) -> T {
    if let reads { return try await run(TypedJob(body), on: reads) }
    return try await write { (writer) throws(StoreError) in try body(writer.reader) }
  }

  /// Runs the body on the writing thread. All that it changes is kept, and on the disk when this returns; or none of
  /// it, where the body throws.
  ///
  /// The body may run twice, the first time in vain: it changes the database and nothing else.
  ///
  /// - Throws: what the body throws, ``StoreError/storageFull``, ``StoreError/overloaded``, ``StoreError/cancelled``
  ///   where the task was cancelled before the body began, ``StoreError/unavailable(reason:)`` after ``shutdown()``.
  public nonisolated(nonsending) func write<T: Sendable>(
    _ body: @escaping @Sendable (UserWriter) throws(StoreError) -> T
  ) async throws(StoreError) -> T {
    try await run(TypedJob(body), on: writes)
  }

  /// Tries to read and to write a page. The write is a real one: it waits in the queue and for the disk.
  public nonisolated(nonsending) func checkHealth() async -> Health {
    var readFailure: StoreError?
    var writeFailure: StoreError?
    do throws(StoreError) { try await read { (reader) throws(StoreError) in try reader.check() } } catch {
      readFailure = error
    }
    do throws(StoreError) { try await write { (writer) throws(StoreError) in try writer.check() } } catch {
      writeFailure = error
    }
    return Health(readFailure: readFailure, writeFailure: writeFailure)
  }

  /// How much the reading threads have to do now; nil where the writing one reads too.
  public var readLoad: Load? { reads?.load }

  /// How much the writing thread has to do now.
  public var writeLoad: Load { writes.load }

  /// Refuses further work, finishes what was accepted, closes the connections and returns then. Safe to call again.
  public nonisolated(nonsending) func shutdown() async {
    close()
    await threads.allEnded()
  }

  private func close() {
    reads?.close()
    writes.close()
  }

  private nonisolated(nonsending) func run<Session, T: Sendable>(
    _ job: TypedJob<Session, T>, on queue: JobQueue<Session>
  ) async throws(StoreError) -> T {
    let outcome = await withTaskCancellationHandler {
      // Each job is finished once, and only then: see Job.
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Result<T, StoreError>, Never>) in
        job.continuation = continuation
        job.caller = callerThread()
        do throws(StoreError) { try queue.submit(job) } catch {
          job.fail(error)
          job.finish()
        }
      }
    } onCancel: {
      job.cancel()
    }
    return try outcome.get()
  }
}

/// The threads that run, and who waits for their end.
private final class ThreadCount: Sendable {
  private struct State {
    var running = 0
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func start(name: String, _ body: @escaping @Sendable () -> Void) throws(StoreError) {
    state.withLock { $0.running += 1 }
    do throws(StoreError) {
      try DatabaseThread.start(name: name) { [self] in
        body()
        ended()
      }
    } catch {
      ended()
      throw error
    }
  }

  nonisolated(nonsending) func allEnded() async {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if state.running > 0 { state.waiters.append(continuation) }
        return state.running == 0
      }
      if isOver { continuation.resume() }
    }
  }

  private func ended() {
    let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      state.running -= 1
      guard state.running == 0 else { return [] }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }
}
