// SPDX-License-Identifier: Apache-2.0

/// Base64 with the standard alphabet (RFC 4648 section 4).
public enum Base64 {
  /// Encodes bytes; `padded` says whether `=` fills up the last group. Binary gRPC metadata travels without it.
  public static func encode(_ bytes: Span<UInt8>, padded: Bool) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let left = bytes.count - index
      let b0 = bytes[index]
      let b1 = left > 1 ? bytes[index + 1] : 0
      let b2 = left > 2 ? bytes[index + 2] : 0
      text.append(symbol(b0 >> 2))
      text.append(symbol((b0 & 0x03) << 4 | b1 >> 4))
      if left > 1 { text.append(symbol((b1 & 0x0F) << 2 | b2 >> 6)) } else if padded { text.append(0x3D) }
      if left > 2 { text.append(symbol(b2 & 0x3F)) } else if padded { text.append(0x3D) }
      index += 3
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Decodes text with or without padding; nil where a character is foreign or the length is impossible.
  ///
  /// Bits left over in the last symbol are ignored, as peers' encoders differ there.
  public static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var decoder = Decoder()
    for byte in text where !decoder.append(byte) { return nil }
    return decoder.finish()
  }

  /// Decodes symbol by symbol, for text that has line breaks in it: the caller leaves those out.
  public struct Decoder: Sendable {
    private var bytes: [UInt8] = []
    private var bits: UInt32 = 0
    private var symbols = 0
    private var padding = 0

    /// A decoder that expects about `expectedCount` bytes.
    public init(expectedCount: Int = 0) { bytes.reserveCapacity(expectedCount) }

    /// Takes one symbol; false where it is foreign to the alphabet or follows padding.
    public mutating func append(_ symbol: UInt8) -> Bool {
      if symbol == 0x3D {
        padding += 1
        return padding <= 2
      }
      guard padding == 0, let value = Base64.value(symbol) else { return false }
      bits = bits << 6 | UInt32(value)
      symbols += 1
      if symbols & 3 == 0 {
        bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
        bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
        bytes.append(UInt8(truncatingIfNeeded: bits))
      }
      return true
    }

    /// The decoded bytes; nil where the text ended inside a group or its padding is wrong.
    public consuming func finish() -> [UInt8]? {
      guard padding == 0 || (symbols + padding) & 3 == 0 else { return nil }
      switch symbols & 3 {
      case 0: return padding == 0 ? bytes : nil
      case 2: bytes.append(UInt8(truncatingIfNeeded: bits >> 4))
      case 3:
        bytes.append(UInt8(truncatingIfNeeded: bits >> 10))
        bytes.append(UInt8(truncatingIfNeeded: bits >> 2))
      default: return nil
      }
      return bytes
    }
  }

  private static func symbol(_ value: UInt8) -> UInt8 {
    switch value {
    case 0..<26: 0x41 + value
    case 26..<52: 0x61 + value - 26
    case 52..<62: 0x30 + value - 52
    case 62: 0x2B
    default: 0x2F
    }
  }

  private static func value(_ symbol: UInt8) -> UInt8? {
    switch symbol {
    case 0x41...0x5A: symbol - 0x41
    case 0x61...0x7A: symbol - 0x61 + 26
    case 0x30...0x39: symbol - 0x30 + 52
    case 0x2B: 62
    case 0x2F: 63
    default: nil
    }
  }
}
