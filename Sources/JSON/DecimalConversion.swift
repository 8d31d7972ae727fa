// SPDX-License-Identifier: Apache-2.0

/// A decimal number, taken apart: `significand * 10^exponent`.
struct Decimal: Equatable {
  var isNegative = false
  /// The first digits, as many as fit: nineteen at least where there are more.
  var significand: UInt64 = 0
  /// Kept within a bound that no type reaches.
  var exponent = 0
  /// Whether a digit did not fit; none does after it.
  var isFull = false
  /// Whether digits that are not zero were left out: the number is larger then, by less than one in the last place.
  var isTruncated = false
}

/// A binary format of IEEE 754.
struct BinaryFormat {
  /// The bits of a normal number's significand, the hidden one included.
  let precision: Int
  /// The exponent of the smallest normal number.
  let minimum: Int
  /// The bits of infinity.
  let infinity: UInt64

  static let float = BinaryFormat(precision: 24, minimum: -126, infinity: 0x7F80_0000)
  static let double = BinaryFormat(precision: 53, minimum: -1022, infinity: 0x7FF0_0000_0000_0000)
}

/// Turns decimal numbers into the nearest binary ones, ties to even, without the C library: this floor has none.
///
/// A product with 128 bits of a power of ten tells nearly always what is nearest. Where its error matters, and where
/// digits were left out that do, integers of any size are compared.
enum DecimalConversion {
  /// More digits than this never change the result but by being there at all: 768 are enough for any tie.
  private static let digitLimit = 800

  /// The bits of the number nearest to the magnitude; nil beyond the range.
  ///
  /// - Parameter text: the number as it was written, which is looked at where the parts do not tell.
  static func bits(_ number: Decimal, _ format: BinaryFormat, text: ArraySlice<UInt8>) -> UInt64? {
    guard number.significand != 0, number.exponent >= PowerOfFive.range.lowerBound else { return 0 }
    guard number.exponent <= PowerOfFive.range.upperBound else { return nil }
    let (lower, isCertain) = product(number.significand, number.exponent, format)
    var bits = lower.down + (lower.roundsUp ? 1 : 0)
    var isKnown = isCertain
    if isKnown, number.isTruncated {
      let (next, overflow) = number.significand.addingReportingOverflow(1)
      let (upper, isUpperCertain) = overflow ? (lower, false) : product(next, number.exponent, format)
      isKnown = isUpperCertain && upper.down + (upper.roundsUp ? 1 : 0) == bits
    }
    if !isKnown { bits = lower.down + (isAboveMiddle(lower.down, format, text) ? 1 : 0) }
    return bits < format.infinity ? bits : nil
  }

  /// The bits of the number just below `significand * 10^exponent` or equal to it, whether the one above is nearer, and
  /// whether that is certain.
  private static func product(
    _ significand: UInt64, _ exponent: Int, _ format: BinaryFormat
  ) -> (found: (down: UInt64, roundsUp: Bool), isCertain: Bool) {
    let power = PowerOfFive(exponent)
    let (factorHigh, factorLow) = significand.multipliedFullWidth(by: power.factor)
    var factor = UInt128(factorHigh) << 64 | UInt128(factorLow)
    let zeros = factor.leadingZeroBitCount
    factor <<= UInt128(zeros)
    var (high, low) = factor.fullProduct(power.significand)
    // The value is high * 2^exponent and a little more.
    var binary = power.exponent + exponent - zeros + 128
    if high >> 127 == 0 {
      high = high << 1 | low >> 127
      low <<= 1
      binary -= 1
    }
    let order = binary + 127
    // Below the smallest normal number there are fewer bits.
    let precision = min(format.precision, format.precision + order - format.minimum)
    guard precision >= 0 else { return ((0, false), true) }
    let dropped = 128 - precision
    let kept = dropped == 128 ? 0 : UInt64(high >> UInt128(dropped))
    let rest = dropped == 128 ? high : high & ((1 << UInt128(dropped)) - 1)
    let half = UInt128(1) << UInt128(dropped - 1)
    // The hidden bit adds one to the exponent.
    let down = order < format.minimum ? kept : UInt64(order - format.minimum) << UInt64(format.precision - 1) + kept
    if power.isExact {
      let roundsUp = rest > half || (rest == half && (low > 0 || kept & 1 == 1))
      return ((down, roundsUp), true)
    }
    // What the table cut off makes the real product larger by less than two in the last place of `high`.
    return ((down, rest >= half), rest >= half || half - rest > 2)
  }

