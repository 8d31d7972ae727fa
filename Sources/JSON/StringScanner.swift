// SPDX-License-Identifier: Apache-2.0

/// Finds a string's end, checks what stands before it, and takes escapes away.
enum StringScanner {
  /// Looks at a string from behind its opening quote.
  ///
  /// - Returns: where it ends, behind the closing quote, and whether there are escapes in it.
  static func scan(_ bytes: Span<UInt8>, from start: Int) throws(ScanFault) -> (end: Int, isEscaped: Bool) {
    var position = start
    var isEscaped = false
    while true {
      while position + 8 <= bytes.count {
        let marks = bytes.eightBytes(at: position).marksOfSpecialCharacters
        guard marks == 0 else {
          position += marks.trailingZeroBitCount >> 3
          break
        }
        position += 8
      }
      guard position < bytes.count else { throw ScanFault(.unexpectedEnd, position) }
      switch bytes[position] {
      case 0x22: return (position + 1, isEscaped)
      case 0x5C:
        isEscaped = true
        _ = try escape(bytes, &position)
      case 0..<0x20: throw ScanFault(.controlCharacter, position)
      case 0x20..<0x80: position += 1
      default: try skipUTF8(bytes, &position)
      }
    }
  }

  /// The text of a string that was found to be right, without its quotes.
  static func unescaped(_ bytes: Span<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
      guard bytes[position] == 0x5C else {
        text.append(bytes[position])
        position += 1
        continue
      }
      guard let scalar = try? escape(bytes, &position) else { return text }
      append(scalar, to: &text)
    }
    return text
  }

  /// Passes over the sequence of bytes beyond ASCII (RFC 3629), and over those that follow it.
  private static func skipUTF8(_ bytes: Span<UInt8>, _ position: inout Int) throws(ScanFault) {
    while position < bytes.count, bytes[position] >= 0x80 {
      let first = bytes[position]
      let count: Int
      // What the second byte may be tells overlong forms, surrogates and what is beyond Unicode.
      var second: ClosedRange<UInt8> = 0x80...0xBF
      switch first {
      case 0xC2...0xDF: count = 2
      case 0xE0...0xEF:
        count = 3
        if first == 0xE0 { second = 0xA0...0xBF } else if first == 0xED { second = 0x80...0x9F }
      case 0xF0...0xF4:
        count = 4
        if first == 0xF0 { second = 0x90...0xBF } else if first == 0xF4 { second = 0x80...0x8F }
      default: throw ScanFault(.invalidUTF8, position)
      }
      guard position + count <= bytes.count, second.contains(bytes[position + 1]) else {
        throw ScanFault(.invalidUTF8, position)
      }
      for index in 2..<max(count, 2) where bytes[position + index] & 0xC0 != 0x80 {
        throw ScanFault(.invalidUTF8, position)
      }
      position += count
    }
  }

  /// Reads an escape from its backslash on; two where they are the halves of a surrogate pair.
  private static func escape(_ bytes: Span<UInt8>, _ position: inout Int) throws(ScanFault) -> UInt32 {
    let start = position
    guard position + 1 < bytes.count else { throw ScanFault(.unexpectedEnd, bytes.count) }
    let letter = bytes[position + 1]
    position += 2
    switch letter {
    case 0x22, 0x5C, 0x2F: return UInt32(letter)
    case 0x62: return 0x08
    case 0x66: return 0x0C
    case 0x6E: return 0x0A
    case 0x72: return 0x0D
    case 0x74: return 0x09
    case 0x75:
      let value = try hex(bytes, &position, from: start)
      guard value & 0xF800 == 0xD800 else { return value }
      // The first half of a pair; the second must follow.
      guard value & 0xFC00 == 0xD800, position + 1 < bytes.count, bytes[position] == 0x5C, bytes[position + 1] == 0x75
      else { throw ScanFault(.malformedEscape, start) }
      position += 2
      let low = try hex(bytes, &position, from: start)
      guard low & 0xFC00 == 0xDC00 else { throw ScanFault(.malformedEscape, start) }
      return 0x10000 + ((value & 0x3FF) << 10 | low & 0x3FF)
    default: throw ScanFault(.malformedEscape, start)
    }
  }

  private static func hex(_ bytes: Span<UInt8>, _ position: inout Int, from start: Int) throws(ScanFault) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count else { throw ScanFault(.unexpectedEnd, bytes.count) }
      let byte = bytes[position]
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46: digit = byte - 0x37
      case 0x61...0x66: digit = byte - 0x57
      default: throw ScanFault(.malformedEscape, start)
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  private static func append(_ scalar: UInt32, to text: inout [UInt8]) {
    func tail(_ shift: UInt32) { text.append(UInt8(truncatingIfNeeded: scalar >> shift & 0x3F | 0x80)) }
    switch scalar {
    case 0..<0x80: text.append(UInt8(scalar))
    case 0x80..<0x800: text.append(UInt8(truncatingIfNeeded: scalar >> 6 | 0xC0))
    case 0x800..<0x10000:
      text.append(UInt8(truncatingIfNeeded: scalar >> 12 | 0xE0))
      tail(6)
    default:
      text.append(UInt8(truncatingIfNeeded: scalar >> 18 | 0xF0))
      tail(12)
      tail(6)
    }
    if scalar >= 0x80 { tail(0) }
  }
}
