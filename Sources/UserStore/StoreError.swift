// SPDX-License-Identifier: Apache-2.0

public import SQLite

// UserStore: the users in a SQLite file, by the rules of user/v1/user.proto. Everything blocks, on database threads;
// DatabasePool has these threads and the asynchronous way in.

/// A field of a request that is wrong, and why.
public struct FieldViolation: Equatable, Sendable {
  /// The path to the field in the request, such as `user.email`.
  public let field: String
  /// What is wrong: half a sentence that follows the field's name, safe to print.
  public let description: String

  /// A violation.
  public init(_ field: String, _ description: String) {
    self.field = field
    self.description = description
  }
}

/// Why the store did not do what it was asked.
public enum StoreError: DatabaseFailure, Equatable, Sendable {
  /// Fields of the request are wrong: all that are, at least one.
  case invalidArgument([FieldViolation])
  /// No user has the id.
  case notFound(userID: String)
  /// Another user has the address, perhaps in other letters' case.
  case alreadyExists(email: String)
  /// Events between the one that a watcher knows and `oldestSequence` are not kept any more.
  case eventsPruned(oldestSequence: Int64)
  /// The disk is full: nothing can be written, and reading goes on.
  case storageFull
  /// More work waits than the queue holds.
  case overloaded
  /// The caller gave up: nothing was changed.
  case cancelled
  /// The database cannot be used now; later it may. The reason is for logs.
  case unavailable(reason: String)
  /// The database is damaged, or the store has a mistake. The reason is for logs.
  case internalFailure(reason: String)

  /// The error for a failure of the database.
  public init(_ error: SQLiteError) {
    let reason = "\(error.operation): \(error.message) (\(error.extendedCode))"
    switch error.code {
    case .full: self = .storageFull
    case .interrupted: self = .cancelled
    case .busy, .readOnly, .cannotOpen, .inputOutput, .outOfMemory: self = .unavailable(reason: reason)
    default: self = .internalFailure(reason: reason)
    }
  }
}

/// Runs work on the database and gives its failures the store's names.
func translated<T>(_ work: () throws(SQLiteError) -> T) throws(StoreError) -> T {
  do throws(SQLiteError) { return try work() } catch { throw StoreError(error) }
}
