// SPDX-License-Identifier: Apache-2.0

internal import Crypto
public import SQLite
public import Schemas
internal import SwiftProtobuf

/// Changes users, and tells of it in the outbox. It belongs to one thread, as its connection does.
///
/// Each method does all or nothing: by itself in a transaction of its own, inside of a transaction as a part of it,
/// which the caller undoes where the method throws.
public final class UserWriter {
  /// Reads what was written, before anybody else does.
  public let reader: UserReader

  let database: Database
  private let clock: Clock
  private var identifiers = UserIDGenerator()

  /// Opens a file, or creates it, and brings it to the present schema.
  ///
  /// - Throws: ``StoreError/internalFailure(reason:)`` where a later program has changed the schema.
  public init(
    path: String, options: Database.Options = Database.Options(), clock: @escaping Clock = WallClock.now
  ) throws(StoreError) {
    guard let secret = try? randomBytes(count: SHA256.digestSize) else {
      throw .unavailable(reason: "the system has no random bytes")
    }
    let database: Database
    do throws(SQLiteError) {
      database = try Database(path: path, options: options)
      try UserSchema.migrator(secret: secret).migrate(database)
    } catch {
      throw StoreError(error)
    }
    self.database = database
    self.clock = clock
    reader = try UserReader(database)
  }

  /// Creates a user, who gets an id and a time; those that were given are ignored.
  ///
  /// - Throws: ``StoreError/invalidArgument(_:)`` with everything that is wrong, ``StoreError/alreadyExists(email:)``.
  public func create(_ user: User_V1_User) throws(StoreError) -> User_V1_User {
    let violations = UserRules.violations(in: user, paths: Set(UserField.allCases))
    guard violations.isEmpty else { throw .invalidArgument(violations) }
    let now = clock()
    var user = user
    user.unknownFields = UnknownStorage()
    user.createdAt = Google_Protobuf_Timestamp(microseconds: now)
    do throws(CryptoError) { user.id = try identifiers.next(at: now).text } catch {
      throw .unavailable(reason: "the system has no random bytes")
    }
    try atomically { () throws(StoreError) in
      try unique(user) { () throws(SQLiteError) in try UserTable.insert(user, createdAt: now, into: database) }
      try tell(.created, user, at: now)
    }
    return user
  }

  /// Creates users in one transaction. A user who cannot be created fails alone; where the database itself fails, none
  /// is created. The results are in the order of the users.
  public func create(_ users: [User_V1_User]) throws(StoreError) -> [Result<User_V1_User, StoreError>] {
    try atomically { () throws(StoreError) in
      var results: [Result<User_V1_User, StoreError>] = []
      results.reserveCapacity(users.count)
      for user in users {
        do throws(StoreError) { results.append(.success(try create(user))) } catch {
          switch error {
          case .invalidArgument, .alreadyExists: results.append(.failure(error))
          default: throw error
          }
        }
      }
      return results
    }
  }

  /// Changes the fields of the user `user.id` that the mask names (AIP-134): without a mask those that have a value,
  /// with `*` all. Id and time of creation never change. Nothing is told where nothing changed.
  ///
  /// - Throws: ``StoreError/invalidArgument(_:)`` with everything that is wrong, ``StoreError/notFound(userID:)``,
  ///   ``StoreError/alreadyExists(email:)``.
  public func update(_ user: User_V1_User, mask: [String]) throws(StoreError) -> User_V1_User {
    var violations: [FieldViolation] = []
    var fields: Set<UserField> = []
    if user.id.isEmpty { violations.append(FieldViolation("user.id", "is required")) }
    do throws(MaskError) {
      fields = try UserField.selected(by: mask, in: user)
      violations += UserRules.violations(in: user, paths: fields)
    } catch {
      violations += error.violations
    }
    guard violations.isEmpty else { throw .invalidArgument(violations) }

    return try atomically { () throws(StoreError) in
      guard let old = try reader.find(user.id) else { throw .notFound(userID: user.id) }
      var new = old
      for field in fields { field.copy(from: user, to: &new) }
      guard new != old else { return old }
      try unique(new) { () throws(SQLiteError) in try UserTable.update(new, in: database) }
      try tell(.updated, new, at: clock())
      return new
    }
  }

  /// Removes a user.
  ///
  /// - Throws: ``StoreError/notFound(userID:)``; ``StoreError/invalidArgument(_:)`` for `user_id` where that is empty.
  public func delete(_ id: String) throws(StoreError) {
    try atomically { () throws(StoreError) in
      let user = try reader.user(id)
      _ = try translated { () throws(SQLiteError) in try database.execute("DELETE FROM users WHERE id = \(id)") }
      try tell(.deleted, user, at: clock())
    }
  }

  /// Puts something that was said into the outbox, with the time. Returns it with its number.
  ///
  /// - Throws: ``StoreError/invalidArgument(_:)`` with everything that is wrong.
  public func say(_ message: User_V1_ChatMessage) throws(StoreError) -> OutboxEntry {
    let violations = ChatRules.violations(in: message)
    guard violations.isEmpty else { throw .invalidArgument(violations) }
    let now = clock()
    var message = message
    message.unknownFields = UnknownStorage()
    message.sentAt = Google_Protobuf_Timestamp(microseconds: now)
    return try atomically { () throws(StoreError) in
      try Outbox.append(message, at: now, to: database)
      return OutboxEntry(sequence: try reader.lastSequence(), content: .chat(message))
    }
  }

  /// Removes old events, oldest first and at most `limit` at once: those older than `age` microseconds, and those
  /// beyond the last `keeping`. Returns how many; a full `limit` means that more may be left.
  public func pruneEvents(olderThan age: Int64, keeping: Int, limit: Int = 1_000) throws(StoreError) -> Int {
    try atomically { () throws(StoreError) in
      try translated { () throws(SQLiteError) in
        try Outbox.prune(
          before: clock().subtractingReportingOverflow(age).partialValue, keeping: max(0, keeping),
          limit: max(0, limit), in: database)
      }
    }
  }

  /// Fails where the database cannot be written: it writes a page that is the same afterwards.
  public func check() throws(StoreError) {
    _ = try translated { () throws(SQLiteError) in
      try database.execute("UPDATE counters SET value = value WHERE name = 'users'")
    }
  }

  /// Runs several changes as one: all are kept, or none where the body throws.
  @discardableResult
  public func atomically<T>(_ body: () throws(StoreError) -> T) throws(StoreError) -> T {
    database.isInTransaction ? try body() : try database.transaction(.writing, body)
  }

  private func tell(_ type: User_V1_UserEvent.TypeEnum, _ user: User_V1_User, at time: Int64) throws(StoreError) {
    var event = User_V1_UserEvent()
    event.type = type
    event.user = user
    event.time = Google_Protobuf_Timestamp(microseconds: time)
    try Outbox.append(event, at: time, to: database)
  }

  /// The address is the one column besides the id that is unique, and ids do not collide.
  private func unique(_ user: User_V1_User, _ change: () throws(SQLiteError) -> Void) throws(StoreError) {
    do throws(SQLiteError) { try change() } catch {
      throw error.code == .unique ? .alreadyExists(email: user.email) : StoreError(error)
    }
  }
}
