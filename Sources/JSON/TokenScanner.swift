// SPDX-License-Identifier: Apache-2.0

/// What was wrong, and at which offset: a ``JSONError`` before it knows its document.
struct ScanFault: Error {
  let code: JSONError.Code
  let offset: Int

  init(_ code: JSONError.Code, _ offset: Int) {
    self.code = code
    self.offset = offset
  }
}

/// A place in a document, and what may stand there: all of a reader but the bytes, which each step is given.
struct TokenScanner: Sendable {
  /// What may stand next.
  private enum Place {
    case value
    case valueOrEnd
    case keyOrEnd
    case commaOrEnd
    case end
  }

  private var position = 0
  private var place = Place.value

  private(set) var open = OpenBrackets()
  /// Where the last token begins.
  private(set) var offset = 0
  /// The last number's text, or what stands between the quotes of the last key or string.
  private(set) var content = 0..<0
  /// Whether there are escapes in the last key or string.
  private(set) var isEscaped = false
  /// The last number.
  private(set) var number = Decimal()

  /// The next token; nil after the document's end.
  mutating func next(_ document: ArraySlice<UInt8>, depthLimit: Int) throws(ScanFault) -> JSONToken? {
    let bytes = document.span
    skipSpace(bytes)
    var mustBeKey = false
    if place == .commaOrEnd, position < bytes.count, bytes[position] == 0x2C {
      position += 1
      skipSpace(bytes)
      mustBeKey = open.isObject
      place = .value
    }
    offset = position
    guard position < bytes.count else {
      if place == .end { return nil }
      throw ScanFault(.unexpectedEnd, position)
    }
    let byte = bytes[position]
    let isValue = !mustBeKey && (place == .value || place == .valueOrEnd)
    switch byte {
    case 0x22 where mustBeKey || place == .keyOrEnd:
      try readString(bytes)
      try readColon(bytes)
      return .key
    case 0x22 where isValue:
      try readString(bytes)
      return ended(.string)
    case 0x7B where isValue: return try begin(isObject: true, depthLimit)
    case 0x5B where isValue: return try begin(isObject: false, depthLimit)
    case 0x7D where place == .keyOrEnd || (place == .commaOrEnd && open.isObject):
      open.pop()
      position += 1
      return ended(.endObject)
    case 0x5D where place == .valueOrEnd || (place == .commaOrEnd && !open.isObject):
      open.pop()
      position += 1
      return ended(.endArray)
    case 0x2D where isValue, 0x30...0x39 where isValue:
      try readNumber(bytes)
      return ended(.number)
    case 0x74 where isValue: return try word("true", .boolean(true), bytes)
    case 0x66 where isValue: return try word("false", .boolean(false), bytes)
    case 0x6E where isValue: return try word("null", .null, bytes)
    default: throw ScanFault(.unexpectedCharacter, position)
    }
  }

  @inline(__always)
  private mutating func skipSpace(_ bytes: Span<UInt8>) {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      position += 1
    }
  }

  /// Behind a whole value.
  private mutating func ended(_ token: JSONToken) -> JSONToken {
    place = open.count == 0 ? .end : .commaOrEnd
    return token
  }

  private mutating func begin(isObject: Bool, _ depthLimit: Int) throws(ScanFault) -> JSONToken {
    guard open.count < depthLimit else { throw ScanFault(.tooDeep, position) }
    open.push(isObject: isObject)
    position += 1
    place = isObject ? .keyOrEnd : .valueOrEnd
    return isObject ? .beginObject : .beginArray
  }

  private mutating func readString(_ bytes: Span<UInt8>) throws(ScanFault) {
    let start = position + 1
    (position, isEscaped) = try StringScanner.scan(bytes, from: start)
    content = start..<position - 1
  }

  private mutating func readColon(_ bytes: Span<UInt8>) throws(ScanFault) {
    skipSpace(bytes)
    guard position < bytes.count else { throw ScanFault(.unexpectedEnd, position) }
    guard bytes[position] == 0x3A else { throw ScanFault(.unexpectedCharacter, position) }
    position += 1
    place = .value
  }

  private mutating func readNumber(_ bytes: Span<UInt8>) throws(ScanFault) {
    switch DecimalScanner.scan(bytes, from: position) {
    case .number(let number, let end):
      self.number = number
      content = position..<end
      position = end
    case .incomplete: throw ScanFault(.unexpectedEnd, bytes.count)
    case .malformed: throw ScanFault(.malformedNumber, position)
    }
  }

  private mutating func word(
    _ word: StaticString, _ token: JSONToken, _ bytes: Span<UInt8>
  ) throws(ScanFault) -> JSONToken {
    for index in 0..<word.utf8CodeUnitCount {
      guard position < bytes.count else { throw ScanFault(.unexpectedEnd, position) }
      // The literal lives as long as the program, and the index is within it.
      guard unsafe bytes[position] == word.utf8Start[index] else { throw ScanFault(.unexpectedCharacter, position) }
      position += 1
    }
    return ended(token)
  }
}

/// For each open bracket whether it is an object's: a bit each, so that nothing is allocated for most documents.
struct OpenBrackets: Sendable {
  private(set) var count = 0
  /// The innermost ones, up to 64; the lowest bit is the innermost one's.
  private var word: UInt64 = 0
  /// The ones around, 64 each.
  private var outer: [UInt64] = []

  /// Whether the innermost one is an object's.
  var isObject: Bool { word & 1 == 1 }

  mutating func push(isObject: Bool) {
    if count > 0, count & 63 == 0 { outer.append(word) }
    word = word << 1 | (isObject ? 1 : 0)
    count += 1
  }

  mutating func pop() {
    count -= 1
    word >>= 1
    if count > 0, count & 63 == 0 { word = outer.removeLast() }
  }
}
