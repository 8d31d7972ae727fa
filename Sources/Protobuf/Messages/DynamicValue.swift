// SPDX-License-Identifier: Apache-2.0

/// The value of a field, as a program sees it.
public enum DynamicValue: Equatable, Sendable {
  /// `int32`, `sint32` or `sfixed32`.
  case int32(Int32)
  /// `int64`, `sint64` or `sfixed64`.
  case int64(Int64)
  /// `uint32` or `fixed32`.
  case uint32(UInt32)
  /// `uint64` or `fixed64`.
  case uint64(UInt64)
  /// `float`
  case float(Float)
  /// `double`
  case double(Double)
  /// `bool`
  case bool(Bool)
  /// `string`. Bytes that are not UTF-8, which some fields may hold, are shown as replacement characters.
  case string(String)
  /// `bytes`
  case bytes([UInt8])
  /// The number of an enum's value.
  case enumeration(Int32)
  /// A message.
  case message(DynamicMessage)
  /// The values of a repeated field.
  case list([DynamicValue])
  /// The entries of a map, sorted by key.
  case map([DynamicMapEntry])
}

/// An entry of a map.
public struct DynamicMapEntry: Equatable, Sendable {
  /// The key: a whole number, a boolean or a string.
  public let key: DynamicValue
  /// The value.
  public let value: DynamicValue

  /// An entry of a key and a value.
  public init(key: DynamicValue, value: DynamicValue) {
    self.key = key
    self.value = value
  }
}

extension DynamicValue {
  /// A number of its bits, as ``Value/scalar(_:)`` has them.
  init(bits: UInt64, _ type: FieldType) {
    switch type {
    case .double: self = .double(Double(bitPattern: bits))
    case .float: self = .float(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .int64, .sint64, .sfixed64: self = .int64(Int64(bitPattern: bits))
    case .uint64, .fixed64: self = .uint64(bits)
    case .uint32, .fixed32: self = .uint32(UInt32(truncatingIfNeeded: bits))
    case .bool: self = .bool(bits != 0)
    case .enumeration: self = .enumeration(Int32(truncatingIfNeeded: bits))
    default: self = .int32(Int32(truncatingIfNeeded: bits))
    }
  }

  /// A string or bytes.
  init(_ bytes: ArraySlice<UInt8>, _ type: FieldType) {
    self = type == .string ? .string(String(decoding: bytes, as: UTF8.self)) : .bytes(Array(bytes))
  }

  /// One value of a field, or of an entry's key or value.
  init(_ value: Value, _ slot: FieldSlot, _ pool: DescriptorPool) {
    switch value {
    case .scalar(let bits): self.init(bits: bits, slot.type)
    case .bytes(let bytes): self.init(bytes, slot.type)
    case .message(let content):
      self = slot.message.map { .message(DynamicMessage(content, MessageDescriptor(pool, $0.poolIndex))) } ?? .list([])
    case .scalars(let list): self = .list(list.map { DynamicValue(bits: $0, slot.type) })
    case .byteStrings(let list): self = .list(list.map { DynamicValue($0, slot.type) })
    case .messages(let list): self = .list(list.map { DynamicValue(.message($0), slot, pool) })
    case .map(let map):
      guard let entry = slot.message else {
        self = .map([])
        return
      }
      self = .map(
        map.entries.map { item in
          let key: DynamicValue
          switch item.key {
          case .signed(let value): key = DynamicValue(bits: UInt64(bitPattern: value), entry.slot(0).type)
          case .unsigned(let value): key = DynamicValue(bits: value, entry.slot(0).type)
          case .bytes(let bytes): key = DynamicValue(bytes, entry.slot(0).type)
          }
          return DynamicMapEntry(key: key, value: DynamicValue(item.value, entry.slot(1), pool))
        })
    }
  }

  /// The value as a message keeps it; an error where it is not of the field's type.
  func stored(_ slot: FieldSlot, _ pool: DescriptorPool) throws(MessageError) -> Value {
    if slot.flags.contains(.map) {
      guard case .map(let entries) = self, let entry = slot.message else { throw MessageError(.wrongType) }
      return try Self.stored(entries, entry, pool)
    }
    guard slot.flags.contains(.repeated) else { return try storedOne(slot, pool) }
    guard case .list(let list) = self else { throw MessageError(.wrongType) }
    var scalars: [UInt64] = []
    var byteStrings: [ArraySlice<UInt8>] = []
    var messages: [MessageStorage] = []
    for value in list {
      switch try value.storedOne(slot, pool) {
      case .scalar(let bits): scalars.append(bits)
      case .bytes(let bytes): byteStrings.append(bytes)
      case .message(let content): messages.append(content)
      default: throw MessageError(.wrongType)
      }
    }
    switch slot.type {
    case .message, .group: return .messages(messages)
    case .string, .bytes: return .byteStrings(byteStrings)
    default: return .scalars(scalars)
    }
  }

  private static func stored(_ entries: [DynamicMapEntry], _ layout: MessageLayout, _ pool: DescriptorPool)
    throws(MessageError) -> Value
  {
    var map = MapStorage()
    for entry in entries {
      let value = try entry.value.storedOne(layout.slot(1), pool)
      switch try entry.key.storedOne(layout.slot(0), pool) {
      case .scalar(let bits): map.append(MapKey(bits: bits, layout.slot(0).type), value)
      case .bytes(let bytes): map.append(.bytes(bytes), value)
      default: throw MessageError(.wrongType)
      }
    }
    map.order()
    guard map.entries.count == entries.count else { throw MessageError(.duplicateKey) }
    return .map(map)
  }

  private func storedOne(_ slot: FieldSlot, _ pool: DescriptorPool) throws(MessageError) -> Value {
    switch (self, slot.type) {
    case (.int32(let value), .int32), (.int32(let value), .sint32), (.int32(let value), .sfixed32):
      return .scalar(UInt64(bitPattern: Int64(value)))
    case (.enumeration(let value), .enumeration):
      // A closed enum has no other numbers than its own.
      if slot.flags.contains(.closed), slot.enumeration?.position(of: value) == nil { throw MessageError(.wrongType) }
      return .scalar(UInt64(bitPattern: Int64(value)))
    case (.int64(let value), .int64), (.int64(let value), .sint64), (.int64(let value), .sfixed64):
      return .scalar(UInt64(bitPattern: value))
    case (.uint32(let value), .uint32), (.uint32(let value), .fixed32): return .scalar(UInt64(value))
    case (.uint64(let value), .uint64), (.uint64(let value), .fixed64): return .scalar(value)
    case (.float(let value), .float): return .scalar(UInt64(value.bitPattern))
    case (.double(let value), .double): return .scalar(value.bitPattern)
    case (.bool(let value), .bool): return .scalar(value ? 1 : 0)
    case (.string(let value), .string): return .bytes(Array(value.utf8)[...])
    case (.bytes(let value), .bytes): return .bytes(value[...])
    case (.message(let value), .message), (.message(let value), .group):
      guard value.type.pool === pool, value.type.layout === slot.message else { throw MessageError(.wrongType) }
      return .message(value.storage)
    default: throw MessageError(.wrongType)
    }
  }
}
