// SPDX-License-Identifier: Apache-2.0

/// An unsigned integer of any size: as much as the comparison of two numbers needs and no more.
struct BigUInt {
  /// The lowest limb first; no zeros at the end.
  private var limbs: [UInt64] = []

  init(_ value: UInt64) {
    if value > 0 { limbs.append(value) }
  }

  mutating func multiply(by factor: UInt64, adding addend: UInt64 = 0) {
    var carry = addend
    for index in limbs.indices {
      let (high, low) = limbs[index].multipliedFullWidth(by: factor)
      let (sum, overflow) = low.addingReportingOverflow(carry)
      limbs[index] = sum
      // The product's upper half is 2^64 - 2 at most.
      carry = high &+ (overflow ? 1 : 0)
    }
    if carry > 0 { limbs.append(carry) }
  }

  /// Multiplies by a power of five, as many at a time as a limb holds.
  mutating func multiply(byFiveToThe exponent: Int) {
    var rest = exponent
    while rest >= 27 {
      multiply(by: 7_450_580_596_923_828_125)
      rest -= 27
    }
    var power: UInt64 = 1
    for _ in 0..<rest { power *= 5 }
    if rest > 0 { multiply(by: power) }
  }

  mutating func shiftLeft(by count: Int) {
    guard count > 0, !limbs.isEmpty else { return }
    let bits = UInt64(count % 64)
    if bits > 0 { multiply(by: 1 << bits) }
    limbs.insert(contentsOf: repeatElement(0, count: count / 64), at: 0)
  }

  /// Less than zero, zero or more, as this number is less than the other, equal to it or more.
  func compare(_ other: BigUInt) -> Int {
    guard limbs.count == other.limbs.count else { return limbs.count - other.limbs.count }
    for index in limbs.indices.reversed() where limbs[index] != other.limbs[index] {
      return limbs[index] < other.limbs[index] ? -1 : 1
    }
    return 0
  }
}
