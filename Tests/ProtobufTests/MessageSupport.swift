// SPDX-License-Identifier: Apache-2.0

import Protobuf
import TestSupport

/// The message `M` of a file of parts.
func type(_ syntax: String, _ parts: [(Int, Part)], beside others: [(Int, Part)] = []) throws -> MessageDescriptor {
  let pool = try DescriptorPool(files: [file(syntax, [declaration("M", parts)] + others)])
  guard let type = pool.message(named: "M") else { throw MissingType() }
  return type
}

struct MissingType: Error {}

/// The parts of a map `m` of number 1 in a message `M`.
func map(_ key: FieldType, _ value: FieldType, named name: String = "") -> [(Int, Part)] {
  [
    field("m", 1, .message, .repeated, named: ".M.MEntry"),
    declaration("MEntry", at: 3, [(7, [(7, 1)]), field("key", 1, key), field("value", 2, value, named: name)]),
  ]
}

/// Bytes of hex digits; what is no digit is left out.
func hex(_ text: String) -> [UInt8] {
  let digits = text.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

extension DynamicMessage {
  /// The encoded message.
  func encoded(allowsMissingRequired: Bool = false) throws(MessageError) -> [UInt8] {
    var bytes: [UInt8] = []
    try encode(into: &bytes, allowsMissingRequired: allowsMissingRequired)
    return bytes
  }

  /// The value of a field by its name.
  func value(_ name: String) throws -> DynamicValue? {
    guard let field = type.field(named: name) else { return nil }
    return try get(field)
  }

  /// Whether the field of a name is set.
  func has(_ name: String) throws -> Bool {
    guard let field = type.field(named: name) else { return false }
    return try has(field)
  }
}

/// Why bytes in hex are no message of a type.
func refusal(_ text: String, _ type: MessageDescriptor, limits: MessageLimits = .init()) -> MessageError? {
  refusal(hex(text), type, limits: limits)
}

func refusal(_ bytes: [UInt8], _ type: MessageDescriptor, limits: MessageLimits = .init()) -> MessageError? {
  do throws(MessageError) {
    _ = try DynamicMessage(decoding: bytes, as: type, limits: limits)
    return nil
  } catch { return error }
}
