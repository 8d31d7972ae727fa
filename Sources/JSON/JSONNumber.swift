// SPDX-License-Identifier: Apache-2.0

/// A number of a document, as it was written: nothing is lost until somebody asks for a type.
public struct JSONNumber: Equatable, Sendable {
  /// The text: a sign, digits, a fraction, an exponent, as RFC 8259 has them. A view into the document.
  public let bytes: ArraySlice<UInt8>

  private let parts: Decimal

  /// A number of its text; nil where that is none, or something stands around it.
  public init?(_ bytes: ArraySlice<UInt8>) {
    guard case .number(let parts, let end) = DecimalScanner.scan(bytes.span, from: 0), end == bytes.count else {
      return nil
    }
    self.init(bytes, parts)
  }

  /// A text that was found to be a number.
  init(_ bytes: ArraySlice<UInt8>, _ parts: Decimal) {
    self.bytes = bytes
    self.parts = parts
  }

  /// The text as a string.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The number as a whole one of 64 bits; nil for one that is not whole or not in range. `1e3` and `1.0` are whole.
  public var int64: Int64? {
    guard let magnitude else { return nil }
    guard parts.isNegative else { return Int64(exactly: magnitude) }
    return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
  }

  /// The number as a whole one of 64 bits without a sign; nil for one that is not whole, negative or too large.
  public var uint64: UInt64? {
    guard let magnitude, !parts.isNegative || magnitude == 0 else { return nil }
    return magnitude
  }

  /// The double that is nearest to the number, ties to even; nil for one beyond the range of doubles.
  public var double: Double? {
    // A whole number below 2^53 is a double as it is.
    if parts.exponent == 0, parts.significand < 1 << 53, !parts.isTruncated {
      let value = Double(parts.significand)
      return parts.isNegative ? -value : value
    }
    guard let bits = DecimalConversion.bits(parts, .double, text: bytes) else { return nil }
    return Double(bitPattern: bits | (parts.isNegative ? 1 << 63 : 0))
  }

  /// The float that is nearest to the number, ties to even; nil for one beyond the range of floats. It is not the float
  /// nearest to ``double``: that one was rounded twice.
  public var float: Float? {
    guard let bits = DecimalConversion.bits(parts, .float, text: bytes) else { return nil }
    return Float(bitPattern: UInt32(truncatingIfNeeded: bits | (parts.isNegative ? 1 << 31 : 0)))
  }

  /// The magnitude of a whole number; nil where it is not whole or not below 2^64.
  private var magnitude: UInt64? {
    // What was left out is less than the last place of more than 64 bits, or a fraction.
    guard !parts.isTruncated else { return nil }
    var value = parts.significand
    if parts.exponent == 0 || value == 0 { return value }
    guard (-20...19).contains(parts.exponent) else { return nil }
    if parts.exponent < 0 {
      for _ in parts.exponent..<0 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: 10)
        guard remainder == 0 else { return nil }
        value = quotient
      }
    } else {
      for _ in 0..<parts.exponent {
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        guard !overflow else { return nil }
        value = product
      }
    }
    return value
  }

  /// Whether both are written the same.
  public static func == (one: JSONNumber, other: JSONNumber) -> Bool { one.bytes == other.bytes }
}

/// Finds a number's end and takes it apart on the way.
enum DecimalScanner {
  enum Result {
    case number(Decimal, end: Int)
    /// The bytes end where a digit must stand.
    case incomplete
    /// RFC 8259 allows no such number.
    case malformed
  }

  /// Exponents are kept within this bound: everything beyond is zero or out of range for any type.
  private static let exponentLimit = 1_000_000_000

  /// Reads the number that begins at an offset.
  static func scan(_ bytes: Span<UInt8>, from start: Int) -> Result {
    var number = Decimal()
    var position = start
    if position < bytes.count, bytes[position] == 0x2D {
      number.isNegative = true
      position += 1
    }
    let whole = position
    var left = take(bytes, &position, &number)
    guard position > whole else { return position < bytes.count ? .malformed : .incomplete }
    // A zero in front has nothing behind it.
    guard bytes[whole] != 0x30 || position == whole + 1 else { return .malformed }
    number.exponent = left
    if position < bytes.count, bytes[position] == 0x2E {
      position += 1
      let fraction = position
      left = take(bytes, &position, &number)
      guard position > fraction else { return position < bytes.count ? .malformed : .incomplete }
      number.exponent += left - (position - fraction)
    }
    if position < bytes.count, bytes[position] | 0x20 == 0x65 {
      position += 1
      guard let exponent = takeExponent(bytes, &position) else {
        return position < bytes.count ? .malformed : .incomplete
      }
      number.exponent += exponent
    }
    return .number(number, end: position)
  }

  /// Takes what stands behind an `e`; nil where there is no digit.
  static func takeExponent(_ bytes: Span<UInt8>, _ position: inout Int) -> Int? {
    let isNegative = position < bytes.count && bytes[position] == 0x2D
    if position < bytes.count, isNegative || bytes[position] == 0x2B { position += 1 }
    let digits = position
    var value = 0
    while position < bytes.count, bytes[position] &- 0x30 < 10 {
      value = min(value * 10 + Int(bytes[position] &- 0x30), exponentLimit)
      position += 1
    }
    guard position > digits else { return nil }
    return isNegative ? -value : value
  }

  /// Takes digits as far as they fit; how many did not.
  @inline(__always)
  private static func take(_ bytes: Span<UInt8>, _ position: inout Int, _ number: inout Decimal) -> Int {
    var left = 0
    while position < bytes.count {
      let digit = UInt64(bytes[position] &- 0x30)
      guard digit < 10 else { break }
      position += 1
      if left == 0, number.significand < 1_844_674_407_370_955_161 {
        number.significand = number.significand &* 10 &+ digit
      } else {
        leave(digit, &left, &number)
      }
    }
    return left
  }

  /// Takes a digit if it still fits; no other one does when one did not.
  private static func leave(_ digit: UInt64, _ left: inout Int, _ number: inout Decimal) {
    let (product, overflow) = number.significand.multipliedReportingOverflow(by: 10)
    let (sum, carry) = product.addingReportingOverflow(digit)
    if left == 0, !overflow, !carry, !number.isFull {
      number.significand = sum
      return
    }
    number.isFull = true
    left += 1
    if digit != 0 { number.isTruncated = true }
  }
}
