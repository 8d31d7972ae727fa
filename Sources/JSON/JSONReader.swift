// SPDX-License-Identifier: Apache-2.0

/// One step through a document.
public enum JSONToken: Equatable, Sendable {
  /// `{`
  case beginObject
  /// `}`
  case endObject
  /// `[`
  case beginArray
  /// `]`
  case endArray
  /// A member's name; its value comes next.
  case key(String)
  /// A string.
  case string(String)
  /// A number.
  case number(JSONNumber)
  /// `true` or `false`.
  case boolean(Bool)
  /// `null`
  case null
}

/// How much a reader takes.
public struct JSONLimits: Sendable {
  /// How deep arrays and objects may nest.
  public var depth = 100
  /// The largest document, in bytes.
  public var bytes = 4 << 20

  /// The limits unless the caller says otherwise: gRPC's own for a message.
  public init() {}
}

/// Reads one JSON document (RFC 8259) token by token, as the caller asks for them.
///
/// Brackets match and commas are right in what the caller sees. Members of one name are the caller's business:
/// ``JSONValue`` refuses them. Nothing but white space may follow the document. A reader that threw has ended.
public struct JSONReader: Sendable {
  /// What may stand next.
  private enum Place {
    case value
    case valueOrEnd
    case keyOrEnd
    case key
    case commaOrEnd
    case end
  }

  private let bytes: [UInt8]
  private let limits: JSONLimits
  private var position = 0
  private var place = Place.value
  /// For each open bracket whether it is an object's.
  private var open: [Bool] = []

  /// The offset in bytes at which the last token begins.
  public private(set) var offset = 0

  /// How many arrays and objects are open.
  public var depth: Int { open.count }

  /// A reader of a document.
  public init(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) {
    self.bytes = bytes
    self.limits = limits
  }

  /// The next token; nil after the document's end.
  public mutating func next() throws(JSONError) -> JSONToken? {
    guard bytes.count <= limits.bytes else { throw error(.tooLarge, at: 0) }
    skipSpace()
    if place == .commaOrEnd, position < bytes.count, bytes[position] == 0x2C {
      position += 1
      place = open.last == true ? .key : .value
      skipSpace()
    }
    offset = position
    guard position < bytes.count else {
      if place == .end { return nil }
      throw error(.unexpectedEnd, at: position)
    }
    let byte = bytes[position]
    switch (place, byte) {
    case (.end, _): throw error(.unexpectedCharacter, at: position)
    case (.keyOrEnd, 0x7D), (.commaOrEnd, 0x7D): return try close(isObject: true)
    case (.valueOrEnd, 0x5D), (.commaOrEnd, 0x5D): return try close(isObject: false)
    case (.key, 0x22), (.keyOrEnd, 0x22): return .key(try readKey())
    case (.value, _), (.valueOrEnd, _): return try readValue(byte)
    default: throw error(.unexpectedCharacter, at: position)
    }
  }

  /// An error at the place of the last token.
  func error(_ code: JSONError.Code) -> JSONError { error(code, at: offset) }

  private func error(_ code: JSONError.Code, at offset: Int) -> JSONError { JSONError(code, at: offset, in: bytes) }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  private mutating func readValue(_ byte: UInt8) throws(JSONError) -> JSONToken {
    switch byte {
    case 0x7B: return try begin(isObject: true)
    case 0x5B: return try begin(isObject: false)
    case 0x22:
      place = after
      return .string(try readString())
    case 0x74: return try word("true", .boolean(true))
    case 0x66: return try word("false", .boolean(false))
    case 0x6E: return try word("null", .null)
    case 0x2D, 0x30...0x39:
      place = after
      return .number(try readNumber())
    default: throw error(.unexpectedCharacter, at: position)
    }
  }

  /// What may stand behind a whole value.
  private var after: Place { open.isEmpty ? .end : .commaOrEnd }

  private mutating func begin(isObject: Bool) throws(JSONError) -> JSONToken {
    guard open.count < limits.depth else { throw error(.tooDeep, at: position) }
    open.append(isObject)
    position += 1
    place = isObject ? .keyOrEnd : .valueOrEnd
    return isObject ? .beginObject : .beginArray
  }

