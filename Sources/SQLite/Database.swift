// SPDX-License-Identifier: Apache-2.0

internal import CSQLite

// SQLite: connections, statements, transactions and migrations. Everything blocks: a connection belongs to one thread.

/// A connection to a database. It is not `Sendable`: the thread that opens it uses and closes it.
public final class Database {
  /// How a connection behaves.
  public struct Options: Sendable {
    /// How long a statement waits for another connection's lock, in milliseconds.
    public var busyTimeout: Int32 = 5_000
    /// Refuses every change. The file must exist.
    public var isReadOnly = false
    /// How many kilobytes of pages the connection may keep in memory.
    public var cacheSize: Int = 8_192

    /// The defaults.
    public init() {}
  }

  /// Where a connection keeps nothing on disk: every such connection has a database of its own.
  public static let inMemory = ":memory:"

  let handle: OpaquePointer
  private var statements = StatementCache()
  /// Replaced only after the connection knows the new one.
  var interruption: Interruption?

  /// Opens the file, or creates it.
  ///
  /// A commit is on the disk when it returns: the file uses a write-ahead log, which is flushed at each commit, so
  /// readers and one writer do not wait for each other. Foreign keys are enforced.
  public init(path: String, options: Options = Options()) throws(SQLiteError) {
    var handle: OpaquePointer?
    // No lock of SQLite's own: one thread uses the connection.
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    let opened = sqlite3_open_v2(path, &handle, flags | (options.isReadOnly ? 0 : SQLITE_OPEN_CREATE), nil)
    guard opened == SQLITE_OK, let handle else {
      let error = SQLiteError(opened, "open", database: handle)
      sqlite3_close_v2(handle)
      throw error
    }
    self.handle = handle
    sqlite3_busy_timeout(handle, options.busyTimeout)
    _ = sonde_sqlite3_be_defensive(handle)
    try useWriteAheadLog(patience: options.busyTimeout)
    try execute("PRAGMA synchronous = FULL")
    try execute("PRAGMA foreign_keys = ON")
    // Views and triggers of a foreign file may not call what could do harm.
    try execute("PRAGMA trusted_schema = OFF")
    // After a checkpoint, the log shrinks to 64 MiB if a large transaction had made it larger.
    try execute("PRAGMA journal_size_limit = 67108864")
    // Negative: kibibytes, not pages. A pragma takes no parameter, and the number is the program's own.
    try script("PRAGMA cache_size = -\(max(0, options.cacheSize))")
    if options.isReadOnly { try execute("PRAGMA query_only = ON") }
  }

  deinit {
    // Statements go first. One that a caller is in the middle of keeps the connection until it ends.
    statements.removeAll()
    sqlite3_progress_handler(handle, 0, nil, nil)
    sqlite3_close_v2(handle)
  }

  /// Rows that were changed since the connection was opened, also by what was undone again.
  public var totalChanges: Int { Int(sqlite3_total_changes64(handle)) }

  /// Runs a statement to its end and leaves out its rows. Returns how many rows it changed.
  @discardableResult
  public func execute(_ sql: SQL) throws(SQLiteError) -> Int {
    let before = totalChanges
    try use(sql) { (statement) throws(SQLiteError) in
      while try statement.step() {}
    }
    return totalChanges - before
  }

  /// Reads every row.
  public func rows<T>(_ sql: SQL, _ read: (borrowing Row) -> T) throws(SQLiteError) -> [T] {
    try use(sql) { (statement) throws(SQLiteError) in
      var found: [T] = []
      while try statement.step() { found.append(read(Row(statement.handle))) }
      return found
    }
  }

  /// Reads the first row; nil where there is none.
  public func first<T>(_ sql: SQL, _ read: (borrowing Row) -> T) throws(SQLiteError) -> T? {
    try use(sql) { (statement) throws(SQLiteError) in
      try statement.step() ? read(Row(statement.handle)) : nil
    }
  }

  /// Whether a transaction is open. SQLite ends one by itself after some failures, a full disk among them.
  public var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  /// Fails where the file cannot be read: one page of it is, behind the locks that every read takes.
  public func ping() throws(SQLiteError) { _ = try first("SELECT count(*) FROM sqlite_schema") { $0.integer(0) } }

  /// Reads the whole file and fails where it is damaged. It takes as long as the file is large.
  public func verify() throws(SQLiteError) {
    let verdict = try first("PRAGMA quick_check(1)") { $0.text(0) }
    guard verdict == "ok" else { throw SQLiteError(.corrupt, "verify", verdict ?? "no verdict") }
  }

  /// SQLite's version.
  public static var libraryVersion: String { String(cString: sqlite3_libversion()) }

  private func use<T>(
    _ sql: SQL, _ body: (Statement) throws(SQLiteError) -> T
  ) throws(SQLiteError) -> T {
    let statement: Statement
    if let known = statements.take(sql.text) {
      statement = known
    } else {
      statement = try Statement(sql.text, database: handle)
    }
    defer {
      statement.reset()
      statements.put(statement, sql.text)
    }
    try statement.bind(sql.values)
    return try body(statement)
  }

  /// Runs a text of the program's own.
  func script(_ text: String) throws(SQLiteError) {
    let result = sqlite3_exec(handle, text, nil, nil, nil)
    guard result == SQLITE_OK else { throw SQLiteError(result, "execute", database: handle) }
  }

  /// The change to a write-ahead log needs the file for itself for a moment and does not wait for it: several programs
  /// that open a new file at once try again here.
  private func useWriteAheadLog(patience: Int32) throws(SQLiteError) {
    var waited: Int32 = 0
    while true {
      do throws(SQLiteError) {
        _ = try first("PRAGMA journal_mode = WAL") { $0.text(0) }
        return
      } catch {
        guard error.code == .busy, waited < patience else { throw error }
        waited += max(1, sqlite3_sleep(Self.pause))
      }
    }
  }

  /// So many milliseconds between two tries.
  private static let pause: Int32 = 10
}
