// SPDX-License-Identifier: Apache-2.0

/// A value as SQLite keeps it.
public enum SQLiteValue: Equatable, Sendable {
  /// No value.
  case null
  /// A whole number of 64 bits.
  case integer(Int64)
  /// A floating-point number of 64 bits.
  case real(Double)
  /// Unicode text.
  case text(String)
  /// Bytes.
  case blob([UInt8])
}

/// A statement with its values.
///
/// It is written as a literal. A value in it becomes a bound parameter and never part of the text, so that nothing that
/// a client sends is ever read as SQL; another `SQL` in it is inserted as it is, with its own values:
///
///     let condition: SQL = "email = \(email)"
///     let query: SQL = "SELECT name FROM users WHERE \(condition) LIMIT \(10)"
public struct SQL: Sendable, ExpressibleByStringInterpolation {
  /// The statement, with a question mark for each value.
  public private(set) var text: String
  /// The values, in the order of their question marks.
  public private(set) var values: [SQLiteValue]

  /// A statement without values.
  public init(stringLiteral text: StaticString) {
    self.text = text.description
    self.values = []
  }

  /// A statement with values.
  public init(stringInterpolation: StringInterpolation) {
    text = stringInterpolation.text
    values = stringInterpolation.values
  }

  /// Several statements or parts of one in a row, between `separator`s.
  public static func joined(_ parts: [SQL], separator: SQL) -> SQL {
    var whole: SQL = ""
    for (index, part) in parts.enumerated() {
      if index > 0 { whole.append(separator) }
      whole.append(part)
    }
    return whole
  }

  /// Adds a part at the end.
  public mutating func append(_ other: SQL) {
    text += other.text
    values += other.values
  }

  /// What collects the parts of a literal.
  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""
    fileprivate var values: [SQLiteValue] = []

    /// Room for a literal.
    public init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + interpolationCount)
      values.reserveCapacity(interpolationCount)
    }

    /// Adds text that stands in the program.
    public mutating func appendLiteral(_ literal: StaticString) {
      literal.withUTF8Buffer { text += String(decoding: $0, as: UTF8.self) }
    }

    /// Binds a value.
    public mutating func appendInterpolation(_ value: SQLiteValue) {
      text += "?"
      values.append(value)
    }

    /// Binds text.
    public mutating func appendInterpolation(_ value: String) { appendInterpolation(.text(value)) }

    /// Binds bytes.
    public mutating func appendInterpolation(_ value: [UInt8]) { appendInterpolation(.blob(value)) }

    /// Binds a whole number.
    public mutating func appendInterpolation(_ value: Int64) { appendInterpolation(.integer(value)) }

    /// Binds a whole number.
    public mutating func appendInterpolation(_ value: Int) { appendInterpolation(.integer(Int64(value))) }

    /// Binds a floating-point number.
    public mutating func appendInterpolation(_ value: Double) { appendInterpolation(.real(value)) }

    /// Binds a truth value, as 1 or 0.
    public mutating func appendInterpolation(_ value: Bool) { appendInterpolation(.integer(value ? 1 : 0)) }

    /// Inserts a part with its values.
    public mutating func appendInterpolation(_ part: SQL) {
      text += part.text
      values += part.values
    }
  }
}
