// SPDX-License-Identifier: Apache-2.0

internal import Crypto
public import SQLite
public import Schemas

/// Reads users. It belongs to one thread, as its connection does.
public final class UserReader {
  /// How many users a page has where the client does not say.
  public static let defaultPageSize: Int32 = 50
  /// How many users a page has at most.
  public static let maxPageSize: Int32 = 100
  /// How many rows or events one batch of a stream has at most.
  public static let maxBatchSize = 1_000

  let database: Database
  private let tokens: PageTokens

  /// Opens a file that a ``UserWriter`` has brought to its schema.
  public convenience init(path: String, options: Database.Options) throws(StoreError) {
    var options = options
    options.isReadOnly = true
    let database: Database
    do throws(SQLiteError) { database = try Database(path: path, options: options) } catch { throw StoreError(error) }
    try self.init(database)
  }

  init(_ database: Database) throws(StoreError) {
    self.database = database
    let key = try translated { () throws(SQLiteError) in
      try database.first("SELECT value FROM secrets WHERE name = 'page_tokens'") { $0.blob(0) }
    }
    guard let key, key.count == SHA256.digestSize else { throw .internalFailure(reason: "no key of page tokens") }
    tokens = PageTokens(key: key)
  }

  /// The user of an id.
  ///
  /// - Throws: ``StoreError/notFound(userID:)``; ``StoreError/invalidArgument(_:)`` for `user_id` where that is empty.
  public func user(_ id: String) throws(StoreError) -> User_V1_User {
    guard !id.isEmpty else { throw .invalidArgument([FieldViolation("user_id", "is required")]) }
    guard let user = try find(id) else { throw .notFound(userID: id) }
    return user
  }

  /// A page of users in the order of their ids, which is that of their creation, with the token of the next one.
  ///
  /// A page costs what it holds, wherever it lies. Users that come and go while a client turns pages neither hide nor
  /// repeat one that stays. Page and total are of one state inside of a transaction alone; the pool gives each job one.
  ///
  /// - Throws: ``StoreError/invalidArgument(_:)`` for a negative `page_size`, for a `page_token` that was not given for
  ///   this filter, and for a `filter` that cannot be read: all that is wrong at once.
  public func page(_ request: User_V1_ListUsersRequest) throws(StoreError) -> User_V1_ListUsersResponse {
    var violations: [FieldViolation] = []
    if request.pageSize < 0 { violations.append(FieldViolation("page_size", "is not negative")) }
    var filter = UserFilter.all
    do throws(StoreError) { filter = try UserFilter(request.filter) } catch {
      guard case .invalidArgument(let found) = error else { throw error }
      violations += found
    }
    var start = ""
    if !request.pageToken.isEmpty {
      if let user = try tokenUser(request.pageToken, filter: request.filter) {
        start = user.text
      } else {
        violations.append(FieldViolation("page_token", "was not given for this filter"))
      }
    }
    guard violations.isEmpty else { throw .invalidArgument(violations) }

    let size = request.pageSize == 0 ? Self.defaultPageSize : min(request.pageSize, Self.maxPageSize)
    var response = User_V1_ListUsersResponse()
    // One more than the page has tells whether another page follows.
    response.users = try users(after: start, filter: filter, limit: Int(size) + 1)
    if response.users.count > Int(size) {
      response.users.removeLast()
      guard let last = response.users.last.flatMap({ UserID($0.id) }) else {
        throw .internalFailure(reason: "a user's id is no UUID")
      }
      do throws(CryptoError) {
        response.nextPageToken = try tokens.token(after: last, filter: request.filter)
      } catch {
        throw .unavailable(reason: "no memory for a page token")
      }
    }
    if filter.condition == nil { response.totalSize = Int32(clamping: try count()) }
    return response
  }

  /// Users with ids greater than `id`, in order: what an export asks for again and again, with the last id that it got,
  /// until it gets none. Empty stands before all; at most ``maxBatchSize`` come at once.
  public func users(
    after id: String, filter: UserFilter = .all, limit: Int = maxBatchSize
  ) throws(StoreError) -> [User_V1_User] {
    let condition = filter.condition ?? "TRUE"
    let limit = min(max(limit, 0), Self.maxBatchSize)
    return try translated { () throws(SQLiteError) in
      try database.rows(
        """
        SELECT \(UserTable.columns) FROM users WHERE id > \(id) AND \(condition) ORDER BY id LIMIT \(limit)
        """, UserTable.user)
    }
  }

  /// How many users there are: a counter that is kept, not a count.
  public func count() throws(StoreError) -> Int64 {
    try translated { () throws(SQLiteError) in
      try database.first("SELECT value FROM counters WHERE name = 'users'") { $0.integer(0) }
    } ?? 0
  }

  /// The number of the last event, which a watcher that wants new ones alone begins with.
  public func lastSequence() throws(StoreError) -> Int64 {
    try translated { () throws(SQLiteError) in try Outbox.lastSequence(database) }
  }

  /// What happened after the event of a number, in order, at most `limit` and ``maxBatchSize`` entries.
  ///
  /// A replica asks again and again with the last number that it got, and hears what all replicas wrote.
  ///
  /// - Throws: ``StoreError/eventsPruned(oldestSequence:)`` where entries in between are gone.
  public func events(after sequence: Int64, limit: Int = maxBatchSize) throws(StoreError) -> [OutboxEntry] {
    let sequence = max(sequence, 0)
    let limit = min(max(limit, 0), Self.maxBatchSize)
    return try translated { () throws(SQLiteError) -> Result<[OutboxEntry], StoreError> in
      let oldest = try Outbox.oldestSequence(database)
      guard sequence >= oldest - 1 else { return .failure(.eventsPruned(oldestSequence: oldest)) }
      return .success(try Outbox.entries(after: sequence, limit: limit, in: database))
    }.get()
  }

  /// Fails where the database cannot be read.
  public func check() throws(StoreError) { _ = try count() }

  func find(_ id: String) throws(StoreError) -> User_V1_User? {
    try translated { () throws(SQLiteError) in
      try database.first("SELECT \(UserTable.columns) FROM users WHERE id = \(id)", UserTable.user)
    }
  }

  private func tokenUser(_ token: String, filter: String) throws(StoreError) -> UserID? {
    do throws(CryptoError) { return try tokens.user(of: token, filter: filter) } catch {
      throw .unavailable(reason: "no memory for a page token")
    }
  }
}