  /// Whether the number in the text is nearer to what follows the number with these bits than to that number; a tie
  /// goes to the even one of them.
  private static func isAboveMiddle(_ bits: UInt64, _ format: BinaryFormat, _ text: ArraySlice<UInt8>) -> Bool {
    var (digits, exponent) = integer(text)
    // The middle is (2 * significand + 1) * 2^binary.
    let hidden = UInt64(1) << UInt64(format.precision - 1)
    let biased = Int(bits >> UInt64(format.precision - 1))
    let significand = biased == 0 ? bits : bits & (hidden - 1) | hidden
    let binary = max(biased, 1) - 1 + format.minimum - format.precision
    var middle = BigUInt(2 * significand + 1)
    if exponent < 0 {
      middle.multiply(byFiveToThe: -exponent)
    } else {
      digits.multiply(byFiveToThe: exponent)
    }
    exponent -= binary
    if exponent < 0 { middle.shiftLeft(by: -exponent) } else { digits.shiftLeft(by: exponent) }
    let order = digits.compare(middle)
    return order > 0 || (order == 0 && bits & 1 == 1)
  }

  /// All digits of a number as an integer, and the power of ten of the last one.
  private static func integer(_ text: ArraySlice<UInt8>) -> (digits: BigUInt, exponent: Int) {
    let text = text.span
    var digits = BigUInt(0)
    var chunk: UInt64 = 0
    var power: UInt64 = 1
    var count = 0
    var exponent = 0
    var isFraction = false
    var position = 0
    var hasMore = false
    while position < text.count, text[position] | 0x20 != 0x65 {
      let byte = text[position]
      position += 1
      if byte == 0x2E { isFraction = true }
      guard byte >= 0x30 else { continue }
      if isFraction { exponent -= 1 }
      guard count < digitLimit else {
        if byte != 0x30 { hasMore = true }
        exponent += 1
        continue
      }
      if byte != 0x30 || count > 0 { count += 1 }
      chunk = chunk * 10 + UInt64(byte - 0x30)
      power *= 10
      if power == 1_000_000_000_000_000_000 {
        digits.multiply(by: power, adding: chunk)
        (chunk, power) = (0, 1)
      }
    }
    digits.multiply(by: power, adding: chunk)
    if hasMore {
      digits.multiply(by: 10, adding: 1)
      exponent -= 1
    }
    position += 1
    return (digits, exponent + (DecimalScanner.takeExponent(text, &position) ?? 0))
  }
}

extension UInt128 {
  /// The product of two numbers, in two halves.
  fileprivate func fullProduct(_ other: UInt128) -> (high: UInt128, low: UInt128) {
    let (a, b) = (UInt64(truncatingIfNeeded: self >> 64), UInt64(truncatingIfNeeded: self))
    let (c, d) = (UInt64(truncatingIfNeeded: other >> 64), UInt64(truncatingIfNeeded: other))
    let low = Self.product(b, d)
    let middle = Self.product(a, d) + low >> 64
    let other = Self.product(b, c) + UInt128(UInt64(truncatingIfNeeded: middle))
    let high = Self.product(a, c) + middle >> 64 + other >> 64
    return (high, other << 64 | UInt128(UInt64(truncatingIfNeeded: low)))
  }

  private static func product(_ a: UInt64, _ b: UInt64) -> UInt128 {
    let (high, low) = a.multipliedFullWidth(by: b)
    return UInt128(high) << 64 | UInt128(low)
  }
}
