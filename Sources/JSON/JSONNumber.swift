// SPDX-License-Identifier: Apache-2.0

/// A number of a document, as it was written: nothing is lost until somebody asks for a type.
public struct JSONNumber: Equatable, Sendable {
  /// The text: a sign, digits, a fraction, an exponent, as RFC 8259 has them.
  public let text: String

  /// A text that was found to be a number.
  init(valid text: String) { self.text = text }

  /// The number as a whole one of 64 bits; nil for one that is not whole or not in range. `1e3` and `1.0` are whole.
  public var int64: Int64? {
    guard let (isNegative, magnitude) = whole else { return nil }
    if isNegative { return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil }
    return Int64(exactly: magnitude)
  }

  /// The number as a whole one of 64 bits without a sign; nil for one that is not whole, negative or too large.
  public var uint64: UInt64? {
    guard let (isNegative, magnitude) = whole, !isNegative || magnitude == 0 else { return nil }
    return magnitude
  }

  /// The double that is nearest to the number, ties to even; nil for one beyond the range of doubles.
  public var double: Double? {
    let parts = Decimal(text)
    guard let magnitude = DecimalConversion.double(parts.digits, exponent: parts.exponent) else { return nil }
    return parts.isNegative ? -magnitude : magnitude
  }

  private var whole: (isNegative: Bool, magnitude: UInt64)? {
    let parts = Decimal(text)
    guard !parts.digits.isEmpty else { return (false, 0) }
    guard parts.exponent >= 0, parts.exponent < 20 else { return nil }
    var value: UInt64 = 0
    for digit in parts.digits + Array(repeating: 0, count: parts.exponent) {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      if overflow || carry { return nil }
      value = sum
    }
    return (parts.isNegative, value)
  }
}

/// A number's significant digits, without zeros at either end, and the power of ten of the last one.
private struct Decimal {
  /// Exponents are kept within this bound: everything beyond is zero or out of range for any type.
  private static let exponentLimit = 1_000_000_000

  private(set) var isNegative = false
  private(set) var digits: [UInt8] = []
  private(set) var exponent = 0

  init(_ text: String) {
    var isFraction = false
    var rest = text.utf8[...]
    if rest.first == 0x2D {
      isNegative = true
      rest = rest.dropFirst()
    }
    while let byte = rest.first, byte | 0x20 != 0x65 {
      rest = rest.dropFirst()
      if byte == 0x2E {
        isFraction = true
        continue
      }
      if isFraction { exponent -= 1 }
      if byte != 0x30 || !digits.isEmpty { digits.append(byte &- 0x30) }
    }
    exponent += Self.exponent(rest.dropFirst())
    while digits.last == 0 {
      digits.removeLast()
      exponent += 1
    }
  }

  private static func exponent(_ text: Substring.UTF8View) -> Int {
    var value = 0
    for byte in text where byte != 0x2B && byte != 0x2D {
      value = min(value * 10 + Int(byte &- 0x30), exponentLimit)
    }
    return text.first == 0x2D ? -value : value
  }
}
