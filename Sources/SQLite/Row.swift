// SPDX-License-Identifier: Apache-2.0

internal import CSQLite

/// The row that a statement stands at; it is gone when the statement goes on.
///
/// Columns count from 0. SQLite converts between types as its documentation says; NULL reads as 0 or as empty.
public struct Row: ~Copyable {
  private let statement: OpaquePointer

  init(_ statement: OpaquePointer) { self.statement = statement }

  /// Whether the column holds no value.
  public func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

  /// The column as a whole number.
  public func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

  /// The column as a truth value.
  public func bool(_ column: Int32) -> Bool { integer(column) != 0 }

  /// The column as a floating-point number.
  public func real(_ column: Int32) -> Double { sqlite3_column_double(statement, column) }

  /// The column as text. Bytes that are no UTF-8 become replacement characters.
  public func text(_ column: Int32) -> String {
    // The pointer holds until the row is left or converted; the count is asked for after it, as SQLite wants.
    guard let start = sqlite3_column_text(statement, column) else { return "" }
    let count = Int(sqlite3_column_bytes(statement, column))
    return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  /// The column as bytes.
  public func blob(_ column: Int32) -> [UInt8] {
    guard let start = sqlite3_column_blob(statement, column) else { return [] }
    return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
  }
}
