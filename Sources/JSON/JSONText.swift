// SPDX-License-Identifier: Apache-2.0

// Texts and numbers as they stand in a document, appended to bytes.

extension JSONWriter {
  /// Appends a text in quotes to bytes: the two characters and the controls that JSON demands are escaped, all else is
  /// UTF-8 as it is.
  public static func appendQuoted(_ text: String, to bytes: inout [UInt8]) {
    var text = text
    text.withUTF8 { text in
      // The span ends with the call, in which the buffer lives.
      unsafe appendQuoted(text.span, to: &bytes)
    }
  }

  /// Appends a text that is known to be UTF-8, as the one above.
  public static func appendQuoted(_ text: Span<UInt8>, to bytes: inout [UInt8]) {
    bytes.append(0x22)
    var written = 0
    var position = 0
    while position < text.count {
      position = nextToEscape(text, from: position)
      append(text.extracting(written..<position), to: &bytes)
      guard position < text.count else { break }
      appendEscape(text[position], to: &bytes)
      position += 1
      written = position
    }
    bytes.append(0x22)
  }

  /// Where the next character that must be escaped stands, or the text ends; eight are looked at together.
  private static func nextToEscape(_ text: Span<UInt8>, from start: Int) -> Int {
    var position = start
    while position + 8 <= text.count {
      let marks = text.eightBytes(at: position).marksOfEscapedCharacters
      guard marks == 0 else { return position + marks.trailingZeroBitCount >> 3 }
      position += 8
    }
    while position < text.count, text[position] >= 0x20, text[position] != 0x22, text[position] != 0x5C {
      position += 1
    }
    return position
  }

  private static func appendEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
    bytes.append(0x5C)
    // Byte by byte: constant arrays in the cases would be mixed up in the released files; see scripts/check-objects.
    switch byte {
    case 0x22, 0x5C: bytes.append(byte)
    case 0x0A: bytes.append(0x6E)
    case 0x0D: bytes.append(0x72)
    case 0x09: bytes.append(0x74)
    default:
      let digit = byte & 0x0F
      bytes += [0x75, 0x30, 0x30, 0x30 + (byte >> 4), digit < 10 ? 0x30 + digit : 0x57 + digit]
    }
  }

  private static func append(_ text: Span<UInt8>, to bytes: inout [UInt8]) {
    // The buffer is the span's, which lives through the call.
    unsafe text.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
  }

  /// Appends the digits of a number.
  public static func appendDecimal(_ number: UInt64, to bytes: inout [UInt8]) {
    // 2^64 has twenty digits.
    var digits: InlineArray<20, UInt8> = .init(repeating: 0)
    var start = 20
    var rest = number
    repeat {
      start -= 1
      digits[start] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    append(digits.span.extracting(start...), to: &bytes)
  }

  /// Appends a sign where there is one, and the digits of a number.
  public static func appendDecimal(_ number: Int64, to bytes: inout [UInt8]) {
    if number < 0 { bytes.append(0x2D) }
    appendDecimal(number.magnitude, to: &bytes)
  }

  /// Appends the shortest form of a finite number, without the fraction that Swift gives to a whole one. A zero with a
  /// sign keeps it: many readers take `-0` for an integer, and integers have no such zero.
  static func appendNumber(_ description: String, to bytes: inout [UInt8]) {
    var description = description
    description.withUTF8 { buffer in
      // The span ends with the call, in which the buffer lives.
      let text = unsafe buffer.span
      let count = text.count
      let isWhole = count > 2 && text[count - 2] == 0x2E && text[count - 1] == 0x30
      let isNegativeZero = count == 4 && text[0] == 0x2D && text[1] == 0x30
      append(text.extracting(0..<(isWhole && !isNegativeZero ? count - 2 : count)), to: &bytes)
    }
  }
}
