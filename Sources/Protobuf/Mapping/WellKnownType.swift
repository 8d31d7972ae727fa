// SPDX-License-Identifier: Apache-2.0

/// The messages whose form in JSON is one of their own.
enum WellKnownType {
  case any
  case timestamp
  case duration
  case fieldMask
  case structure
  case value
  case listValue
  case wrapper

  /// The longest of the names.
  private static let nameLimit = 27

  /// What a message is, told by its full name; nil for every other one.
  @inline(__always)
  init?(_ layout: MessageLayout) {
    let name = layout.common.fullName
    guard name.utf8.count <= Self.nameLimit, name.hasPrefix("google.protobuf.") else { return nil }
    self.init(name)
  }

  private init?(_ name: String) {
    switch name {
    case "google.protobuf.Any": self = .any
    case "google.protobuf.Timestamp": self = .timestamp
    case "google.protobuf.Duration": self = .duration
    case "google.protobuf.FieldMask": self = .fieldMask
    case "google.protobuf.Struct": self = .structure
    case "google.protobuf.Value": self = .value
    case "google.protobuf.ListValue": self = .listValue
    case "google.protobuf.DoubleValue", "google.protobuf.FloatValue", "google.protobuf.Int64Value",
      "google.protobuf.UInt64Value", "google.protobuf.Int32Value", "google.protobuf.UInt32Value",
      "google.protobuf.BoolValue", "google.protobuf.StringValue", "google.protobuf.BytesValue":
      self = .wrapper
    default: return nil
    }
  }
}

extension EnumLayout {
  /// Whether it is the enum whose one value is `null`.
  var isNullValue: Bool { common.fullName == "google.protobuf.NullValue" }
}

extension FieldSlot {
  /// Whether `null` is a value of the field's type, and not the absence of one.
  var takesNull: Bool {
    switch type {
    case .message:
      if let message, case .value? = WellKnownType(message) { true } else { false }
    case .enumeration: enumeration?.isNullValue ?? false
    default: false
    }
  }
}

extension MessageLayout {
  /// The slot of a field of a well-known type; nil where a pool declares that type otherwise.
  func slot(numbered number: UInt32, _ type: FieldType, isRepeated: Bool = false) -> FieldSlot? {
    let index = index(of: number)
    guard index >= 0 else { return nil }
    let slot = slot(index)
    return slot.type == type && slot.flags.contains(.repeated) == isRepeated ? slot : nil
  }
}
