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
    /// The document, or a value of a stream, is larger than the limit.
    case tooLarge
    /// An object has two members of this name.
    case duplicateKey(String)
  }

  /// What was wrong.
  public let code: Code
  /// The offset in bytes from the document's start, or the stream's.
  public let offset: Int

  /// The document, which is kept as long as the error is; nil for a stream, whose beginning is gone.
  private let document: ArraySlice<UInt8>?

  init(_ code: Code, at offset: Int, in document: ArraySlice<UInt8>?) {
    self.code = code
    self.offset = offset
    self.document = document
  }

  /// The line and the character within it, both from 1, where each Unicode scalar counts as one; nil for a stream. They
  /// are counted when they are asked for, in time with the offset.
  public var place: (line: Int, column: Int)? {
    guard let document else { return nil }
    var line = 1
    var column = 1
    for byte in document.prefix(offset) {
      if byte == 0x0A {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    return (line, column)
  }

  /// One line in words: `line 3, column 7: a number is malformed`.
  public var message: String {
    guard let place else { return "byte \(offset): " + reason }
    return "line \(place.line), column \(place.column): " + reason
  }

  /// What was wrong, in words.
  public var reason: String {
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

  /// Whether both say the same of the same place.
  public static func == (one: JSONError, other: JSONError) -> Bool {
    one.code == other.code && one.offset == other.offset
  }
}
