// SPDX-License-Identifier: Apache-2.0

import Schemas
import ServiceKit
import SwiftProtobuf
import Testing

@testable import UserServer

@Suite struct RequestRulesTests {
  @Test("a request that names no user, or a sequence that cannot be, is refused by itself")
  func rules() {
    let missing = [RequestViolation("user_id", "user_id is required")]
    #expect(User_V1_GetUserRequest().violations == missing)
    #expect(User_V1_DeleteUserRequest().violations == missing)
    #expect(User_V1_GetUserRequest.with { $0.userID = "x" }.violations == [])
    #expect(User_V1_DeleteUserRequest.with { $0.userID = "x" }.violations == [])
    #expect(User_V1_WatchUsersRequest.with { $0.afterSequence = -1 }.violations.map(\.field) == ["after_sequence"])
    for sequence in [0, 1, Int64.max] {
      #expect(User_V1_WatchUsersRequest.with { $0.afterSequence = sequence }.violations == [])
    }
  }
}
