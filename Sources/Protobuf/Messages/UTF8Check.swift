// SPDX-License-Identifier: Apache-2.0

/// Tells whether bytes are UTF-8 (Unicode's table 3-7: no surrogates, nothing too long, nothing above U+10FFFF).
enum UTF8Check {
  static func isValid(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    let count = bytes.count
    guard let start = unsafe UnsafeRawPointer(bytes.baseAddress) else { return true }
    var index = 0
    while index < count {
      // Most text is ASCII, eight bytes of which are told at once.
      while index + 8 <= count {
        // Within the buffer by the line above.
        let word = unsafe start.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        if word & 0x8080_8080_8080_8080 != 0 { break }
        index += 8
      }
      guard index < count else { return true }
      let first = unsafe bytes[index]
      if first < 0x80 {
        index += 1
        continue
      }
      let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
      guard first >= 0xC2, first <= 0xF4, index + length <= count else { return false }
      // What the second byte may be depends on the first.
      let low: UInt8 = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80
      let high: UInt8 = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF
      let second = unsafe bytes[index + 1]
      guard second >= low, second <= high else { return false }
      for place in 2..<max(length, 2) {
        guard unsafe bytes[index + place] & 0xC0 == 0x80 else { return false }
      }
      index += length
    }
    return true
  }
}
