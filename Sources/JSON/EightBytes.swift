// SPDX-License-Identifier: Apache-2.0

// Text, eight bytes at a time.

extension Span<UInt8> {
  /// The eight bytes from an offset on, the first one lowest.
  @inline(__always)
  func eightBytes(at offset: Int) -> UInt64 {
    // The bounds are checked, and every eight bytes are an integer.
    unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}

/// Of eight bytes of text, in an integer whose lowest byte is the first one, the high bit of a byte marks one that is
/// looked for. The lowest mark is right; above it there may be marks too many.
extension UInt64 {
  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let highs: UInt64 = 0x8080_8080_8080_8080

  /// Marks quotes and backslashes.
  var marksOfDelimiters: UInt64 {
    let quotes = self ^ (Self.ones &* 0x22)
    let backslashes = self ^ (Self.ones &* 0x5C)
    // A byte beyond ASCII equals neither, and its complement has no high bit.
    return ((quotes &- Self.ones) & ~quotes | (backslashes &- Self.ones) & ~backslashes) & Self.highs
  }

  /// Marks quotes, backslashes and control characters: what must be escaped.
  var marksOfEscapedCharacters: UInt64 {
    marksOfDelimiters | (self &- Self.ones &* 0x20) & ~self & Self.highs
  }

  /// Marks quotes, backslashes, control characters and bytes beyond ASCII.
  var marksOfSpecialCharacters: UInt64 { marksOfEscapedCharacters | self & Self.highs }
}