  private mutating func close(isObject: Bool) throws(JSONError) -> JSONToken {
    guard open.popLast() == isObject else { throw error(.unexpectedCharacter, at: position) }
    position += 1
    place = after
    return isObject ? .endObject : .endArray
  }

  private mutating func readKey() throws(JSONError) -> String {
    let key = try readString()
    skipSpace()
    guard position < bytes.count else { throw error(.unexpectedEnd, at: position) }
    guard bytes[position] == 0x3A else { throw error(.unexpectedCharacter, at: position) }
    position += 1
    place = .value
    return key
  }

  private mutating func word(_ word: String, _ token: JSONToken) throws(JSONError) -> JSONToken {
    for expected in word.utf8 {
      guard position < bytes.count else { throw error(.unexpectedEnd, at: position) }
      guard bytes[position] == expected else { throw error(.unexpectedCharacter, at: position) }
      position += 1
    }
    place = after
    return token
  }

  private mutating func readNumber() throws(JSONError) -> JSONNumber {
    let start = position
    if bytes[position] == 0x2D { position += 1 }
    let whole = position
    try readDigits(from: start)
    // A zero in front has nothing behind it.
    guard bytes[whole] != 0x30 || position == whole + 1 else { throw error(.malformedNumber, at: start) }
    if position < bytes.count, bytes[position] == 0x2E {
      position += 1
      try readDigits(from: start)
    }
    if position < bytes.count, bytes[position] | 0x20 == 0x65 {
      position += 1
      if position < bytes.count, bytes[position] == 0x2B || bytes[position] == 0x2D { position += 1 }
      try readDigits(from: start)
    }
    return JSONNumber(valid: String(decoding: bytes[start..<position], as: UTF8.self))
  }

  /// At least one digit.
  private mutating func readDigits(from start: Int) throws(JSONError) {
    let first = position
    while position < bytes.count, bytes[position] &- 0x30 < 10 { position += 1 }
    guard position > first else {
      throw position < bytes.count ? error(.malformedNumber, at: start) : error(.unexpectedEnd, at: position)
    }
  }
}

extension JSONReader {
  /// Reads a string from its opening quote to behind its closing one.
  private mutating func readString() throws(JSONError) -> String {
    let start = position
    position += 1
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case 0x22:
        position += 1
        guard let string = String(validating: text, as: UTF8.self) else { throw error(.invalidUTF8, at: start) }
        return string
      case 0x5C: try readEscape(into: &text)
      case 0..<0x20: throw error(.controlCharacter, at: position)
      default:
        text.append(byte)
        position += 1
      }
    }
    throw error(.unexpectedEnd, at: position)
  }

  private mutating func readEscape(into text: inout [UInt8]) throws(JSONError) {
    let start = position
    guard position + 1 < bytes.count else { throw error(.unexpectedEnd, at: bytes.count) }
    let letter = bytes[position + 1]
    position += 2
    switch letter {
    case 0x22, 0x5C, 0x2F: text.append(letter)
    case 0x62: text.append(0x08)
    case 0x66: text.append(0x0C)
    case 0x6E: text.append(0x0A)
    case 0x72: text.append(0x0D)
    case 0x74: text.append(0x09)
    case 0x75:
      var value = try readHex(from: start)
      if value & 0xFC00 == 0xD800 {
        // The first half of a pair; the second must follow.
        guard position + 1 < bytes.count, bytes[position] == 0x5C, bytes[position + 1] == 0x75 else {
          throw error(.malformedEscape, at: start)
        }
        position += 2
        let low = try readHex(from: start)
        guard low & 0xFC00 == 0xDC00 else { throw error(.malformedEscape, at: start) }
        value = 0x10000 + ((value & 0x3FF) << 10 | low & 0x3FF)
      }
      guard let scalar = Unicode.Scalar(value) else { throw error(.malformedEscape, at: start) }
      text += Array(String(scalar).utf8)
    default: throw error(.malformedEscape, at: start)
    }
  }

  private mutating func readHex(from start: Int) throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count else { throw error(.unexpectedEnd, at: bytes.count) }
      let digit: UInt8
      switch bytes[position] {
      case 0x30...0x39: digit = bytes[position] - 0x30
      case 0x41...0x46: digit = bytes[position] - 0x37
      case 0x61...0x66: digit = bytes[position] - 0x57
      default: throw error(.malformedEscape, at: start)
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
