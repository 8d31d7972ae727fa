// SPDX-License-Identifier: Apache-2.0

internal import Crypto

/// The identifier of a user: a UUID of version 7 (RFC 9562 section 5.7), whose text sorts by the time of its making.
struct UserID: Equatable {
  /// 48 bits of milliseconds since 1970, the version, and 12 bits of the fraction of a millisecond.
  let high: UInt64
  /// The variant, and 62 random bits.
  let low: UInt64

  /// A text has so many characters.
  static let textLength = 36

  /// `0193e1a2-7c40-7f3a-9b1e-0123456789ab`.
  var text: String {
    var text: [UInt8] = []
    text.reserveCapacity(Self.textLength)
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text.append(0x2D) }
      text.append(Self.digit(byte >> 4))
      text.append(Self.digit(byte & 0x0F))
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The 16 bytes, most significant first.
  var bytes: [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: high >> (56 - 8 * $0)) }
      + (0..<8).map { UInt8(truncatingIfNeeded: low >> (56 - 8 * $0)) }
  }

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The identifier of 16 bytes.
  init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 16 else { return nil }
    high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    low = bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The identifier of a text in the one form that ``text`` has.
  init?(_ text: String) {
    guard text.utf8.count == Self.textLength else { return nil }
    var bytes: [UInt8] = []
    var pending: UInt8?
    for (index, character) in text.utf8.enumerated() {
      if [8, 13, 18, 23].contains(index) {
        guard character == 0x2D else { return nil }
        continue
      }
      let value: UInt8
      switch character {
      case 0x30...0x39: value = character - 0x30
      case 0x61...0x66: value = character - 0x61 + 10
      default: return nil
      }
      if let first = pending {
        bytes.append(first << 4 | value)
        pending = nil
      } else {
        pending = value
      }
    }
    self.init(bytes: bytes)
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x61 + value - 10 }
}

/// Makes identifiers that nobody can guess, each greater than the one before, even where the clock stands or goes back.
struct UserIDGenerator {
  /// Milliseconds and their fraction in 4,096ths: the first 60 of the 122 bits that are not fixed.
  private var last: UInt64 = 0

  /// The next identifier, at a time in microseconds since 1970.
  mutating func next(at microseconds: Int64) throws(CryptoError) -> UserID {
    let time = UInt64(clamping: microseconds)
    let stamp = (time / 1_000) << 12 | (time % 1_000) * 4_096 / 1_000
    last = max(stamp & Self.stampMask, (last + 1) & Self.stampMask)
    let random = try randomBytes(count: 8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return UserID(high: (last >> 12) << 16 | 0x7000 | last & 0xFFF, low: random & ((1 << 62) - 1) | 1 << 63)
  }

  private static let stampMask: UInt64 = (1 << 60) - 1
}
