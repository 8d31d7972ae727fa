// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The escapes of RFC 3986 section 2.1.
enum PercentCoding {
  /// Whether two hexadecimal digits stand behind each `%`.
  static func isWellFormed(_ bytes: Span<UInt8>) -> Bool {
    var position = 0
    while position < bytes.count {
      if bytes[position] == 0x25 {
        guard position + 2 < bytes.count, bytes[position + 1].hexDigitValue != nil,
          bytes[position + 2].hexDigitValue != nil
        else { return false }
        position += 2
      }
      position += 1
    }
    return true
  }

  /// What the escapes stand for; the same view where there are none. Nil for a malformed one.
  ///
  /// - Parameters:
  ///   - keepsSlashes: whether `%2F` stays as it is.
  ///   - plusIsSpace: whether `+` stands for a space, as in queries.
  static func decode(
    _ bytes: ArraySlice<UInt8>, keepsSlashes: Bool = false, plusIsSpace: Bool = false
  ) -> ArraySlice<UInt8>? {
    guard bytes.contains(where: { $0 == 0x25 || ($0 == 0x2B && plusIsSpace) }) else { return bytes }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    let source = bytes.span
    var position = 0
    while position < source.count {
      let byte = source[position]
      position += 1
      guard byte == 0x25 else {
        decoded.append(byte == 0x2B && plusIsSpace ? 0x20 : byte)
        continue
      }
      guard position + 1 < source.count, let high = source[position].hexDigitValue,
        let low = source[position + 1].hexDigitValue
      else { return nil }
      let value = high << 4 | low
      if keepsSlashes, value == 0x2F {
        decoded.append(0x25)
        continue
      }
      decoded.append(value)
      position += 2
    }
    return decoded[...]
  }
}
