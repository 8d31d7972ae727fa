// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
internal import GRPCServer
internal import Schemas
internal import ServiceMethods
internal import SwiftProtobuf
internal import UserStore

/// One call of CreateUsers: users are collected, created a batch at a time, and told of in the answer once they are on
/// the disk.
///
/// ```
/// request ─► waits ─► batch is full ─► one transaction ─► created, or an error with the request's index
///    └──────► refused: the answer has no room, or the database stopped taking users
/// ```
///
/// A call that ends early has created what its full batches held, and nothing of the last one.
struct BulkCreation {
  /// Users of a batch, and bytes of theirs: what a call holds in memory, and how long others wait to write.
  static let maxBatchCount = 256
  static let maxBatchSize = 1 << 20
  /// Errors that are told with their reason; further ones are counted.
  static let maxErrors = 100
  /// Bytes of users in an answer; with its errors it stays below the 4 MiB that clients take.
  static let maxAnswerSize = 3 << 20

  private let pool: DatabasePool
  private var waiting: [(index: Int64, user: User_V1_User)] = []
  private var waitingSize = 0
  private var nextIndex: Int64 = 0
  private var answerSize = 0
  private var answer = User_V1_CreateUsersResponse()
  /// Why no further user is created.
  private var refusal: RPCError?

  init(_ pool: DatabasePool) { self.pool = pool }

  /// What answers the method.
  static func handler(_ pool: DatabasePool) -> MethodHandler {
    handle(UserService.createUsers) { requests, _ in
      var creation = BulkCreation(pool)
      for try await request in requests { try await creation.add(request.user) }
      return try await creation.finish()
    }
  }

  /// Takes the user of the next request.
  mutating func add(_ user: User_V1_User) async throws {
    let index = nextIndex
    nextIndex += 1
    if refusal == nil, answerSize + user.answerSize > Self.maxAnswerSize {
      try await flush()
      refusal = refusal ?? UserErrors.answerIsFull
    }
    if let refusal { return fail(index, refusal) }
    waiting.append((index, user))
    waitingSize += user.answerSize + user.unknownFields.data.count
    answerSize += user.answerSize
    if waiting.count >= Self.maxBatchCount || waitingSize >= Self.maxBatchSize { try await flush() }
  }

  /// The answer, when the client has sent all.
  mutating func finish() async throws -> User_V1_CreateUsersResponse {
    try await flush()
    return answer
  }

  /// Creates what waits.
  ///
  /// - Throws: the database's failure where nothing was created before it: the call as a whole may be tried again then.
  private mutating func flush() async throws {
    let batch = waiting
    guard !batch.isEmpty else { return }
    waiting = []
    waitingSize = 0
    do throws(StoreError) {
      let users = batch.map(\.user)
      let results = try await pool.write { (writer) throws(StoreError) in try writer.create(users) }
      for ((index, user), result) in zip(batch, results) {
        switch result {
        case .success(let created):
          answer.users.append(created)
          answer.successCount = answer.successCount.clampedSuccessor
        case .failure(let error):
          answerSize -= user.answerSize
          fail(index, UserErrors.status(of: error))
        }
      }
    } catch {
      if error == .cancelled || answer.users.isEmpty { throw error }
      let failure = UserErrors.status(of: error)
      for (index, _) in batch { fail(index, failure) }
      refusal = failure
    }
  }

  private mutating func fail(_ index: Int64, _ error: RPCError) {
    answer.failureCount = answer.failureCount.clampedSuccessor
    guard answer.errors.count < Self.maxErrors else { return }
    answer.errors.append(
      .with {
        $0.index = index
        $0.status = .with {
          $0.code = Int32(truncatingIfNeeded: error.status.code.rawValue)
          $0.message = error.status.message
          $0.details = error.details
        }
      })
  }
}

extension Int32 {
  /// One more, or as many as can be told.
  fileprivate var clampedSuccessor: Int32 { self < .max ? self + 1 : self }
}

extension User_V1_User {
  /// Bytes that the user takes in an answer, at most.
  fileprivate var answerSize: Int {
    // An identifier, a time, a role and a switch, and each field's number and length.
    let texts = [email, name, phoneNumber, legacyField] + roles
    return 96 + texts.reduce(0) { $0 + $1.utf8.count + 6 }
  }
}
