// SPDX-License-Identifier: Apache-2.0

// Text that came from a peer, a file or a flag, made safe for a terminal and for one line of a log.

extension String {
  /// The text with every character escaped that could move a cursor, start a line or turn the reading direction.
  ///
  /// Control characters become `\n`, `\r`, `\t` or `\xHH`; bidirectional controls, line separators, zero-width
  /// characters and byte-order marks become `\uHHHH`. A backslash stays as it is, so that plain text reads as sent.
  public var safeForDisplay: String {
    guard unicodeScalars.contains(where: { $0.isUnsafeForDisplay }) else { return self }
    var text = ""
    for scalar in unicodeScalars {
      if scalar.isUnsafeForDisplay { text += scalar.escaped } else { text.unicodeScalars.append(scalar) }
    }
    return text
  }

  /// The text in double quotes, with quotes and backslashes escaped and the rest as in ``safeForDisplay``.
  public var quoted: String {
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case _ where scalar.isUnsafeForDisplay: text += scalar.escaped
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  /// The text cut to at most `limit` bytes of UTF-8, never inside a character's encoding, with `…` where it was cut.
  public func shortened(toUTF8Count limit: Int) -> String {
    guard utf8.count > limit else { return self }
    let room = limit - 3  // the ellipsis takes three bytes
    guard room > 0 else { return "" }
    var text = ""
    var used = 0
    for scalar in unicodeScalars {
      used += UTF8.width(scalar)
      if used > room { break }
      text.unicodeScalars.append(scalar)
    }
    return text + "…"
  }
}

extension Unicode.Scalar {
  /// Whether the scalar is a control character, a bidirectional control, invisible, or a separator of lines.
  public var isUnsafeForDisplay: Bool {
    switch value {
    case 0x00...0x1F, 0x7F...0x9F: true  // C0, DEL, C1
    case 0xAD, 0x061C, 0x180E: true  // soft hyphen, Arabic letter mark, Mongolian vowel separator
    case 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F: true  // zero width, separators, bidirectional
    case 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F: true  // byte-order mark, annotations, tags
    case 0x10_FF80...: true  // stand-ins for bytes that are no UTF-8
    default: false
    }
  }

  /// The scalar as a short escape of printable ASCII.
  var escaped: String {
    switch value {
    case 0x0A: "\\n"
    case 0x0D: "\\r"
    case 0x09: "\\t"
    case ..<0x80: "\\x" + hex(digits: 2)
    case ..<0x10000: "\\u" + hex(digits: 4)
    case 0x10_FF80...: "\\x" + String(value & 0xFF, radix: 16)
    default: "\\U" + hex(digits: 8)
    }
  }

  private func hex(digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }
}
