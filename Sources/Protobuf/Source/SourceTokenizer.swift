// SPDX-License-Identifier: Apache-2.0

/// A word of a .proto file.
struct SourceToken {
  enum Kind: Equatable {
    /// A name or a keyword.
    case word
    /// A whole number, in decimal, octal or hexadecimal digits.
    case integer
    /// A number with a fraction or an exponent.
    case float
    /// A text in quotes; the token's text is what the quotes hold.
    case string
    /// A character that stands for itself.
    case symbol
    case end
  }

  var kind: Kind
  /// The text; of a string, without the quotes and with escapes undone.
  var text: [UInt8]
  var position: SourcePosition
  /// The comment that stands directly above, without its marks.
  var leading = ""

  func isSymbol(_ byte: UInt8) -> Bool { kind == .symbol && text[0] == byte }
  func isWord(_ word: String) -> Bool { kind == .word && text.elementsEqual(word.utf8) }
  var string: String { String(decoding: text, as: UTF8.self) }
}

/// Cuts a .proto file, or a message in the text format, into words.
struct SourceTokenizer {
  let file: String
  private let bytes: [UInt8]
  /// Whether comments begin with `#`, as in the text format; otherwise with two slashes, or a slash and a star.
  private let isTextFormat: Bool
  private var offset = 0
  private var line = 1
  private var lineStart = 0
  /// The comment behind the last word, on its line.
  private(set) var trailing = ""

  init(_ bytes: [UInt8], file: String, isTextFormat: Bool = false) {
    (self.bytes, self.file, self.isTextFormat) = (bytes, file, isTextFormat)
    // A byte order mark, which editors of some systems write.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
  }

  private var position: SourcePosition { SourcePosition(line: line, column: offset - lineStart + 1) }

  private func error(_ reason: String, at position: SourcePosition) -> SourceError {
    SourceError(file, position, reason)
  }

  private func byte(_ ahead: Int = 0) -> UInt8 { offset + ahead < bytes.count ? bytes[offset + ahead] : 0 }

  private mutating func advance() {
    if bytes[offset] == 0x0A {
      line += 1
      lineStart = offset + 1
    }
    offset += 1
  }

  /// The next word.
  mutating func next() throws(SourceError) -> SourceToken {
    let leading = try skipSpace()
    let start = position
    guard offset < bytes.count else { return SourceToken(kind: .end, text: [], position: start, leading: leading) }
    var token: SourceToken
    switch byte() {
    case 0x22, 0x27: token = SourceToken(kind: .string, text: try readString(), position: start)
    case let first where Self.isLetter(first):
      token = SourceToken(kind: .word, text: take(Self.isNameByte), position: start)
    case let first where Self.isDigit(first) || first == 0x2E && Self.isDigit(byte(1)): token = try readNumber(start)
    case let first where first > 0x20 && first < 0x7F:
      token = SourceToken(kind: .symbol, text: [first], position: start)
      advance()
    default: throw error("a character has no place here", at: start)
    }
    token.leading = leading
    return token
  }

