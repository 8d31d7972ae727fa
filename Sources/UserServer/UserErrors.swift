// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import GRPC
public import GRPCMethods
internal import Schemas
internal import ServiceKit
internal import SwiftProtobuf
internal import UserStore

/// What clients are told of failures: a status, an `ErrorInfo` with a reason that programs can rely on, and what helps
/// to do better.
///
/// | failure | status | reason | further details |
/// |---|---|---|---|
/// | wrong fields | INVALID_ARGUMENT | `INVALID_REQUEST` | `BadRequest` with each of them |
/// | unknown user | NOT_FOUND | `USER_NOT_FOUND` | `ResourceInfo` |
/// | address in use | ALREADY_EXISTS | `EMAIL_TAKEN` | `ResourceInfo` |
/// | events not kept | OUT_OF_RANGE | `EVENTS_PRUNED` | metadata `oldest_sequence` |
/// | event of the future | OUT_OF_RANGE | `NO_SUCH_EVENT` | metadata `last_sequence` |
/// | disk full | RESOURCE_EXHAUSTED | `STORAGE_FULL` | |
/// | answer full | RESOURCE_EXHAUSTED | `ANSWER_FULL` | |
/// | queue full | RESOURCE_EXHAUSTED | `OVERLOADED` | `RetryInfo` |
/// | caller gone | CANCELLED | `CANCELLED` | |
/// | database locked or gone | UNAVAILABLE | `DATABASE_UNAVAILABLE` | `RetryInfo` |
/// | anything else | INTERNAL | `INTERNAL` | |
public enum UserErrors {
  /// Whose reasons these are: `ErrorInfo.domain`.
  public static let domain = "user-service"

  /// The longest name of a resource that goes back to a client, in bytes.
  private static let maxNameLength = 256

  /// How long a client should wait before it tries again what failed for no reason of its own.
  private static let retryDelay = Google_Protobuf_Duration(seconds: 1)

  /// What a client is told of an error of the store's; nil for any other error, and for one whose text is for logs.
  public static func describe(_ error: any Error) -> RPCError? {
    guard let error = error as? StoreError else { return nil }
    if case .internalFailure = error { return nil }
    return status(of: error)
  }

  /// What a client is told of an error of the store's.
  static func status(of error: StoreError) -> RPCError {
    switch error {
    case .invalidArgument(let violations):
      .invalid(violations.map { RequestViolation($0.field, $0.field + " " + $0.description) }, domain: domain)
    case .notFound(let userID):
      failure(
        .notFound, "there is no user of this id", reason: "USER_NOT_FOUND", details: [resource(userID)])
    case .alreadyExists(let email):
      failure(
        .alreadyExists, "another user has this e-mail address", reason: "EMAIL_TAKEN", details: [resource(email)])
    case .eventsPruned(let oldest):
      failure(
        .outOfRange, "events before \(oldest) are not kept any more: read the users anew, and watch from now on",
        reason: "EVENTS_PRUNED", metadata: ["oldest_sequence": String(oldest)])
    case .storageFull:
      failure(.resourceExhausted, "the disk is full: users can be read, not changed", reason: "STORAGE_FULL")
    case .overloaded:
      failure(
        .resourceExhausted, "more work waits for the database than it takes", reason: "OVERLOADED", details: [retry])
    case .cancelled: failure(.cancelled, "the call was cancelled", reason: "CANCELLED")
    case .unavailable:
      failure(.unavailable, "the database cannot be used now", reason: "DATABASE_UNAVAILABLE", details: [retry])
    case .internalFailure: failure(.internal, "internal error", reason: "INTERNAL")
    }
  }

  /// A watcher knows an event that there was not yet: its sequence is from another database.
  static func noSuchEvent(_ sequence: Int64, last: Int64) -> RPCError {
    failure(
      .outOfRange, "there is no event \(sequence) yet: was it told by another database?", reason: "NO_SUCH_EVENT",
      metadata: ["last_sequence": String(last)])
  }

  /// No further user fits into the answer of a bulk creation.
  static let answerIsFull = failure(
    .resourceExhausted, "the answer has no room for more users: send the others in another call",
    reason: "ANSWER_FULL")

  // MARK: - Helpers

  private static func failure(
    _ code: StatusCode, _ message: String, reason: String, metadata: [String: String] = [:],
    details: [any Message] = []
  ) -> RPCError {
    let info = Google_Rpc_ErrorInfo.with {
      $0.reason = reason
      $0.domain = domain
      $0.metadata = metadata
    }
    return RPCError(code, message, details: [info] + details)
  }

  private static func resource(_ name: String) -> Google_Rpc_ResourceInfo {
    .with {
      $0.resourceType = "user.v1.User"
      $0.resourceName = name.shortened(toUTF8Count: maxNameLength)
    }
  }

  private static var retry: Google_Rpc_RetryInfo { .with { $0.retryDelay = retryDelay } }
}
