// SPDX-License-Identifier: Apache-2.0

import Schemas
import SwiftProtobuf
import TestSupport
import Testing

@testable import UserServer
@testable import UserStore

@Suite struct EventFeedTests {
  static func change(_ sequence: Int64) -> OutboxEntry {
    OutboxEntry(sequence: sequence, content: .user(.with { $0.sequence = sequence }))
  }

  static func said(_ sequence: Int64, in room: String) -> OutboxEntry {
    OutboxEntry(sequence: sequence, content: .chat(.with { $0.room = room }))
  }

  /// A feed that begins behind sequence 10.
  static func feed(capacity: Int = 100) -> EventFeed {
    let feed = EventFeed(capacity: capacity)
    feed.skip(to: 10)
    return feed
  }

  /// Listens in a task of its own, and returns once that waits.
  static func listener(
    _ feed: EventFeed, _ topic: EventFeed.Topic, after position: Int64
  ) async -> Task<EventFeed.News, any Error> {
    let before = feed.waiterCount
    let task = Task { try await feed.news(of: topic, after: position) }
    while feed.waiterCount == before { await Task.yield() }
    return task
  }

  @Test("what was published behind a position comes at once, and says how far it goes")
  func ready() async throws {
    let feed = Self.feed()
    feed.publish([Self.change(11), Self.said(12, in: "a"), Self.change(14)])
    #expect(
      try await feed.news(of: .users, after: 10) == .entries([Self.change(11), Self.change(14)], through: 14))
    #expect(try await feed.news(of: .users, after: 11) == .entries([Self.change(14)], through: 14))
    #expect(try await feed.news(of: .room("a"), after: 10) == .entries([Self.said(12, in: "a")], through: 14))
  }

  @Test("who listens to one topic is not woken by another")
  func topics() async throws {
    let feed = Self.feed()
    let users = await Self.listener(feed, .users, after: 10)
    let room = await Self.listener(feed, .room("a"), after: 10)
    feed.publish([Self.said(11, in: "b"), Self.change(12)])
    #expect(try await users.value == .entries([Self.change(12)], through: 12))
    #expect(feed.waiterCount == 1)
    feed.publish([Self.said(13, in: "a")])
    #expect(try await room.value == .entries([Self.said(13, in: "a")], through: 13))
  }

  @Test("a listener hears nothing twice that it read in the database before it was published")
  func ahead() async throws {
    let feed = Self.feed()
    let listener = await Self.listener(feed, .users, after: 12)
    feed.publish([Self.change(11), Self.change(12)])
    #expect(feed.waiterCount == 1)
    feed.publish([Self.change(13)])
    #expect(try await listener.value == .entries([Self.change(13)], through: 13))
  }

  @Test("one that falls behind what is kept is told so, and memory stays within twice the capacity")
  func behind() async throws {
    let feed = Self.feed(capacity: 10)
    for sequence in 11...40 { feed.publish([Self.change(Int64(sequence))]) }
    #expect(try await feed.news(of: .users, after: 10) == .behind)
    guard case .entries(let entries, through: 40) = try await feed.news(of: .users, after: 25) else {
      Issue.record("the last entries are not kept")
      return
    }
    #expect(entries.map(\.sequence) == Array(26...40))
  }

  @Test("a skip sends those to the database that miss what was skipped, and nobody else")
  func skip() async throws {
    let feed = Self.feed()
    let late = await Self.listener(feed, .users, after: 15)
    let early = await Self.listener(feed, .users, after: 20)
    feed.skip(to: 20)
    #expect(try await late.value == .behind)
    #expect(feed.waiterCount == 1)
    feed.publish([Self.change(21)])
    #expect(try await early.value == .entries([Self.change(21)], through: 21))
  }

  @Test("before anybody has looked into the outbox, listeners wait")
  func beginning() async throws {
    let feed = EventFeed()
    #expect(feed.head == nil)
    let late = await Self.listener(feed, .users, after: 3)
    let current = await Self.listener(feed, .users, after: 7)
    feed.skip(to: 7)
    #expect(try await late.value == .behind)
    #expect(feed.waiterCount == 1)
    feed.publish([Self.change(8)])
    #expect(try await current.value == .entries([Self.change(8)], through: 8))
  }

  @Test("a listener that is cancelled leaves nothing behind, whenever that happens")
  func cancellation() async throws {
    let feed = Self.feed()
    let waiting = await Self.listener(feed, .users, after: 10)
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    for _ in 0..<1_000 {
      let racing = Task { try await feed.news(of: .users, after: 10) }
      racing.cancel()
      await #expect(throws: CancellationError.self) { try await racing.value }
    }
    #expect(feed.waiterCount == 0)
  }

  @Test("every listener hears every entry of its topic once and in order, at whatever pace", arguments: 0..<20)
  func property(seed: UInt64) async throws {
    var random = SeededGenerator(seed)
    let entries = (11...400).map { (sequence: Int64) in
      switch Int.random(in: 0...3, using: &random) {
      case 0: Self.said(sequence, in: "a")
      case 1: Self.said(sequence, in: "b")
      default: Self.change(sequence)
      }
    }
    let feed = Self.feed(capacity: 16)
    let topics: [EventFeed.Topic] = [.users, .room("a"), .room("b"), .room("silent")]
    let listeners = (0..<12).map { number in
      let topic = topics[number % topics.count]
      let start = Int64.random(in: 10...200, using: &random)
      let pause = Int.random(in: 0...5, using: &random)
      return Task {
        var heard: [OutboxEntry] = []
        var position = start
        let wanted = entries.filter { $0.sequence > start && EventFeed.Topic($0) == topic }
        while heard.count < wanted.count {
          switch try await feed.news(of: topic, after: position) {
          case .entries(let news, let through):
            heard += news
            position = through
          case .behind:
            // The outbox itself, a few at a time.
            let batch = entries.filter { $0.sequence > position }.prefix(7)
            heard += batch.filter { EventFeed.Topic($0) == topic }
            position = batch.last?.sequence ?? position
          }
          for _ in 0..<pause { await Task.yield() }
        }
        return heard == wanted
      }
    }
    var rest = entries[...]
    while !rest.isEmpty {
      let count = Int.random(in: 1...9, using: &random)
      feed.publish(Array(rest.prefix(count)))
      rest = rest.dropFirst(count)
      await Task.yield()
    }
    for listener in listeners { #expect(try await listener.value) }
  }
}
