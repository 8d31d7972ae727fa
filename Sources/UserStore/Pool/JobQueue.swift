// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The jobs that wait for the workers of one kind: bounded, and emptied many at a time.
final class JobQueue<Session>: @unchecked Sendable {
  private let capacity: Int
  private let workers: Int
  private let maxBatch: Int

  // Everything below is under the lock. pthreads: the library has no condition variable.
  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private var waiting: [Job<Session>] = []
  private var isClosed = false
  private var busy = 0
  private var refused: UInt64 = 0

  /// Wakes workers. Kept, so that no job has to make it; and made at once, since many threads submit.
  private var wakeUp: @Sendable () -> Void = {}

  /// A queue of at most `capacity` jobs for so many workers, each of which takes at most `maxBatch` at once.
  init(capacity: Int, workers: Int, maxBatch: Int) {
    self.capacity = capacity
    self.workers = max(1, workers)
    self.maxBatch = max(1, maxBatch)
    // On the heap: a lock may not move.
    lock = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    lock.initialize(to: pthread_mutex_t())
    condition.initialize(to: pthread_cond_t())
    pthread_mutex_init(lock, nil)
    pthread_cond_init(condition, nil)
    wakeUp = { [unowned self] in wakeWorkers() }
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(lock)
    condition.deallocate()
    lock.deallocate()
  }

  /// Adds a job at the end, or says why not. A worker is woken at once, or together with all that the caller's batch
  /// submits.
  func submit(_ job: Job<Session>) throws(StoreError) {
    try append(job)
    guard let caller = job.caller else { return wakeWorkers() }
    caller.atBatchEnd(once: self, wakeUp)
  }

  private func append(_ job: Job<Session>) throws(StoreError) {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    guard !isClosed else { throw .unavailable(reason: "the database is closing") }
    guard waiting.count < capacity else {
      refused &+= 1
      throw .overloaded
    }
    waiting.append(job)
  }

  /// Wakes as many workers as have something to do.
  private func wakeWorkers() {
    pthread_mutex_lock(lock)
    for _ in 0..<min(waiting.count, workers) { pthread_cond_signal(condition) }
    pthread_mutex_unlock(lock)
  }

  /// Takes the jobs that wait, or this worker's share of them, and waits while there is none; empty when the queue is
  /// closed and has none left. `isDone` says that the worker has done what it took before.
  func take(isDone: Bool) -> [Job<Session>] {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    if isDone { busy -= 1 }
    while waiting.isEmpty, !isClosed { pthread_cond_wait(condition, lock) }
    let share = min(maxBatch, (waiting.count + workers - 1) / workers)
    let jobs = Array(waiting.prefix(share))
    waiting.removeFirst(share)
    if share > 0 { busy += 1 }
    return jobs
  }

  /// Refuses further jobs; those that wait are still taken.
  func close() {
    pthread_mutex_lock(lock)
    isClosed = true
    pthread_cond_broadcast(condition)
    pthread_mutex_unlock(lock)
  }

  /// How much there is to do now.
  var load: DatabasePool.Load {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return DatabasePool.Load(
      waiting: waiting.count, capacity: capacity, busyThreads: busy, threads: workers, refused: refused)
  }
}
