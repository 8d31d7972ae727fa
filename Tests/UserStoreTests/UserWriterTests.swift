// SPDX-License-Identifier: Apache-2.0

import Foundation
import SQLite
import Schemas
import SwiftProtobuf
import TestSupport
import Testing

@testable import UserStore

@Suite struct UserWriterTests {
  @Test("a user comes back as it was created, with an id and a time of the server's")
  func create() throws {
    let store = try memoryStore()
    let given = user("ada") {
      $0.id = "mine"
      $0.createdAt.seconds = 5
      $0.role = .admin
      $0.roles = ["editor", "auditor"]
      $0.phoneNumber = "+44 20 7946 0000"
      $0.emailVerified = true
      $0.legacyField = "old"
    }
    let made = try store.create(given)
    #expect(UserID(made.id) != nil)
    #expect(made.createdAt.seconds == 1_800_000_000)
    #expect(made.createdAt.nanos == 1_000_000)
    #expect(try store.reader.user(made.id) == made)
    var same = made
    same.id = given.id
    same.createdAt = given.createdAt
    #expect(same == given)
  }

  @Test("unknown and empty ids are told apart")
  func missing() throws {
    let store = try memoryStore()
    #expect(throws: StoreError.notFound(userID: "nobody")) { try store.reader.user("nobody") }
    #expect(throws: StoreError.notFound(userID: "nobody")) { try store.delete("nobody") }
    #expect(throws: StoreError.notFound(userID: "nobody")) {
      try store.update(user("x") { $0.id = "nobody" }, mask: [])
    }
    #expect(throws: StoreError.invalidArgument([FieldViolation("user_id", "is required")])) {
      try store.reader.user("")
    }
    #expect(throws: StoreError.invalidArgument([FieldViolation("user_id", "is required")])) { try store.delete("") }
  }

  @Test("an address exists once, in whatever case")
  func uniqueEmail() throws {
    let store = try memoryStore()
    let first = try store.create(user("ada"))
    let second = try store.create(user("bob"))
    #expect(throws: StoreError.alreadyExists(email: "ADA@Example.COM")) {
      try store.create(user("x") { $0.email = "ADA@Example.COM" })
    }
    #expect(throws: StoreError.alreadyExists(email: "Ada@example.com")) {
      try store.update(user("bob") { ($0.id, $0.email) = (second.id, "Ada@example.com") }, mask: ["email"])
    }
    // One's own address in another case is no duplicate.
    let renamed = try store.update(user("ada") { ($0.id, $0.email) = (first.id, "ADA@example.com") }, mask: ["email"])
    #expect(renamed.email == "ADA@example.com")
    #expect(try store.reader.count() == 2)
  }

  @Test("the counter follows creations and removals, failed ones left out")
  func counter() throws {
    let store = try memoryStore()
    let ids = try (0..<5).map { try store.create(user("u\($0)")).id }
    _ = try? store.create(user("u0"))
    try store.delete(ids[2])
    _ = try? store.delete(ids[2])
    #expect(try store.reader.count() == 4)
    #expect(try store.reader.page(pageRequest()).totalSize == 4)
  }

  @Test("a bulk creation fails row by row")
  func bulk() throws {
    let store = try memoryStore()
    _ = try store.create(user("taken"))
    let results = try store.create([
      user("a"), user("taken"), user("b"), user("A"), user("") { $0.email = "x" }, user("c"),
    ])
    #expect(
      results.map { result -> String in
        switch result {
        case .success(let user): user.name
        case .failure(.alreadyExists(let email)): "exists " + email
        case .failure(.invalidArgument(let violations)): "invalid \(violations.count)"
        case .failure: "other"
        }
      } == ["a", "exists taken@example.com", "b", "exists A@example.com", "invalid 2", "c"])
    #expect(try store.reader.users(after: "").map(\.name) == ["taken", "a", "b", "c"])
    #expect(try store.reader.events(after: 0).count == 4)
  }

  @Test("what a transaction did before it failed is undone, the event of it too")
  func atomicity() throws {
    let store = try memoryStore()
    #expect(throws: StoreError.cancelled) {
      try store.atomically { () throws(StoreError) in
        _ = try store.create(user("a"))
        throw StoreError.cancelled
      }
    }
    #expect(try store.reader.count() == 0)
    #expect(try store.reader.events(after: 0) == [])
    #expect(try store.reader.lastSequence() == 0)
  }

  @Test("text from clients is data, whatever it looks like")
  func injection() throws {
    let store = try memoryStore()
    let hostile = [
      "'; DROP TABLE users; --", "\" OR 1=1 --", "%_\\", "?1", "\u{2028}", "Robert'); DELETE FROM users;--",
    ]
    for (index, text) in hostile.enumerated() {
      let made = try? store.create(user("u\(index)") { ($0.name, $0.legacyField) = (text, text) })
      #expect(made == nil || made?.legacyField == text)
      #expect(throws: StoreError.notFound(userID: text)) { try store.reader.user(text) }
      #expect(
        try store.reader.users(after: "", filter: UserFilter("name = " + quoted(text))).count == (made == nil ? 0 : 1))
      #expect(try store.reader.users(after: text).count <= hostile.count)
    }
    #expect(try store.reader.count() == 5)
  }

  @Test("a file of a later program is refused")
  func laterSchema() throws {
    let scratch = try Scratch()
    _ = try UserWriter(path: scratch.database)
    try Database(path: scratch.database).execute("PRAGMA user_version = 99")
    let error = #expect(throws: StoreError.self) { try UserWriter(path: scratch.database) }
    guard case .internalFailure(let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains("version 99"))
  }
}

/// A text as a filter has it.
func quoted(_ text: String) -> String {
  "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
}
