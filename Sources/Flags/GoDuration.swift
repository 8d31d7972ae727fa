// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Lengths of time in the text form of Go's `time` package, which the command lines and manifests of this field share:
/// `300ms`, `1.5h`, `1m30s`. The value is a count of nanoseconds.
public enum GoDuration {
  /// Reads a text; nil where it is malformed, lacks a unit (only `0` may) or exceeds 2^63 nanoseconds.
  public static func parse(_ text: String) -> Int64? {
    var rest = Substring(text).utf8
    var isNegative = false
    if let first = rest.first, first == 0x2D || first == 0x2B {
      isNegative = first == 0x2D
      rest.removeFirst()
    }
    if rest.elementsEqual("0".utf8) { return 0 }
    guard !rest.isEmpty else { return nil }
    var total: UInt64 = 0
    while !rest.isEmpty {
      guard let part = parsePart(&rest) else { return nil }
      let (sum, overflow) = total.addingReportingOverflow(part)
      guard !overflow, sum <= 1 << 63 else { return nil }
      total = sum
    }
    if isNegative { return total == 1 << 63 ? .min : -Int64(total) }
    return Int64(exactly: total)
  }

  /// Writes nanoseconds as Go prints them: `1s`, `250ms`, `1.5s`, `1m30s`, `500µs`, `0s`.
  public static func format(_ nanoseconds: Int64) -> String {
    let sign = nanoseconds < 0 ? "-" : ""
    let value = nanoseconds.magnitude
    switch value {
    case 0: return "0s"
    case ..<1_000: return sign + "\(value)ns"
    case ..<1_000_000: return sign + decimal(value, unit: 1_000) + "µs"
    case ..<1_000_000_000: return sign + decimal(value, unit: 1_000_000) + "ms"
    default: break
    }
    let minutes = value / 60_000_000_000
    let seconds = decimal(value % 60_000_000_000, unit: 1_000_000_000) + "s"
    if minutes == 0 { return sign + seconds }
    if minutes < 60 { return sign + "\(minutes)m" + seconds }
    return sign + "\(minutes / 60)h\(minutes % 60)m" + seconds
  }

  /// Reads one number with its unit, in nanoseconds.
  private static func parsePart(_ rest: inout Substring.UTF8View) -> UInt64? {
    let whole = takeDigits(&rest)
    var fraction: [UInt8] = []
    if rest.first == 0x2E {
      rest.removeFirst()
      fraction = takeDigits(&rest)
    }
    guard !whole.isEmpty || !fraction.isEmpty, let unit = takeUnit(&rest) else { return nil }
    var value: UInt64 = 0
    for digit in whole {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit &- 0x30))
      guard !overflow, !carry else { return nil }
      value = sum
    }
    let (product, overflow) = value.multipliedReportingOverflow(by: unit)
    guard !overflow else { return nil }
    // Digits below a nanosecond count for nothing.
    var scale = unit / 10
    var part: UInt64 = 0
    for digit in fraction where scale > 0 {
      part += UInt64(digit &- 0x30) * scale
      scale /= 10
    }
    let (sum, carry) = product.addingReportingOverflow(part)
    return carry ? nil : sum
  }

  private static func takeDigits(_ rest: inout Substring.UTF8View) -> [UInt8] {
    var digits: [UInt8] = []
    while let byte = rest.first, byte.isASCIIDigit {
      digits.append(byte)
      rest.removeFirst()
    }
    return digits
  }

  private static func takeUnit(_ rest: inout Substring.UTF8View) -> UInt64? {
    var name: [UInt8] = []
    while let byte = rest.first, byte != 0x2E, !byte.isASCIIDigit {
      name.append(byte)
      rest.removeFirst()
    }
    switch String(decoding: name, as: UTF8.self) {
    case "ns": return 1
    case "us", "\u{B5}s", "\u{3BC}s": return 1_000  // both of Unicode's mus
    case "ms": return 1_000_000
    case "s": return 1_000_000_000
    case "m": return 60_000_000_000
    case "h": return 3_600_000_000_000
    default: return nil
    }
  }

  private static func decimal(_ value: UInt64, unit: UInt64) -> String {
    var text = String(value / unit)
    var rest = value % unit
    guard rest > 0 else { return text }
    text += "."
    var scale = unit / 10
    while rest > 0 {
      text += String(rest / scale)
      rest %= scale
      scale /= 10
    }
    return text
  }
}
