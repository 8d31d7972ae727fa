// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import NIOTransport

/// Work that notes in which worker it ran, and waits where it is told to.
private final class Work: LoopWork {
  struct Notes {
    var worker: ObjectIdentifier?
    var wasOnLoop = false
    var wasCancelled = false
    var gate: CheckedContinuation<Void, Never>?
    var isDone = false
  }

  let notes = Mutex(Notes())
  private let loop: any EventLoop
  private let waits: Bool
  /// Keeps the worker, so that no other one can have its address.
  nonisolated(unsafe) var worker: LoopWorker?

  init(_ loop: any EventLoop, waits: Bool = false) {
    self.loop = loop
    self.waits = waits
  }

  func run(in worker: LoopWorker) async {
    self.worker = worker
    notes.withLock {
      $0.worker = ObjectIdentifier(worker)
      $0.wasOnLoop = loop.inEventLoop
      $0.wasCancelled = Task.isCancelled
    }
    if waits { await withCheckedContinuation { gate in notes.withLock { $0.gate = gate } } }
    notes.withLock { $0.isDone = true }
  }

  func open() {
    let gate = notes.withLock { notes in
      defer { notes.gate = nil }
      return notes.gate
    }
    gate?.resume()
  }

  var isWaiting: Bool { notes.withLock { $0.gate != nil } }
  var isDone: Bool { notes.withLock { $0.isDone } }
  var ranIn: ObjectIdentifier? { notes.withLock { $0.worker } }
}

@Suite(.endsIfItHangs) struct LoopWorkerTests {
  private func withLoop(_ body: (LoopExecutor) async throws -> Void) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let executor = LoopExecutor(group.next())
    try await body(executor)
    try await executor.loop.submit { executor.dismissWorkers() }.get()
    try await group.shutdownGracefully()
  }

  /// Hands work over in one tick of the loop.
  private func run(_ work: [Work], on executor: LoopExecutor) async throws {
    try await executor.loop.submit { for one in work { executor.run(one) } }.get()
  }

  private func until(_ condition: () -> Bool) async {
    while !condition() { await Task.yield() }
  }

  @Test("work that waits for nothing is run by one worker, on the loop")
  func together() async throws {
    try await withLoop { executor in
      let work = (0..<50).map { _ in Work(executor.loop) }
      try await run(work, on: executor)
      await until { work.allSatisfy(\.isDone) }
      #expect(Set(work.map(\.ranIn)).count == 1)
      #expect(work.allSatisfy { $0.notes.withLock { $0.wasOnLoop && !$0.wasCancelled } })
      // The worker is idle meanwhile, and used again.
      let later = Work(executor.loop)
      try await run([later], on: executor)
      await until { later.isDone }
      #expect(later.ranIn == work[0].ranIn)
    }
  }

  @Test("work that waits holds nobody up")
  func apart() async throws {
    try await withLoop { executor in
      let slow = (0..<200).map { _ in Work(executor.loop, waits: true) }
      let quick = Work(executor.loop)
      try await run(slow + [quick], on: executor)
      await until { quick.isDone }
      await until { slow.allSatisfy(\.isWaiting) }
      #expect(Set(slow.map(\.ranIn)).count == 200)
      for work in slow { work.open() }
      await until { slow.allSatisfy(\.isDone) }
    }
  }

  @Test("a worker that was cancelled for one piece of work runs no other")
  func cancelled() async throws {
    try await withLoop { executor in
      let work = Work(executor.loop, waits: true)
      try await run([work], on: executor)
      await until { work.isWaiting }
      try await executor.loop.submit { work.worker?.cancel() }.get()
      work.open()
      await until { work.isDone }
      let next = Work(executor.loop)
      try await run([next], on: executor)
      await until { next.isDone }
      #expect(next.ranIn != work.ranIn)
      #expect(!next.notes.withLock { $0.wasCancelled })
    }
  }

  @Test("the end of a batch is told once to each who asks, and only within one is there a batch")
  func batchEnds() async throws {
    try await withLoop { executor in
      final class Key: Sendable {}
      let (first, second) = (Key(), Key())
      let told = Mutex<[Int]>([])
      #expect(try await executor.loop.submit { LoopExecutor.current == nil }.get())
      executor.runBatch {
        for _ in 0..<3 { executor.atBatchEnd(once: first) { told.withLock { $0.append(1) } } }
        executor.atBatchEnd(once: second) { told.withLock { $0.append(LoopExecutor.current === executor ? 2 : 0) } }
      }
      await until { told.withLock { $0.count } == 2 }
      try await executor.loop.submit {}.get()
      #expect(told.withLock { $0 } == [1, 2])
    }
  }
}
