// SPDX-License-Identifier: Apache-2.0

// JSON: RFC 8259, written straight to bytes.

/// A member's name as a document has it, made once for what is written many times.
public struct JSONKey: Sendable {
  fileprivate let bytes: [UInt8]

  /// A key of a name.
  public init(_ name: String) {
    var bytes: [UInt8] = []
    JSONWriter.appendQuoted(name, to: &bytes)
    self.bytes = bytes + [0x3A]
  }
}

/// Writes one JSON document in the order of the calls, without white space.
///
/// The caller nests rightly: `key` inside objects only, as many ends as begins. Commas are the writer's business.
public struct JSONWriter: Sendable {
  /// What was written so far.
  public private(set) var bytes: [UInt8] = []

  /// Whether the next value or key follows a sibling.
  private var needsComma = false

  /// An empty document.
  public init() {}

  /// What was written so far, as text.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Hands over what was written so far and forgets it: a long document never is in memory as a whole.
  public mutating func drain(_ body: ([UInt8]) -> Void) {
    body(bytes)
    bytes.removeAll(keepingCapacity: true)
  }

  /// Begins an object.
  public mutating func beginObject() { open(0x7B) }
  /// Ends the innermost object.
  public mutating func endObject() { close(0x7D) }
  /// Begins an array.
  public mutating func beginArray() { open(0x5B) }
  /// Ends the innermost array.
  public mutating func endArray() { close(0x5D) }

  /// Writes a member's name; its value comes next.
  public mutating func key(_ name: String) {
    separate()
    quote(name)
    bytes.append(0x3A)
    needsComma = false
  }

  /// Writes a member whose value is a number.
  public mutating func member(_ key: JSONKey, _ value: UInt64) {
    separate()
    bytes += key.bytes
    append(value)
  }

  /// Writes a string.
  public mutating func string(_ value: String) {
    separate()
    quote(value)
  }

  /// Writes an integer.
  public mutating func integer(_ value: Int64) {
    separate()
    if value < 0 { bytes.append(0x2D) }
    append(value.magnitude)
  }

  /// Writes `true` or `false`.
  public mutating func boolean(_ value: Bool) {
    separate()
    append(value ? "true" : "false")
  }

  /// Writes `null`.
  public mutating func null() {
    separate()
    append("null")
  }

  /// Writes a non-negative number of thousandths as a decimal with up to three places: 1500 is `1.5`.
  public mutating func thousandths(_ value: Int64) {
    separate()
    let value = max(0, value)
    append((value / 1000).magnitude)
    var rest = value % 1000
    guard rest != 0 else { return }
    bytes.append(0x2E)
    var unit: Int64 = 100
    while rest > 0 {
      bytes.append(0x30 + UInt8(rest / unit))
      rest %= unit
      unit /= 10
    }
  }

  private mutating func append(_ literal: StaticString) {
    unsafe bytes += UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
  }

  /// Appends the digits of a number.
  private mutating func append(_ number: UInt64) {
    // 2^64 has twenty digits.
    var digits: InlineArray<20, UInt8> = .init(repeating: 0)
    var start = 20
    var rest = number
    repeat {
      start -= 1
      digits[start] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    unsafe digits.span.extracting(start...).withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
  }

  private mutating func open(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(0x2C) }
    needsComma = true
  }

  private mutating func quote(_ text: String) { Self.appendQuoted(text, to: &bytes) }

  /// Appends a text in quotes to bytes: the two characters and the controls that JSON demands are escaped, all else is
  /// UTF-8 as it is.
  public static func appendQuoted(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(0x22)
    defer { bytes.append(0x22) }
    // Most texts have nothing to escape.
    var text = text
    let isPlain = text.withUTF8 { text in
      guard unsafe !text.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) else { return false }
      unsafe bytes.append(contentsOf: text)
      return true
    }
    if isPlain { return }
    for byte in text.utf8 {
      guard byte < 0x20 || byte == 0x22 || byte == 0x5C else {
        bytes.append(byte)
        continue
      }
      bytes.append(0x5C)
      // Byte by byte: constant arrays in the cases would be mixed up in the released files; see scripts/check-objects.
      switch byte {
      case 0x22, 0x5C: bytes.append(byte)
      case 0x0A: bytes.append(0x6E)
      case 0x0D: bytes.append(0x72)
      case 0x09: bytes.append(0x74)
      default:
        let digit = byte & 0x0F
        bytes += [0x75, 0x30, 0x30, 0x30 + (byte >> 4), digit < 10 ? 0x30 + digit : 0x57 + digit]
      }
    }
  }
}
