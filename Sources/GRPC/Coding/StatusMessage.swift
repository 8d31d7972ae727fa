// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The percent-coding of `grpc-message`: printable ASCII but `%` stands for itself, every other byte of UTF-8 as `%XX`.
public enum StatusMessage {
  /// The text as the header carries it.
  public static func encode(_ text: String) -> String {
    func isPlain(_ byte: UInt8) -> Bool { byte >= 0x20 && byte < 0x7F && byte != 0x25 }
    guard !text.utf8.allSatisfy(isPlain) else { return text }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count * 2)
    for byte in text.utf8 {
      if isPlain(byte) { bytes.append(byte) } else { bytes += [0x25, digit(byte >> 4), digit(byte & 0x0F)] }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The text behind a header's value. An escape that is none stays as it is, and bytes that are no UTF-8 become
  /// U+FFFD: a message is for people, and a broken one beats none.
  public static func decode(_ value: String) -> String {
    guard value.utf8.contains(0x25) else { return value }
    return String(decoding: value.percentDecoded, as: UTF8.self)
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x41 + value - 10 }
}
