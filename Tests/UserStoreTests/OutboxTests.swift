// SPDX-License-Identifier: Apache-2.0

import SQLite
import Schemas
import SwiftProtobuf
import Testing

@testable import UserStore

@Suite struct OutboxTests {
  @Test("every change is told once, in order, with the user as it is then")
  func changes() throws {
    let store = try memoryStore()
    let made = try store.create(user("ada"))
    let changed = try store.update(user("Ada") { ($0.id, $0.email) = (made.id, "") }, mask: [])
    try store.delete(made.id)
    let events = try store.reader.events(after: 0).map { entry -> User_V1_UserEvent in
      guard case .user(let event) = entry.content else { return User_V1_UserEvent() }
      #expect(event.sequence == entry.sequence)
      return event
    }
    #expect(events.map(\.type) == [.created, .updated, .deleted])
    #expect(events.map(\.user) == [made, changed, changed])
    #expect(events.map(\.sequence) == [1, 2, 3])
    #expect(events.map(\.time.seconds) == [1_800_000_000, 1_800_000_000, 1_800_000_000])
    #expect(try store.reader.events(after: 1, limit: 1).map(\.sequence) == [2])
    #expect(try store.reader.events(after: 3) == [])
    #expect(try store.reader.events(after: -5).count == 3)
    #expect(try store.reader.lastSequence() == 3)
  }

  @Test("what is said is told to all, with the time of the server")
  func chat() throws {
    let store = try memoryStore()
    let message = User_V1_ChatMessage.with {
      $0.room = "lobby"
      $0.sender = "ada"
      $0.text = "hello\nall"
    }
    let entry = try store.say(message)
    guard case .chat(let said) = entry.content else {
      Issue.record("no message")
      return
    }
    #expect(said.text == message.text)
    #expect(said.sentAt.seconds == 1_800_000_000)
    #expect(try store.reader.events(after: 0) == [entry])
    #expect(
      violations { () throws(StoreError) in
        _ = try store.say(
          User_V1_ChatMessage.with {
            $0.sender = "a\u{1B}"
            $0.text = String(repeating: "x", count: 4_097)
          })
      }.map(\.field) == ["room", "text", "sender"])
  }

  @Test("old events go from the front, and a watcher who missed some is told so")
  func pruning() throws {
    let store = try memoryStore()
    for index in 0..<10 { _ = try store.create(user("u\(index)")) }
    // Nothing is older than a day, and the last four stay.
    #expect(try store.pruneEvents(olderThan: 86_400_000_000, keeping: 4, limit: 3) == 3)
    #expect(try store.pruneEvents(olderThan: 86_400_000_000, keeping: 4) == 3)
    #expect(try store.pruneEvents(olderThan: 86_400_000_000, keeping: 4) == 0)
    #expect(try store.reader.events(after: 6).map(\.sequence) == [7, 8, 9, 10])
    #expect(throws: StoreError.eventsPruned(oldestSequence: 7)) { try store.reader.events(after: 5) }
    // Everything is older than no time at all, and numbers go on where they were.
    #expect(try store.pruneEvents(olderThan: 0, keeping: 100) == 4)
    #expect(try store.reader.events(after: 10) == [])
    #expect(throws: StoreError.eventsPruned(oldestSequence: 11)) { try store.reader.events(after: 0) }
    _ = try store.create(user("late"))
    #expect(try store.reader.events(after: 10).map(\.sequence) == [11])
  }

  @Test("entries that a later program wrote do not stop who reads on")
  func unknownTopic() throws {
    let store = try memoryStore()
    try store.database.execute("INSERT INTO outbox (time, topic, payload) VALUES (1, 99, x'00')")
    try store.database.execute("INSERT INTO outbox (time, topic, payload) VALUES (1, 1, x'FFFF')")
    #expect(
      try store.reader.events(after: 0) == [
        OutboxEntry(sequence: 1, content: .unknown), OutboxEntry(sequence: 2, content: .unknown),
      ])
  }
}
