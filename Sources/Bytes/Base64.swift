// SPDX-License-Identifier: Apache-2.0

/// Base64 (RFC 4648).
public enum Base64 {
  /// Which two symbols stand for 62 and 63.
  public enum Alphabet: Sendable {
    /// `+` and `/` (section 4).
    case standard
    /// `-` and `_` (section 5).
    case urlSafe
    /// Any of the four when reading, the standard ones when writing.
    case either

    /// A symbol is refused where its entry in ``values`` has all these bits.
    fileprivate var refused: UInt8 {
      switch self {
      case .standard: Mark.urlSafe
      case .urlSafe: Mark.standard
      case .either: Mark.foreign
      }
    }
  }

  private enum Mark {
    /// Of the standard alphabet alone.
    static let standard: UInt8 = 0x40
    /// Of the other alphabet alone.
    static let urlSafe: UInt8 = 0x80
    /// Of neither.
    static let foreign: UInt8 = 0xC0
  }

  private static let standardSymbols = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let urlSafeSymbols = Array(standardSymbols.prefix(62)) + [0x2D, 0x5F]

  /// What each byte stands for, with a mark where not every alphabet has it.
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: Mark.foreign, count: 256)
    for (value, symbol) in standardSymbols.enumerated() { values[Int(symbol)] = UInt8(value) }
    values[0x2B] |= Mark.standard
    values[0x2F] |= Mark.standard
    values[0x2D] = 62 | Mark.urlSafe
    values[0x5F] = 63 | Mark.urlSafe
    return values
  }()

  /// Encodes bytes; `padded` says whether `=` fills up the last group. Binary gRPC metadata travels without it.
  public static func encode(_ bytes: Span<UInt8>, padded: Bool, alphabet: Alphabet = .standard) -> String {
    var text: [UInt8] = []
    append(bytes, padded: padded, alphabet: alphabet, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends the form of bytes to a text.
  public static func append(
    _ bytes: Span<UInt8>, padded: Bool, alphabet: Alphabet = .standard, to text: inout [UInt8]
  ) {
    text.reserveCapacity(text.count + (bytes.count + 2) / 3 * 4 + 1)
    let alphabet = alphabet == .urlSafe ? urlSafeSymbols : standardSymbols
    let symbols = alphabet.span
    var position = 0
    while position + 3 <= bytes.count {
      let word = UInt32(bytes[position]) << 16 | UInt32(bytes[position + 1]) << 8 | UInt32(bytes[position + 2])
      text.append(symbols[Int(word >> 18)])
      text.append(symbols[Int(word >> 12 & 63)])
      text.append(symbols[Int(word >> 6 & 63)])
      text.append(symbols[Int(word & 63)])
      position += 3
    }
    guard position < bytes.count else { return }
    let hasSecond = position + 2 == bytes.count
    let word = UInt32(bytes[position]) << 16 | (hasSecond ? UInt32(bytes[position + 1]) << 8 : 0)
    text.append(symbols[Int(word >> 18)])
    text.append(symbols[Int(word >> 12 & 63)])
    if hasSecond { text.append(symbols[Int(word >> 6 & 63)]) } else if padded { text.append(0x3D) }
    if padded { text.append(0x3D) }
  }

  /// Decodes text with or without padding; nil where a character is foreign or the length is impossible.
  ///
  /// Bits left over in the last symbol are ignored, as peers' encoders differ there.
  public static func decode(_ text: some Sequence<UInt8>, alphabet: Alphabet = .standard) -> [UInt8]? {
    var decoder = Decoder(expectedCount: text.underestimatedCount / 4 * 3, alphabet: alphabet)
    for byte in text where !decoder.append(byte) { return nil }
    return decoder.finish()
  }

  /// The same for bytes in memory.
  public static func decode(_ text: Span<UInt8>, alphabet: Alphabet = .standard) -> [UInt8]? {
    var decoder = Decoder(expectedCount: text.count / 4 * 3, alphabet: alphabet)
    for position in text.indices where !decoder.append(text[position]) { return nil }
    return decoder.finish()
  }

  /// Decodes the text of a literal of our own, which has line breaks in it; a test makes sure that it is base64.
  public static func decode(literal text: StaticString) -> [UInt8] {
    text.withUTF8Buffer { text in
      var decoder = Decoder(expectedCount: text.count / 4 * 3)
      for symbol in unsafe Array(text) where symbol != 0x0A { _ = decoder.append(symbol) }
      return decoder.finish() ?? []
    }
  }

  /// What one symbol stands for, 0 to 63; nil where it is foreign. For text that comes in pieces.
  public static func value(of symbol: UInt8, alphabet: Alphabet = .standard) -> UInt8? {
    let value = values[Int(symbol)]
    return value & alphabet.refused == alphabet.refused ? nil : value & 0x3F
  }

  /// Decodes symbol by symbol.
  struct Decoder {
    private let values = Base64.values
    private let refused: UInt8
    private var bytes: [UInt8] = []
    private var word: UInt32 = 0
    private var symbols = 0
    private var padding = 0

    /// A decoder that expects about `expectedCount` bytes.
    init(expectedCount: Int, alphabet: Alphabet = .standard) {
      refused = alphabet.refused
      bytes.reserveCapacity(expectedCount + 2)
    }

    /// Takes one symbol; false where it is foreign to the alphabet or follows padding.
    mutating func append(_ symbol: UInt8) -> Bool {
      let value = values[Int(symbol)]
      guard value & refused != refused, padding == 0 else {
        guard symbol == 0x3D else { return false }
        padding += 1
        return padding <= 2
      }
      word = word << 6 | UInt32(value & 0x3F)
      symbols += 1
      if symbols & 3 == 0 {
        bytes.append(UInt8(truncatingIfNeeded: word >> 16))
        bytes.append(UInt8(truncatingIfNeeded: word >> 8))
        bytes.append(UInt8(truncatingIfNeeded: word))
      }
      return true
    }

    /// The decoded bytes; nil where the text ended inside a group or its padding is wrong.
    consuming func finish() -> [UInt8]? {
      guard padding == 0 || (symbols + padding) & 3 == 0 else { return nil }
      switch symbols & 3 {
      case 0: return padding == 0 ? bytes : nil
      case 2: bytes.append(UInt8(truncatingIfNeeded: word >> 4))
      case 3:
        bytes.append(UInt8(truncatingIfNeeded: word >> 10))
        bytes.append(UInt8(truncatingIfNeeded: word >> 2))
      default: return nil
      }
      return bytes
    }
  }
}
