// SPDX-License-Identifier: Apache-2.0

/// What a field holds; the numbers are those of `google.protobuf.FieldDescriptorProto.Type`.
public enum FieldType: UInt8, Sendable {
  /// 64 bits, IEEE 754.
  case double = 1
  /// 32 bits, IEEE 754.
  case float = 2
  /// A varint; a negative number takes ten bytes.
  case int64 = 3
  /// A varint.
  case uint64 = 4
  /// A varint; a negative number takes ten bytes.
  case int32 = 5
  /// Eight bytes.
  case fixed64 = 6
  /// Four bytes.
  case fixed32 = 7
  /// A varint.
  case bool = 8
  /// Text.
  case string = 9
  /// A message between the two tags of a group; in an edition, one whose encoding is delimited.
  case group = 10
  /// A message behind its length.
  case message = 11
  /// Bytes.
  case bytes = 12
  /// A varint.
  case uint32 = 13
  /// An enum's number, as ``int32``.
  case enumeration = 14
  /// Four bytes, with a sign.
  case sfixed32 = 15
  /// Eight bytes, with a sign.
  case sfixed64 = 16
  /// A varint in which small negative numbers are short.
  case sint32 = 17
  /// A varint in which small negative numbers are short.
  case sint64 = 18

  /// The wire type of one value.
  var wireType: UInt8 {
    switch self {
    case .int64, .uint64, .int32, .bool, .uint32, .enumeration, .sint32, .sint64: 0
    case .double, .fixed64, .sfixed64: 1
    case .string, .message, .bytes: 2
    case .group: 3
    case .float, .fixed32, .sfixed32: 5
    }
  }

  /// Whether several values can stand in one packed field.
  var isPackable: Bool { wireType != 2 && wireType != 3 }

  /// Whether the value is a message.
  var isMessage: Bool { self == .message || self == .group }

  /// Whether a map's key can be of this type.
  var isMapKey: Bool {
    switch self {
    case .double, .float, .bytes, .message, .group, .enumeration: false
    default: true
    }
  }
}

/// How many values a field has.
public enum FieldCardinality: Sendable {
  /// None or one.
  case singular
  /// Exactly one: a message without it is not complete.
  case required
  /// Any number, in order.
  case repeated
}
