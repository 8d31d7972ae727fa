// SPDX-License-Identifier: Apache-2.0

/// Turns decimal digits into the nearest double, without the C library: this floor has none.
enum DecimalConversion {
  /// More digits than this never change the result but by being there at all: 768 are enough for any tie.
  private static let digitLimit = 800

  /// The double nearest to the digits times a power of ten, ties to even; nil beyond the range.
  ///
  /// The digits have no zero at either end.
  static func double(_ digits: [UInt8], exponent: Int) -> Double? {
    guard !digits.isEmpty else { return 0 }
    var digits = digits
    var exponent = exponent
    if digits.count > digitLimit {
      exponent += digits.count - digitLimit - 1
      digits = digits.prefix(digitLimit) + [1]
    }
    // The value lies between 10^(order - 1) and 10^order.
    let order = digits.count + exponent
    if order > 310 { return nil }
    if order < -330 { return 0 }
    if let exact = exact(digits, exponent) { return exact }
    return rounded(digits, exponent)
  }

  /// Where digits and power are doubles without error, so is the one correctly rounded operation on them.
  private static func exact(_ digits: [UInt8], _ exponent: Int) -> Double? {
    guard digits.count <= 15, abs(exponent) <= 22 else { return nil }
    let value = digits.reduce(0.0) { $0 * 10 + Double($1) }
    var power = 1.0
    for _ in 0..<abs(exponent) { power *= 10 }
    return exponent < 0 ? value / power : value * power
  }

  /// The quotient of two large integers to 64 bits, and whether anything is left, give every rounding.
  private static func rounded(_ digits: [UInt8], _ exponent: Int) -> Double? {
    var numerator = BigUInt()
    for digit in digits { numerator.multiply(by: 10, adding: UInt32(digit)) }
    var denominator = BigUInt()
    denominator.multiply(by: 1, adding: 1)
    for _ in 0..<abs(exponent) {
      if exponent < 0 { denominator.multiply(by: 10, adding: 0) } else { numerator.multiply(by: 10, adding: 0) }
    }
    // The quotient of numerator * 2^shift and denominator has 63 or 64 bits.
    let shift = 63 - (numerator.bitCount - denominator.bitCount)
    if shift > 0 { numerator.shiftLeft(by: shift) } else { denominator.shiftLeft(by: -shift) }
    var quotient: UInt64 = 0
    denominator.shiftLeft(by: 63)
    for _ in 0..<64 {
      quotient <<= 1
      if numerator.subtract(denominator) { quotient |= 1 }
      numerator.shiftLeft(by: 1)
    }
    return scaled(quotient, shift: shift, isMore: !numerator.isZero)
  }

  /// The double nearest to quotient * 2^-shift and a little more where `isMore` says so.
  private static func scaled(_ quotient: UInt64, shift: Int, isMore: Bool) -> Double? {
    guard quotient != 0 else { return 0 }
    let zeros = quotient.leadingZeroBitCount
    let bits = quotient << UInt64(zeros)
    let binaryExponent = 63 - shift - zeros
    // Below the smallest normal number there are fewer bits.
    let precision = min(53, binaryExponent + 1_075)
    if precision < 0 { return 0 }
    let dropped = UInt64(64 - precision)
    var kept = dropped == 64 ? 0 : bits >> dropped
    let half = UInt64(1) << (dropped - 1)
    let rest = dropped == 64 ? bits : bits & ((1 << dropped) - 1)
    if rest > half || (rest == half && (isMore || kept & 1 == 1)) { kept += 1 }
    let value = Double(sign: .plus, exponent: binaryExponent - precision + 1, significand: Double(kept))
    return value.isFinite ? value : nil
  }
}

/// An unsigned integer of any size: as much as the conversion needs and no more.
private struct BigUInt {
  /// The lowest limb first; no zeros at the end.
  private var limbs: [UInt32] = []

  var isZero: Bool { limbs.isEmpty }

  var bitCount: Int { limbs.isEmpty ? 0 : limbs.count * 32 - limbs[limbs.count - 1].leadingZeroBitCount }

  mutating func multiply(by factor: UInt32, adding addend: UInt32) {
    var carry = UInt64(addend)
    for index in limbs.indices {
      carry += UInt64(limbs[index]) * UInt64(factor)
      limbs[index] = UInt32(truncatingIfNeeded: carry)
      carry >>= 32
    }
    if carry > 0 { limbs.append(UInt32(truncatingIfNeeded: carry)) }
  }

  mutating func shiftLeft(by count: Int) {
    guard count > 0, !limbs.isEmpty else { return }
    let bits = UInt64(count % 32)
    var carry: UInt64 = 0
    for index in limbs.indices {
      carry |= UInt64(limbs[index]) << bits
      limbs[index] = UInt32(truncatingIfNeeded: carry)
      carry >>= 32
    }
    if carry > 0 { limbs.append(UInt32(truncatingIfNeeded: carry)) }
    limbs = Array(repeating: 0, count: count / 32) + limbs
  }

  /// Takes the other away where it is not larger; false, and no change, where it is.
  mutating func subtract(_ other: BigUInt) -> Bool {
    guard !isLess(than: other) else { return false }
    var borrow: Int64 = 0
    for index in limbs.indices {
      let difference = Int64(limbs[index]) - (index < other.limbs.count ? Int64(other.limbs[index]) : 0) + borrow
      limbs[index] = UInt32(truncatingIfNeeded: difference)
      borrow = difference >> 32
    }
    while limbs.last == 0 { limbs.removeLast() }
    return true
  }

  private func isLess(than other: BigUInt) -> Bool {
    guard limbs.count == other.limbs.count else { return limbs.count < other.limbs.count }
    for index in limbs.indices.reversed() where limbs[index] != other.limbs[index] {
      return limbs[index] < other.limbs[index]
    }
    return false
  }
}
