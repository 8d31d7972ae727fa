// SPDX-License-Identifier: Apache-2.0

/// Base64 (RFC 4648) as the mapping has it: written with the standard alphabet and padding, read with either alphabet,
/// with padding or without.
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// What each byte stands for; 0xFF for one that stands for nothing.
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 0xFF, count: 256)
    for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
    values[0x2D] = 62
    values[0x5F] = 63
    return values
  }()

  /// Appends the form of bytes.
  static func append(_ bytes: ArraySlice<UInt8>, to text: inout [UInt8]) {
    text.reserveCapacity(text.count + (bytes.count + 2) / 3 * 4 + 1)
    let alphabet = alphabet.span
    let bytes = bytes.span
    var position = 0
    while position + 3 <= bytes.count {
      let word = UInt32(bytes[position]) << 16 | UInt32(bytes[position + 1]) << 8 | UInt32(bytes[position + 2])
      text.append(alphabet[Int(word >> 18)])
      text.append(alphabet[Int(word >> 12 & 63)])
      text.append(alphabet[Int(word >> 6 & 63)])
      text.append(alphabet[Int(word & 63)])
      position += 3
    }
    guard position < bytes.count else { return }
    let hasSecond = position + 2 == bytes.count
    let word = UInt32(bytes[position]) << 16 | (hasSecond ? UInt32(bytes[position + 1]) << 8 : 0)
    text.append(alphabet[Int(word >> 18)])
    text.append(alphabet[Int(word >> 12 & 63)])
    text.append(hasSecond ? alphabet[Int(word >> 6 & 63)] : 0x3D)
    text.append(0x3D)
  }

  /// The bytes of a text; nil for what is none. Padding is there whole or not at all; bits behind the last byte may be
  /// anything, as everywhere else.
  static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    var end = text.count
    if end % 4 == 0 {
      // At most two, and only behind a whole number of groups.
      for _ in 0..<2 where end > 0 && text[end - 1] == 0x3D { end -= 1 }
    }
    guard end % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(end * 3 / 4)
    let values = values.span
    var word: UInt32 = 0
    var count = 0
    for position in 0..<end {
      let value = values[Int(text[position])]
      guard value < 64 else { return nil }
      word = word << 6 | UInt32(value)
      count += 1
      guard count == 4 else { continue }
      bytes.append(UInt8(truncatingIfNeeded: word >> 16))
      bytes.append(UInt8(truncatingIfNeeded: word >> 8))
      bytes.append(UInt8(truncatingIfNeeded: word))
      (word, count) = (0, 0)
    }
    if count >= 2 { bytes.append(UInt8(truncatingIfNeeded: word >> (count == 2 ? 4 : 10))) }
    if count == 3 { bytes.append(UInt8(truncatingIfNeeded: word >> 2)) }
    return bytes
  }
}
