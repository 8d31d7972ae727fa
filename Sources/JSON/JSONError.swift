// SPDX-License-Identifier: Apache-2.0

/// Why bytes are no JSON document, and where.
public struct JSONError: Error, Equatable, Sendable {
  /// What was wrong.
  public enum Code: Equatable, Sendable {
    /// The document ends inside a value.
    case unexpectedEnd
    /// Something stands where the grammar has no place for it.
    case unexpectedCharacter
    /// A number that RFC 8259 does not allow: a leading zero, a lone point, an empty exponent.
    case malformedNumber
    /// A backslash before something that it does not escape, or half a surrogate pair.
    case malformedEscape
    /// A control character in a string.
    case controlCharacter
    /// Bytes in a string that are not UTF-8.
    case invalidUTF8
    /// Arrays and objects nest deeper than the limit.
    case tooDeep
    /// The document is larger than the limit.
    case tooLarge
    /// An object has two members of this name.
    case duplicateKey(String)
  }

  /// What was wrong.
  public let code: Code
  /// The offset in bytes from the document's start.
  public let offset: Int
  /// The line, from 1.
  public let line: Int
  /// The character within the line, from 1; each Unicode scalar counts as one.
  public let column: Int

  init(_ code: Code, at offset: Int, in bytes: [UInt8]) {
    self.code = code
    self.offset = offset
    var line = 1
    var column = 1
    for byte in bytes.prefix(offset) {
      if byte == 0x0A {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    self.line = line
    self.column = column
  }

  /// One line in words: `line 3, column 7: a number is malformed`.
  public var message: String { "line \(line), column \(column): " + reason }

  private var reason: String {
    switch code {
    case .unexpectedEnd: "the document ends too early"
    case .unexpectedCharacter: "a character is out of place"
    case .malformedNumber: "a number is malformed"
    case .malformedEscape: "an escape is malformed"
    case .controlCharacter: "a control character stands in a string"
    case .invalidUTF8: "a string is not UTF-8"
    case .tooDeep: "values nest too deep"
    case .tooLarge: "the document is too large"
    case .duplicateKey(let key): "the key \"" + key + "\" stands twice in one object"
    }
  }
}
