// SPDX-License-Identifier: Apache-2.0

internal import CSQLite

/// A prepared statement: it is finalised with the last reference to it, which may outlive its connection.
final class Statement {
  let handle: OpaquePointer
  private let database: OpaquePointer

  init(_ text: String, database: OpaquePointer) throws(SQLiteError) {
    var text = text
    var handle: OpaquePointer?
    var rest = 0
    let result = text.withUTF8 { text -> Int32 in
      text.withMemoryRebound(to: CChar.self) { text in
        // A text of more bytes than an Int32 counts is refused: SQLite takes a billion at most anyway.
        guard let count = Int32(exactly: text.count) else { return SQLITE_TOOBIG }
        var tail: UnsafePointer<CChar>?
        let result = sqlite3_prepare_v3(
          database, text.baseAddress, count, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, &tail)
        if let tail, let start = text.baseAddress { rest = text.count - (tail - start) }
        return result
      }
    }
    guard result == SQLITE_OK else { throw SQLiteError(result, "prepare", database: database) }
    guard let handle else { throw SQLiteError(.misuse, "prepare", "no statement in the text") }
    guard rest == 0 else {
      sqlite3_finalize(handle)
      throw SQLiteError(.misuse, "prepare", "more than one statement in the text")
    }
    self.handle = handle
    self.database = database
  }

  deinit { sqlite3_finalize(handle) }

  func bind(_ values: [SQLiteValue]) throws(SQLiteError) {
    guard values.count == Int(sqlite3_bind_parameter_count(handle)) else {
      throw SQLiteError(.misuse, "bind", "the number of values is not that of the parameters")
    }
    var index: Int32 = 0
    for value in values {
      index += 1
      let result = bind(value, at: index)
      guard result == SQLITE_OK else { throw SQLiteError(result, "bind", database: database) }
    }
  }

  private func bind(_ value: SQLiteValue, at index: Int32) -> Int32 {
    switch value {
    case .null: return sqlite3_bind_null(handle, index)
    case .integer(let number): return sqlite3_bind_int64(handle, index, number)
    case .real(let number): return sqlite3_bind_double(handle, index, number)
    case .text(var text):
      return text.withUTF8 { text in
        text.withMemoryRebound(to: CChar.self) { text in
          guard let start = text.baseAddress else {
            return sqlite3_bind_text64(handle, index, "", 0, nil, UInt8(SQLITE_UTF8))
          }
          return sqlite3_bind_text64(
            handle, index, start, UInt64(text.count), sonde_SQLITE_TRANSIENT(), UInt8(SQLITE_UTF8))
        }
      }
    case .blob(let bytes):
      return bytes.withUnsafeBytes { bytes in
        // No address would bind NULL.
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return sqlite3_bind_zeroblob(handle, index, 0) }
        return sqlite3_bind_blob64(handle, index, start, UInt64(bytes.count), sonde_SQLITE_TRANSIENT())
      }
    }
  }

  /// Goes to the next row; false behind the last one.
  func step() throws(SQLiteError) -> Bool {
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let result: throw SQLiteError(result, "step", database: database)
    }
  }

  /// Forgets where it stands and what is bound, so that it holds neither locks nor memory.
  func reset() {
    sqlite3_reset(handle)
    sqlite3_clear_bindings(handle)
  }
}

/// The prepared statements of a connection, by their text.
///
/// Filters of clients make statements of many shapes: the ones that were not used for longest go first.
struct StatementCache {
  /// So many statements are kept; each costs a few kilobytes.
  static let capacity = 64

  private var entries: [String: (statement: Statement, lastUse: UInt64)] = [:]
  private var clock: UInt64 = 0

  /// Takes a statement out, so that a second use at the same time prepares one of its own.
  mutating func take(_ text: String) -> Statement? { entries.removeValue(forKey: text)?.statement }

  /// Gives a statement back.
  mutating func put(_ statement: Statement, _ text: String) {
    clock &+= 1
    if entries.count >= Self.capacity, entries[text] == nil,
      let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })?.key
    {
      entries[oldest] = nil
    }
    entries[text] = (statement, clock)
  }

  mutating func removeAll() { entries = [:] }
}
