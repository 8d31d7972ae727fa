// SPDX-License-Identifier: Apache-2.0

public import Schemas
public import ServiceKit

// Rules that a request breaks by itself: it is refused before anybody asks the database. Rules of users are the
// store's, which finds all that is wrong with one at once.

extension User_V1_GetUserRequest: ValidatedRequest {
  /// A user is named.
  public var violations: [RequestViolation] { userID.isEmpty ? [.userIDIsRequired] : [] }
}

extension User_V1_DeleteUserRequest: ValidatedRequest {
  /// A user is named.
  public var violations: [RequestViolation] { userID.isEmpty ? [.userIDIsRequired] : [] }
}

extension User_V1_WatchUsersRequest: ValidatedRequest {
  /// Sequences begin with 1, and 0 stands for none.
  public var violations: [RequestViolation] {
    afterSequence < 0 ? [RequestViolation("after_sequence", "after_sequence is not negative")] : []
  }
}

extension RequestViolation {
  fileprivate static let userIDIsRequired = RequestViolation("user_id", "user_id is required")
}
