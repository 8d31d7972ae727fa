// SPDX-License-Identifier: Apache-2.0

import Schemas
import SwiftProtobuf
import Testing

@testable import UserStore

@Suite struct UpdateMaskTests {
  let store: UserWriter
  let old: User_V1_User

  init() throws {
    store = try memoryStore()
    old = try store.create(
      user("ada") {
        $0.role = .admin
        $0.roles = ["editor"]
        $0.phoneNumber = "112"
        $0.emailVerified = true
      })
  }

  private func patch(_ change: (inout User_V1_User) -> Void) -> User_V1_User {
    var patch = User_V1_User()
    patch.id = old.id
    change(&patch)
    return patch
  }

  @Test("without a mask, the fields that have a value change")
  func populated() throws {
    let new = try store.update(patch { $0.name = "Ada" }, mask: [])
    var expected = old
    expected.name = "Ada"
    #expect(new == expected)
    #expect(try store.reader.user(old.id) == expected)
  }

  @Test("a mask names what changes, to nothing too")
  func named() throws {
    let new = try store.update(
      patch { $0.name = "ignored" }, mask: ["phone_number", "email_verified", "roles", "role"])
    var expected = old
    expected.phoneNumber = ""
    expected.emailVerified = false
    expected.roles = []
    expected.role = .unspecified
    #expect(new == expected)
  }

  @Test("a star replaces the user, and what it lacks must be right")
  func everything() throws {
    #expect(
      violations { () throws(StoreError) in _ = try store.update(patch { $0.name = "Ada" }, mask: ["*"]) }
        == [FieldViolation("user.email", "is required")])
    let new = try store.update(
      patch {
        $0.name = "Ada"
        $0.email = "ada@example.org"
      }, mask: ["*"])
    #expect(new.roles == [])
    #expect(new.id == old.id)
    #expect(new.createdAt == old.createdAt)
  }

  @Test("what the server alone sets is ignored, in the mask and in the user")
  func outputOnly() throws {
    let new = try store.update(
      patch {
        $0.createdAt.seconds = 1
        $0.name = "Ada"
      }, mask: ["id", "created_at", "name"])
    #expect(new.createdAt == old.createdAt)
    #expect(new.name == "Ada")
  }

  @Test("unknown paths and wrong values are all told")
  func unknownPaths() throws {
    let found = violations { () throws(StoreError) in
      _ = try store.update(User_V1_User(), mask: ["name", "nme", "old_field_name", "name.first"])
    }
    #expect(found.map(\.field) == ["user.id", "update_mask", "update_mask", "update_mask"])
    #expect(
      violations { () throws(StoreError) in
        _ = try store.update(patch { $0.email = "x" }, mask: ["email", "name"])
      }.map(\.field) == ["user.email", "user.name"])
    #expect(
      violations { () throws(StoreError) in
        _ = try store.update(patch { _ in }, mask: Array(repeating: "nme", count: 100_000))
      } == [FieldViolation("update_mask", "has at most 64 paths")])
    #expect(try store.reader.user(old.id) == old)
  }

  @Test("an update that changes nothing tells nobody")
  func noChange() throws {
    let last = try store.reader.lastSequence()
    #expect(try store.update(patch { $0.name = "ada" }, mask: []) == old)
    #expect(try store.update(patch { _ in }, mask: []) == old)
    #expect(try store.reader.lastSequence() == last)
  }
}
