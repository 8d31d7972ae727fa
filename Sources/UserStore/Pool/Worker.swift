// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// What a database thread does with the jobs that it takes.
protocol Worker {
  associatedtype Session
  /// Runs the jobs: afterwards each has a result or an error.
  func run(_ jobs: [Job<Session>])
}

extension Worker {
  /// Serves a queue until it is closed and empty.
  func serve(_ queue: JobQueue<Session>) {
    var isDone = false
    while true {
      let batch = queue.take(isDone: isDone)
      isDone = true
      guard !batch.isEmpty else { return }
      var wanted: [Job<Session>] = []
      wanted.reserveCapacity(batch.count)
      for job in batch {
        if job.isCancelled { job.fail(.cancelled) } else { wanted.append(job) }
      }
      if !wanted.isEmpty { run(wanted) }
      finish(batch)
    }
  }

  /// Gives the callers what they wait for: in one batch for each of their threads.
  private func finish(_ jobs: [Job<Session>]) {
    for group in Dictionary(grouping: jobs, by: { $0.caller.map(ObjectIdentifier.init) }).values {
      if let caller = group[0].caller {
        caller.runBatch { for job in group { job.finish() } }
      } else {
        for job in group { job.finish() }
      }
    }
  }
}

/// A thread of the system, on which blocking is all right.
enum DatabaseThread {
  /// Starts a thread that runs the body and ends. The name shows in `ps` and `top`, its first 15 bytes.
  static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(StoreError) {
    let start = Start(name: name, body: body)
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        pthread_setname_np(pthread_self(), start.name)
        start.body()
        return nil
      }, Unmanaged.passRetained(start).toOpaque())
    guard result == 0 else {
      Unmanaged.passUnretained(start).release()
      throw .unavailable(reason: "no thread can be started (\(result))")
    }
    pthread_detach(thread)
  }

  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void
    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
      self.body = body
    }
  }
}

/// A worker on its way from the thread that opened its connection to the one that uses and closes it.
final class Handover<Value>: @unchecked Sendable {
  // The thread that made it lets go of it before the other one starts, and takes nothing out.
  private var value: Value?

  init(_ value: Value) { self.value = value }

  /// The worker, for the one who asks first.
  func take() -> Value? {
    defer { value = nil }
    return value
  }
}
