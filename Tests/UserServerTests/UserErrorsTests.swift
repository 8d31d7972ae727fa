// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCMethods
import Schemas
import SwiftProtobuf
import Testing
import UserStore

@testable import UserServer

@Suite struct UserErrorsTests {
  static let all: [(StoreError, StatusCode, String)] = [
    (.invalidArgument([FieldViolation("user_id", "is required")]), .invalidArgument, "INVALID_REQUEST"),
    (.notFound(userID: "x"), .notFound, "USER_NOT_FOUND"),
    (.alreadyExists(email: "a@b.c"), .alreadyExists, "EMAIL_TAKEN"),
    (.eventsPruned(oldestSequence: 7), .outOfRange, "EVENTS_PRUNED"),
    (.storageFull, .resourceExhausted, "STORAGE_FULL"),
    (.overloaded, .resourceExhausted, "OVERLOADED"),
    (.cancelled, .cancelled, "CANCELLED"),
    (.unavailable(reason: "secret"), .unavailable, "DATABASE_UNAVAILABLE"),
    (.internalFailure(reason: "secret"), .internal, "INTERNAL"),
  ]

  @Test("every failure has its status, and a reason that programs can rely on", arguments: all)
  func table(error: StoreError, code: StatusCode, reason: String) throws {
    let answer = UserErrors.status(of: error)
    #expect(answer.status.code == code)
    #expect(!answer.status.message.contains("secret"))
    let info = try #require(answer.detail(Google_Rpc_ErrorInfo.self))
    #expect(info.reason == reason)
    #expect(info.domain == "user-service")
  }

  @Test("what helps to do better travels along")
  func details() {
    let invalid = UserErrors.status(of: Self.all[0].0)
    #expect(invalid.status.message == "user_id is required")
    #expect(invalid.detail(Google_Rpc_BadRequest.self)?.fieldViolations.map(\.field) == ["user_id"])
    let missing = UserErrors.status(of: .notFound(userID: "x")).detail(Google_Rpc_ResourceInfo.self)
    #expect(missing?.resourceName == "x")
    #expect(missing?.resourceType == "user.v1.User")
    let pruned = UserErrors.status(of: .eventsPruned(oldestSequence: 7)).detail(Google_Rpc_ErrorInfo.self)
    #expect(pruned?.metadata == ["oldest_sequence": "7"])
    for error in [StoreError.overloaded, .unavailable(reason: "")] {
      #expect(UserErrors.status(of: error).detail(Google_Rpc_RetryInfo.self)?.retryDelay.seconds == 1)
    }
    let future = UserErrors.noSuchEvent(9, last: 8).detail(Google_Rpc_ErrorInfo.self)
    #expect(future?.metadata == ["last_sequence": "8"])
  }

  @Test("a long name does not cost an answer its details")
  func longNames() {
    let answer = UserErrors.status(of: .notFound(userID: String(repeating: "x", count: 1 << 20)))
    #expect(answer.detail(Google_Rpc_ErrorInfo.self)?.reason == "USER_NOT_FOUND")
    #expect(answer.detail(Google_Rpc_ResourceInfo.self)?.resourceName.utf8.count ?? .max <= 256)
  }

  @Test("what is not the store's, and what is for logs, is not described")
  func foreign() {
    #expect(UserErrors.describe(CancellationError()) == nil)
    #expect(UserErrors.describe(StoreError.internalFailure(reason: "")) == nil)
    #expect(UserErrors.describe(StoreError.storageFull)?.status.code == .resourceExhausted)
  }
}

extension RPCError {
  fileprivate func detail<M: Message>(_: M.Type) -> M? {
    details.lazy.compactMap { try? M(unpackingAny: $0) }.first
  }
}
