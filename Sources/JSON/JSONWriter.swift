// SPDX-License-Identifier: Apache-2.0

// JSON: RFC 8259, written straight to bytes.

/// A member's name as a document has it, made once for what is written many times.
public struct JSONKey: Sendable {
  fileprivate let bytes: [UInt8]

  /// A key of a name.
  public init(_ name: String) {
    var bytes: [UInt8] = []
    JSONWriter.appendQuoted(name, to: &bytes)
    self.bytes = bytes
  }
}

/// Writes one JSON document in the order of the calls, without white space unless it is asked for.
///
/// The caller nests rightly: `key` inside objects only, as many ends as begins. Commas are the writer's business.
public struct JSONWriter: Sendable {
  /// What was written so far.
  public private(set) var bytes: [UInt8]

  /// How deep what follows stands; negative where nothing is indented.
  private var indentation: Int
  /// What the next value or key follows.
  private var place = Place.start

  private enum Place {
    /// Nothing, or a key.
    case start
    /// A bracket that was opened.
    case bracket
    /// A sibling.
    case sibling
  }

  /// An empty document, whose members and elements stand on lines of their own, two spaces deeper a level, where it is
  /// indented: for people.
  public init(isIndented: Bool = false) {
    self.init(appendingTo: [], isIndented: isIndented)
  }

  /// A document behind bytes that are there already.
  public init(appendingTo bytes: consuming [UInt8], isIndented: Bool = false) {
    self.bytes = bytes
    indentation = isIndented ? 0 : -1
  }

  /// What was written so far, as text.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Hands over what was written so far and forgets it: a long document never is in memory as a whole.
  public mutating func drain(_ body: ([UInt8]) -> Void) {
    body(bytes)
    bytes.removeAll(keepingCapacity: true)
  }

  /// All that was written; the writer is gone, so that nothing is copied.
  public consuming func finish() -> [UInt8] { bytes }

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
    Self.appendQuoted(name, to: &bytes)
    colon()
  }

  /// Writes a member's name from bytes that are known to be UTF-8; its value comes next.
  public mutating func key(_ name: ArraySlice<UInt8>) {
    separate()
    Self.appendQuoted(name.span, to: &bytes)
    colon()
  }

  /// Writes a member's name; its value comes next.
  public mutating func key(_ name: JSONKey) {
    separate()
    bytes += name.bytes
    colon()
  }

  /// Writes a member whose value is a number.
  public mutating func member(_ name: JSONKey, _ value: UInt64) {
    key(name)
    unsignedInteger(value)
  }

  /// Writes a member's name of characters that need no escape, which the caller appends to the bytes.
  public mutating func plainKey(_ append: (inout [UInt8]) -> Void) {
    plainString(append)
    colon()
  }

  /// Writes a string.
  public mutating func string(_ value: String) {
    separate()
    Self.appendQuoted(value, to: &bytes)
  }

  /// Writes a string from bytes that are known to be UTF-8.
  public mutating func string(_ value: ArraySlice<UInt8>) {
    separate()
    Self.appendQuoted(value.span, to: &bytes)
  }

  /// Writes a string of characters that need no escape, which the caller appends to the bytes.
  public mutating func plainString(_ append: (inout [UInt8]) -> Void) {
    separate()
    bytes.append(0x22)
    append(&bytes)
    bytes.append(0x22)
  }

  /// Writes a value that is JSON already; the caller knows that it is.
  public mutating func raw(_ value: ArraySlice<UInt8>) {
    separate()
    bytes += value
  }

  /// Writes an integer.
  public mutating func integer(_ value: Int64) {
    separate()
    Self.appendDecimal(value, to: &bytes)
  }

  /// Writes an integer without a sign.
  public mutating func unsignedInteger(_ value: UInt64) {
    separate()
    Self.appendDecimal(value, to: &bytes)
  }

  /// Writes an integer in quotes: for readers to whom every number is a double.
  public mutating func quotedInteger(_ value: Int64) { plainString { Self.appendDecimal(value, to: &$0) } }

  /// Writes an integer without a sign, in quotes.
  public mutating func quotedUnsignedInteger(_ value: UInt64) { plainString { Self.appendDecimal(value, to: &$0) } }

  /// Writes the shortest number that reads back as this double, 1 for 1.0; JSON has none for infinity and for what is
  /// no number, which become `null`.
  public mutating func number(_ value: Double) {
    // Whole numbers below 2^53 need no search for the shortest form; a zero may have a sign.
    if value.magnitude < 9_007_199_254_740_992, value != 0, Double(Int64(value)) == value {
      return integer(Int64(value))
    }
    guard value.isFinite else { return null() }
    separate()
    Self.appendNumber(value.description, to: &bytes)
  }

  /// Writes the shortest number that reads back as this float; as for doubles.
  public mutating func number(_ value: Float) {
    if value.magnitude < 16_777_216, value != 0, Float(Int64(value)) == value { return integer(Int64(value)) }
    guard value.isFinite else { return null() }
    separate()
    Self.appendNumber(value.description, to: &bytes)
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
    let value = max(0, value)
    integer(value / 1000)
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
    // A literal lives as long as the program.
    unsafe bytes += UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
  }

  private mutating func open(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    if indentation >= 0 { indentation += 1 }
    place = .bracket
  }

  private mutating func close(_ bracket: UInt8) {
    if indentation >= 0 {
      indentation -= 1
      if place == .sibling { breakLine() }
    }
    bytes.append(bracket)
    place = .sibling
  }

  private mutating func colon() {
    bytes.append(0x3A)
    if indentation >= 0 { bytes.append(0x20) }
    place = .start
  }

  private mutating func separate() {
    if place == .sibling { bytes.append(0x2C) }
    if indentation >= 0, place != .start { breakLine() }
    place = .sibling
  }

  private mutating func breakLine() {
    bytes.append(0x0A)
    for _ in 0..<2 * indentation { bytes.append(0x20) }
  }
}
