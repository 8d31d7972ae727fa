// SPDX-License-Identifier: Apache-2.0

internal import CSQLite

/// Why SQLite did not do what it was asked.
public struct SQLiteError: Error, Equatable, Sendable {
  /// What kind of failure it is. More kinds may come; compare with the ones you know.
  public struct Code: Equatable, Hashable, Sendable {
    /// A short stable name, such as `full`.
    public let name: String

    init(_ name: String) { self.name = name }

    /// Another connection holds the lock, and still did when the busy timeout was over.
    public static let busy = Code("busy")
    /// A value breaks a `UNIQUE` or `PRIMARY KEY` rule.
    public static let unique = Code("unique")
    /// A value breaks another rule of its table.
    public static let constraint = Code("constraint")
    /// The disk, the quota or the size that SQLite allows is used up.
    public static let full = Code("full")
    /// The file or its folder may not be written.
    public static let readOnly = Code("readOnly")
    /// The file cannot be opened, or not be created.
    public static let cannotOpen = Code("cannotOpen")
    /// The operating system failed to read, write or lock.
    public static let inputOutput = Code("inputOutput")
    /// The file is damaged.
    public static let corrupt = Code("corrupt")
    /// The file is no database.
    public static let notADatabase = Code("notADatabase")
    /// Nobody wants the statement's result any more: ``Database/interrupt(when:)``.
    public static let interrupted = Code("interrupted")
    /// A value, a statement or a result is larger than SQLite allows.
    public static let tooBig = Code("tooBig")
    /// Memory ran out.
    public static let outOfMemory = Code("outOfMemory")
    /// The file has a later schema than this program knows.
    public static let schemaTooNew = Code("schemaTooNew")
    /// The caller made a mistake: a statement that does not parse, a binding too many.
    public static let misuse = Code("misuse")
  }

  /// What kind of failure it is.
  public let code: Code
  /// What was being done, such as `open` or `step`.
  public let operation: String
  /// SQLite's extended result code; 0 where SQLite had no part in the failure.
  public let extendedCode: Int32
  /// SQLite's text. It may name tables and columns, never values; it is for logs and not for clients.
  public let message: String

  init(_ code: Code, _ operation: String, extendedCode: Int32 = 0, _ message: String) {
    self.code = code
    self.operation = operation
    self.extendedCode = extendedCode
    self.message = message
  }

  /// The failure of a call that returned `result`.
  init(_ result: Int32, _ operation: String, database: OpaquePointer?) {
    let text = database.flatMap { sqlite3_errmsg($0) } ?? sqlite3_errstr(result)
    let number = database.map { sqlite3_system_errno($0) } ?? 0
    self.init(
      Self.code(result, systemNumber: number), operation, extendedCode: result, text.map { String(cString: $0) } ?? "")
  }

  private static func code(_ result: Int32, systemNumber: Int32) -> Code {
    switch result & 0xFF {
    case SQLITE_BUSY, SQLITE_LOCKED: .busy
    case SQLITE_CONSTRAINT: isUniqueness(result) ? .unique : .constraint
    case SQLITE_FULL: .full
    case SQLITE_READONLY: .readOnly
    case SQLITE_CANTOPEN: isFull(systemNumber) ? .full : .cannotOpen
    // Growing the shared index of the write-ahead log is an I/O error to SQLite even where only space is missing.
    case SQLITE_IOERR: isFull(systemNumber) ? .full : .inputOutput
    case SQLITE_CORRUPT: .corrupt
    case SQLITE_NOTADB: .notADatabase
    case SQLITE_INTERRUPT: .interrupted
    case SQLITE_TOOBIG: .tooBig
    case SQLITE_NOMEM: .outOfMemory
    default: .misuse
    }
  }

  private static func isUniqueness(_ result: Int32) -> Bool {
    // SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY and _ROWID, which are expressions in C.
    let kinds: [Int32] = [8, 6, 10]
    return kinds.contains { result == SQLITE_CONSTRAINT | $0 << 8 }
  }

  private static func isFull(_ systemNumber: Int32) -> Bool {
    systemNumber == Self.noSpace || systemNumber == Self.quotaExceeded
  }

  // Linux's ENOSPC and EDQUOT.
  private static let noSpace: Int32 = 28
  private static let quotaExceeded: Int32 = 122
}

/// An error that a failure of the database can become: what a transaction's body throws.
public protocol DatabaseFailure: Error {
  /// The error for a failure of the database.
  init(_ error: SQLiteError)
}

extension SQLiteError: DatabaseFailure {
  /// The failure itself.
  public init(_ error: SQLiteError) { self = error }
}