  private mutating func take(_ condition: (UInt8) -> Bool) -> [UInt8] {
    let start = offset
    while offset < bytes.count, condition(bytes[offset]) { offset += 1 }
    return Array(bytes[start..<offset])
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
  private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte == 0x5F }
  private static func isNameByte(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) }

  // MARK: - Comments

  /// Passes over white space and comments; the comment that stands directly above what follows.
  private mutating func skipSpace() throws(SourceError) -> String {
    trailing = ""
    var leading = ""
    let startLine = line
    // The line on which the comment kept in `leading` ends.
    var lastLine = -1
    while offset < bytes.count {
      let here = byte()
      if here == 0x20 || here == 0x0A || here == 0x0D || here == 0x09 || here == 0x0B || here == 0x0C {
        advance()
        continue
      }
      guard isTextFormat ? here == 0x23 : here == 0x2F && (byte(1) == 0x2F || byte(1) == 0x2A) else { break }
      let isBlock = !isTextFormat && byte(1) == 0x2A
      let (first, text) = (line, try readComment(isBlock))
      if first == startLine, startLine > 1 || offset > 0, trailing.isEmpty, leading.isEmpty, !isFirst {
        trailing = text
        continue
      }
      // Lines of one comment follow each other; an empty line between makes another one of it.
      if !isBlock, lastLine == first - 1, !leading.isEmpty { leading += text } else { leading = text }
      lastLine = line - (isBlock ? 0 : 1)
    }
    isFirst = false
    // What an empty line sets apart is no declaration's comment.
    return line - lastLine <= 1 ? leading : ""
  }

  /// Whether no word was read yet.
  private var isFirst = true

  private mutating func readComment(_ isBlock: Bool) throws(SourceError) -> String {
    let start = position
    offset += isTextFormat ? 1 : 2
    guard isBlock else {
      let text = take { $0 != 0x0A }
      if offset < bytes.count { advance() }
      return String(decoding: text, as: UTF8.self) + "\n"
    }
    var lines: [[UInt8]] = [[]]
    while offset < bytes.count, !(byte() == 0x2A && byte(1) == 0x2F) {
      guard byte() != 0x2F || byte(1) != 0x2A else { throw error("a comment begins within a comment", at: position) }
      if byte() == 0x0A { lines.append([]) } else { lines[lines.count - 1].append(byte()) }
      advance()
    }
    guard offset < bytes.count else { throw error("a comment does not end", at: start) }
    offset += 2
    // The stars in front of a block's lines are decoration.
    let text = lines.enumerated().map { index, line -> String in
      guard index > 0 else { return String(decoding: line, as: UTF8.self) }
      var rest = line.drop { $0 == 0x20 || $0 == 0x09 }
      if rest.first == 0x2A { rest = rest.dropFirst() }
      return String(decoding: rest, as: UTF8.self)
    }
    return text.joined(separator: "\n")
  }

  // MARK: - Numbers and strings

  private mutating func readNumber(_ start: SourcePosition) throws(SourceError) -> SourceToken {
    var kind = SourceToken.Kind.integer
    var text: [UInt8]
    if byte() == 0x30, byte(1) | 0x20 == 0x78 {
      text = take(Self.isNameByte)
    } else {
      text = take { Self.isDigit($0) }
      if byte() == 0x2E {
        kind = .float
        offset += 1
        let fraction = take { Self.isDigit($0) }
        // With digits on both sides, as other grammars demand.
        if text.isEmpty { text.append(0x30) }
        text.append(0x2E)
        text += fraction
        if fraction.isEmpty { text.append(0x30) }
      }
      if byte() | 0x20 == 0x65 {
        kind = .float
        offset += 1
        text.append(0x65)
        if byte() == 0x2B || byte() == 0x2D {
          text.append(byte())
          offset += 1
        }
        let digits = take { Self.isDigit($0) }
        guard !digits.isEmpty else { throw error("a number's exponent has no digits", at: start) }
        text += digits
      }
      // `1f` is a float in the text format.
      if isTextFormat, byte() | 0x20 == 0x66 {
        kind = .float
        offset += 1
      }
    }
    guard !Self.isLetter(byte()) else { throw error("a number and a name need a space between them", at: start) }
    return SourceToken(kind: kind, text: text, position: start)
  }

  private mutating func readString() throws(SourceError) -> [UInt8] {
    let start = position
    let quote = byte()
    offset += 1
    var text: [UInt8] = []
    while true {
      guard offset < bytes.count, byte() != 0x0A else { throw error("a text does not end on its line", at: start) }
      let here = byte()
      offset += 1
      if here == quote { return text }
      if here == 0x5C { try readEscape(into: &text) } else { text.append(here) }
    }
  }

  /// Reads what stands behind a backslash. Byte by byte: constant arrays in the cases would be mixed up in the released
  /// files; see scripts/check-objects.
  private mutating func readEscape(into text: inout [UInt8]) throws(SourceError) {
    let start = position
    let letter = byte()
    offset += 1
    switch letter {
    case 0x61: text.append(0x07)
    case 0x62: text.append(0x08)
    case 0x66: text.append(0x0C)
    case 0x6E: text.append(0x0A)
    case 0x72: text.append(0x0D)
    case 0x74: text.append(0x09)
    case 0x76: text.append(0x0B)
    case 0x22, 0x27, 0x3F, 0x5C: text.append(letter)
    case 0x30...0x37:
      var value = UInt32(letter - 0x30)
      for _ in 0..<2 where (0x30...0x37).contains(byte()) {
        value = value << 3 | UInt32(byte() - 0x30)
        offset += 1
      }
      text.append(UInt8(truncatingIfNeeded: value))
    case 0x78, 0x58: text.append(UInt8(truncatingIfNeeded: try readHex(1...2, start)))
    case 0x75:
      let value = try readHex(4...4, start)
      // Two halves of a pair make one character.
      guard value & 0xFC00 == 0xD800, byte() == 0x5C, byte(1) == 0x75 else {
        return try append(value, to: &text, start)
      }
      offset += 2
      let low = try readHex(4...4, start)
      guard low & 0xFC00 == 0xDC00 else { throw error("an escape in a text is no character", at: start) }
      try append(0x10000 + (value & 0x3FF) << 10 + (low & 0x3FF), to: &text, start)
    case 0x55: try append(readHex(8...8, start), to: &text, start)
    default: throw error("an escape in a text is none", at: start)
    }
  }

  private mutating func readHex(_ count: ClosedRange<Int>, _ start: SourcePosition) throws(SourceError) -> UInt32 {
    var value: UInt32 = 0
    var digits = 0
    while digits < count.upperBound, let digit = Self.hexDigit(byte()) {
      value = value << 4 | digit
      digits += 1
      offset += 1
    }
    guard count.contains(digits) else { throw error("an escape in a text has too few digits", at: start) }
    return value
  }

  private func append(_ value: UInt32, to text: inout [UInt8], _ start: SourcePosition) throws(SourceError) {
    guard let scalar = Unicode.Scalar(value) else { throw error("an escape in a text is no character", at: start) }
    text += String(Character(scalar)).utf8
  }

  static func hexDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x30...0x39: UInt32(byte - 0x30)
    case 0x61...0x66: UInt32(byte - 0x57)
    case 0x41...0x46: UInt32(byte - 0x37)
    default: nil
    }
  }
}
