// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCMethods
import Schemas
import SwiftProtobuf
import Testing
import UserStore

@testable import UserServer

@Suite struct BulkCreationTests {
  static func pool() throws -> DatabasePool { try DatabasePool(.init(path: ":memory:")) }

  static func user(_ name: String) -> User_V1_User {
    .with {
      $0.name = name
      $0.email = name + "@example.com"
    }
  }

  @Test("users are created in order, and each bad one is told with its index and the status that it has alone")
  func mixture() async throws {
    var creation = BulkCreation(try Self.pool())
    for number in 0..<600 {
      // Every hundredth has no address, every hundred-and-first one that was used before.
      let name = number % 100 == 1 && number > 1 ? "user-0" : "user-\(number)"
      try await creation.add(number % 100 == 50 ? User_V1_User() : Self.user(name))
    }
    let answer = try await creation.finish()
    #expect(answer.successCount == 589)
    #expect(answer.users.map(\.name).prefix(3) == ["user-0", "user-1", "user-2"])
    #expect(answer.users.count == 589)
    #expect(answer.users.allSatisfy { !$0.id.isEmpty })
    #expect(answer.failureCount == 11)
    #expect(answer.errors.map(\.index) == [50, 101, 150, 201, 250, 301, 350, 401, 450, 501, 550])
    #expect(Set(answer.errors.map(\.status.code)) == [3, 6])
    let first = try #require(answer.errors.first?.status)
    #expect(first.message == "user.email is required; user.name is required")
    #expect(first.details.contains { $0.isA(Google_Rpc_BadRequest.self) })
  }

  @Test("nothing is created of an empty call")
  func empty() async throws {
    let answer = try await BulkCreation(try Self.pool()).finished()
    #expect(answer == User_V1_CreateUsersResponse())
  }

  @Test("the reasons of many failures are told for the first of them, and the others are counted")
  func manyFailures() async throws {
    var creation = BulkCreation(try Self.pool())
    for _ in 0..<1_000 { try await creation.add(User_V1_User()) }
    let answer = try await creation.finish()
    #expect(answer.failureCount == 1_000)
    #expect(answer.errors.map(\.index) == Array(0..<Int64(BulkCreation.maxErrors)))
    #expect(try (answer.serializedBytes() as [UInt8]).count < 1 << 20)
  }

  @Test("an answer that has no room for more says so of the users that were not created")
  func fullAnswer() async throws {
    let pool = try Self.pool()
    var creation = BulkCreation(pool)
    for number in 0..<4_000 {
      try await creation.add(
        .with { user in
          user.name = "user-\(number)"
          user.email = "user-\(number)@example.com"
          user.legacyField = String(repeating: "x", count: 1_000)
        })
    }
    let answer = try await creation.finish()
    #expect(answer.successCount > 2_000)
    #expect(answer.successCount + answer.failureCount == 4_000)
    #expect(Int64(answer.successCount) == (try await pool.read { (reader) throws(StoreError) in try reader.count() }))
    #expect(answer.errors.first?.index == Int64(answer.successCount))
    #expect(answer.errors.first?.status.code == Int32(StatusCode.resourceExhausted.rawValue))
    #expect(try (answer.serializedBytes() as [UInt8]).count < 4 << 20)
  }

  @Test("a database that takes nothing fails the call while nothing is created, and the rest of it afterwards")
  func lostDatabase() async throws {
    let pool = try Self.pool()
    var unlucky = BulkCreation(pool)
    var lucky = BulkCreation(pool)
    for number in 0..<BulkCreation.maxBatchCount { try await lucky.add(Self.user("user-\(number)")) }
    await pool.shutdown()
    try await unlucky.add(Self.user("early"))
    await #expect(throws: StoreError.unavailable(reason: "the database is closing")) { _ = try await unlucky.finish() }
    for number in 0..<2 * BulkCreation.maxBatchCount { try await lucky.add(Self.user("late-\(number)")) }
    let answer = try await lucky.finish()
    #expect(answer.successCount == Int32(BulkCreation.maxBatchCount))
    #expect(answer.failureCount == 2 * Int32(BulkCreation.maxBatchCount))
    #expect(Set(answer.errors.map(\.status.code)) == [Int32(StatusCode.unavailable.rawValue)])
  }
}

extension BulkCreation {
  /// The answer of a call without a request.
  func finished() async throws -> User_V1_CreateUsersResponse {
    var creation = self
    return try await creation.finish()
  }
}
