// SPDX-License-Identifier: Apache-2.0

import Logging
import Schemas
import Testing
import UserStore

@testable import UserServer

@Suite struct OutboxTailTests {
  let pool: DatabasePool
  let feed = EventFeed()
  let bell = Doorbell()
  let tail: OutboxTail
  let pruner: OutboxPruner

  init() throws {
    pool = try DatabasePool(.init(path: ":memory:"))
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    tail = OutboxTail(pool: pool, feed: feed, bell: bell, logger: logger)
    pruner = OutboxPruner(pool: pool, retention: .zero, logger: logger)
  }

  func create(_ count: Int, _ prefix: String = "user") async throws {
    let users = (0..<count).map { BulkCreationTests.user("\(prefix)-\($0)") }
    _ = try await pool.write { (writer) throws(StoreError) in try writer.create(users) }
  }

  @Test("without listeners it goes along with the outbox, and publishes nothing")
  func alone() async throws {
    try await create(3)
    #expect(await tail.follow() == nil)
    #expect(feed.head == 3)
    #expect(try await feed.news(of: .users, after: 2) == .behind)
  }

  @Test("with a listener it publishes all there is, however much")
  func listening() async throws {
    #expect(await tail.follow() == nil)
    try await feed.listening {
      try await create(UserReader.maxBatchSize + 5)
      #expect(await tail.follow() == nil)
      #expect(feed.head == Int64(UserReader.maxBatchSize + 5))
    }
  }

  @Test("where events were pruned before it saw them, listeners are sent to the database, which says so")
  func pruned() async throws {
    #expect(await tail.follow() == nil)
    try await feed.listening {
      let waiting = await EventFeedTests.listener(feed, .users, after: 0)
      try await create(5)
      while try await pruner.prune() > 0 {}
      #expect(await tail.follow() == nil)
      #expect(feed.head == 5)
      #expect(try await waiting.value == .behind)
      let listener = Listener(topic: .users, pool: pool, feed: feed)
      await #expect(throws: StoreError.eventsPruned(oldestSequence: 6)) { _ = try await listener.next(after: 0) }
    }
  }

  @Test("a database that cannot be read is told, and followed again later")
  func closed() async throws {
    await pool.shutdown()
    #expect(await tail.follow() == .unavailable(reason: "the database is closing"))
  }

  @Test("it looks when it is woken, and ends when it is cancelled")
  func running() async throws {
    let running = Task { await tail.run() }
    while feed.head == nil { await Task.yield() }
    try await feed.listening {
      try await create(1)
      bell.ring()
      let news = try await Listener(topic: .users, pool: pool, feed: feed).next(after: 0)
      #expect(news.entries.map(\.sequence) == [1])
    }
    running.cancel()
    await running.value
  }
}
