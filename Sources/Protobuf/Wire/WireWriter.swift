// SPDX-License-Identifier: Apache-2.0

/// Writes the fields of one message, in the order of the calls.
///
/// Field numbers come from the program's own tables; they are 1 to 2^29 - 1.
public struct WireWriter: Sendable {
  /// What was written so far.
  public private(set) var bytes: [UInt8] = []

  /// An empty message.
  public init() {}

  /// Writes a varint field: an unsigned integer, a boolean, or an enum's number.
  public mutating func varint(_ value: UInt64, field: Int) {
    append(tag: field, type: 0)
    append(varint: value)
  }

  /// Writes an `int32` or enum field: a negative value takes ten bytes, as the format demands.
  public mutating func int32(_ value: Int32, field: Int) {
    varint(UInt64(bitPattern: Int64(value)), field: field)
  }

  /// Writes a `fixed64`, `sfixed64` or, by its bit pattern, `double` field.
  public mutating func fixed64(_ value: UInt64, field: Int) {
    append(tag: field, type: 1)
    for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift))) }
  }

  /// Writes a `fixed32`, `sfixed32` or, by its bit pattern, `float` field.
  public mutating func fixed32(_ value: UInt32, field: Int) {
    append(tag: field, type: 5)
    for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
  }

  /// Writes a string field.
  public mutating func string(_ value: String, field: Int) {
    append(tag: field, type: 2)
    append(varint: UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  /// Writes a packed field of `int32` values; nothing where there are none.
  public mutating func packed(_ values: [Int32], field: Int) {
    guard !values.isEmpty else { return }
    var content = WireWriter()
    for value in values { content.append(varint: UInt64(bitPattern: Int64(value))) }
    bytes(content.bytes, field: field)
  }

  /// Writes a bytes field, or a message that is already encoded.
  public mutating func bytes(_ value: [UInt8], field: Int) {
    append(tag: field, type: 2)
    append(varint: UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  private mutating func append(tag field: Int, type: UInt64) {
    append(varint: UInt64(truncatingIfNeeded: field) << 3 | type)
  }

  private mutating func append(varint: UInt64) {
    var rest = varint
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }
}
