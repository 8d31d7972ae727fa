// SPDX-License-Identifier: Apache-2.0

// NIOTransport: HTTP/2 connections on SwiftNIO. SwiftNIO moves the bytes; TLS and HTTP/2 are the shared core's.

public import NIOCore
internal import NIOPosix
internal import Synchronization

/// Runs tasks on an event loop's thread, in one batch a tick.
///
/// ```
/// bytes arrive ─► events ─► tasks are started or resumed ─► their jobs queue here
///                                                               │ the connection has read all there is
///                                   one write a connection ◄─ flush ◄─ the batch runs
/// ```
///
/// Calls that come in are not jobs but work: ``LoopWorker`` runs one after another.
///
/// A task that prefers this executor starts, suspends and goes on without leaving the thread that its connection lives
/// on: no lock is taken and no thread woken, and all that a batch of calls answers leaves in one write.
///
/// What is not marked otherwise belongs to the loop's thread.
public final class LoopExecutor: TaskExecutor, @unchecked Sendable {
  /// The loop whose thread runs the jobs.
  public let loop: any EventLoop

  private var jobs: [UnownedJob] = []
  private var unflushed: [HTTP2Connection] = []
  private var work: [any LoopWork] = []
  private var nextWork = 0
  private var idleWorkers: [LoopWorker] = []
  private var keepsWorkers = false
  private var batchEnds: [(key: ObjectIdentifier, body: @Sendable () -> Void)] = []
  private var isReading = false
  private var isRunning = false
  private var isScheduled = false

  /// Jobs that other threads hand over.
  private let remoteJobs = Mutex<[UnownedJob]>([])

  /// How often a batch may make the next one before the loop has its turn: a task that only ever yields starves nobody.
  private static let maxRounds = 16
  /// Workers that stay for later when they have nothing to do.
  private static let maxIdleWorkers = 128

  /// An executor for the loop. One loop has one, so that its connections share their batches.
  public init(_ loop: any EventLoop) { self.loop = loop }

  /// Takes a job; from any thread.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    guard !loop.inEventLoop else {
      jobs.append(job)
      return schedule()
    }
    let isFirst = remoteJobs.withLock { remoteJobs in
      remoteJobs.append(job)
      return remoteJobs.count == 1
    }
    if isFirst { loop.execute { self.takeRemoteJobs() } }
  }

  // MARK: - Batches

  /// The executor whose batch the current thread runs; nil outside of any.
  public static var current: LoopExecutor? {
    guard let executor = ofThread.currentValue, executor.isRunning else { return nil }
    return executor
  }

  /// The executor that ran last on a thread.
  private static let ofThread = ThreadSpecificVariable<LoopExecutor>()

  /// Calls the body at the end of the batch that runs now; once, however often it is asked for with the same key. On
  /// the loop's thread.
  public func atBatchEnd(once key: AnyObject, _ body: @escaping @Sendable () -> Void) {
    let key = ObjectIdentifier(key)
    if batchEnds.contains(where: { $0.key == key }) { return }
    batchEnds.append((key, body))
    schedule()
  }

  /// Calls the body in a batch: the tasks that it resumes go on together. From any thread.
  public func runBatch(_ body: @escaping @Sendable () -> Void) {
    loop.execute {
      self.beginReading()
      body()
      self.endReading()
    }
  }

  // MARK: - Work

  /// Runs work in the next batch. On the loop's thread.
  public func run(_ newWork: any LoopWork) {
    work.append(newWork)
    keepsWorkers = true
    schedule()
  }

  /// Lets idle workers end, since nothing is expected to come. On the loop's thread.
  public func dismissWorkers() {
    keepsWorkers = false
    let workers = idleWorkers
    idleWorkers = []
    for worker in workers { worker.wake() }
  }

  func takeWork() -> (any LoopWork)? {
    guard nextWork < work.count else { return nil }
    let taken = work[nextWork]
    nextWork += 1
    if nextWork == work.count {
      work.removeAll(keepingCapacity: work.capacity <= 1_024)
      nextWork = 0
    }
    return taken
  }

  func keepsIdle() -> Bool { keepsWorkers && idleWorkers.count < Self.maxIdleWorkers }

  func becameIdle(_ worker: LoopWorker) { idleWorkers.append(worker) }

  /// Runs the work that waits. Each round ends when all of it is done or waits for something.
  private func runWork() {
    var rounds = work.count - nextWork
    while rounds > 0, nextWork < work.count {
      rounds -= 1
      if let worker = idleWorkers.popLast() { worker.wake() } else { _ = LoopWorker(self) }
      runJobs()
    }
  }

  // MARK: - The connections' side

  /// Holds the jobs back while a connection reads: ``endReading()`` runs them together.
  func beginReading() { isReading = true }

  /// Runs what queued up while a connection read, and writes what came of it.
  func endReading() {
    isReading = false
    run()
  }

  /// Flushes the connection at the end of the batch.
  func flushLater(_ connection: HTTP2Connection) {
    unflushed.append(connection)
    schedule()
  }

  // MARK: - The batch

  private func schedule() {
    guard !isReading, !isRunning, !isScheduled else { return }
    isScheduled = true
    loop.execute {
      self.isScheduled = false
      self.run()
    }
  }

  private func takeRemoteJobs() {
    remoteJobs.withLock { remoteJobs in
      jobs += remoteJobs
      remoteJobs.removeAll(keepingCapacity: remoteJobs.capacity <= 1_024)
    }
    run()
  }

  private func run() {
    guard !isRunning else { return }
    isRunning = true
    if Self.ofThread.currentValue !== self { Self.ofThread.currentValue = self }
    var rounds = 0
    while hasWork, rounds < Self.maxRounds {
      rounds += 1
      runJobs()
      runWork()
      endBatch()
      // Flushing tells of windows and ends, which resumes tasks: they belong to the next round.
      var connections: [HTTP2Connection] = []
      swap(&connections, &unflushed)
      for connection in connections { connection.flush() }
      if unflushed.isEmpty {
        connections.removeAll(keepingCapacity: true)
        swap(&connections, &unflushed)
      }
    }
    isRunning = false
    if hasWork { schedule() }
  }

  private var hasWork: Bool { !jobs.isEmpty || nextWork < work.count || !batchEnds.isEmpty || !unflushed.isEmpty }

  private func endBatch() {
    guard !batchEnds.isEmpty else { return }
    let ends = batchEnds
    batchEnds.removeAll(keepingCapacity: true)
    for end in ends { end.body() }
  }

  private func runJobs() {
    var batch: [UnownedJob] = []
    swap(&batch, &jobs)
    for job in batch { job.runSynchronously(on: asUnownedTaskExecutor()) }
    if jobs.isEmpty {
      batch.removeAll(keepingCapacity: batch.capacity <= 1_024)
      swap(&batch, &jobs)
    }
  }
}
