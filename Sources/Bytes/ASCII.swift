// SPDX-License-Identifier: Apache-2.0

// Bytes: the small vocabulary of bytes and text that every floor shares — ASCII, base64, and text that is safe to
// print. The standard library's Unicode-aware twins are correct too, but several times slower, and they carry their
// tables along.

extension UInt8 {
  /// Whether the byte is `0`–`9`.
  @inlinable public var isASCIIDigit: Bool { self &- 0x30 < 10 }

  /// Whether the byte is `A`–`Z` or `a`–`z`.
  @inlinable public var isASCIILetter: Bool { (self | 0x20) &- 0x61 < 26 }

  /// The byte with `A`–`Z` turned into `a`–`z`; every other byte as it is.
  @inlinable public var asciiLowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

  /// The value of a hexadecimal digit in either case, or nil.
  @inlinable public var hexDigitValue: UInt8? {
    switch self {
    case 0x30...0x39: self &- 0x30
    case 0x41...0x46: self &- 0x37
    case 0x61...0x66: self &- 0x57
    default: nil
    }
  }
}

extension String {
  /// The text with `A`–`Z` turned into `a`–`z`, as header names and host names compare; other characters as they are.
  public var asciiLowercased: String {
    guard utf8.contains(where: { $0 &- 0x41 < 26 }) else { return self }
    return String(decoding: utf8.map { $0.asciiLowercased }, as: UTF8.self)
  }

  /// Whether two texts are equal when ASCII case is ignored.
  public func equalsIgnoringASCIICase(_ other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8) { $0.asciiLowercased == $1.asciiLowercased }
  }

  /// The parts between occurrences of an ASCII separator, empty ones included: `"a,,b"` gives `a`, ``, `b`.
  public func split(onASCII separator: UInt8) -> [String] {
    utf8.split(separator: separator, omittingEmptySubsequences: false).map { String(Substring($0)) }
  }

  /// What follows a prefix; nil where the text does not start with it.
  public func after(_ prefix: String) -> String? {
    guard utf8.starts(with: prefix.utf8) else { return nil }
    return String(Substring(utf8.dropFirst(prefix.utf8.count)))
  }

  /// The bytes behind `%XX` escapes (RFC 3986 section 2.1). An escape that is none stays as it is.
  public var percentDecoded: [UInt8] {
    let source = Array(utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(source.count)
    var index = 0
    while index < source.count {
      if source[index] == 0x25, index + 2 < source.count, let high = source[index + 1].hexDigitValue,
        let low = source[index + 2].hexDigitValue
      {
        bytes.append(high << 4 | low)
        index += 3
      } else {
        bytes.append(source[index])
        index += 1
      }
    }
    return bytes
  }

  /// The text without ASCII spaces, tabs, carriage returns and line feeds at either end.
  public var asciiTrimmed: String {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
    var rest = Substring(self).utf8
    while let first = rest.first, isSpace(first) { rest.removeFirst() }
    while let last = rest.last, isSpace(last) { rest.removeLast() }
    return String(Substring(rest))
  }
}

/// Reads a decimal number that fills the whole text: digits only, no sign, no space.
///
/// Returns nil where the text is empty, holds anything else, or exceeds `limit`.
public func parseDecimal(_ text: some Sequence<UInt8>, atMost limit: Int = .max) -> Int? {
  var value = 0
  var any = false
  for byte in text {
    guard byte.isASCIIDigit else { return nil }
    let (product, overflow) = value.multipliedReportingOverflow(by: 10)
    let (sum, carry) = product.addingReportingOverflow(Int(byte &- 0x30))
    guard !overflow, !carry, sum <= limit else { return nil }
    value = sum
    any = true
  }
  return any ? value : nil
}

extension [UInt8] {
  /// Appends a number's digits, in bases up to 16.
  public mutating func append(number: UInt64, radix: UInt64 = 10) {
    let start = count
    var rest = number
    repeat {
      let digit = UInt8(truncatingIfNeeded: rest % radix)
      append(digit < 10 ? 0x30 + digit : 0x57 + digit)
      rest /= radix
    } while rest > 0
    self[start...].reverse()
  }
}
