// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON

// Values that stand outside of any document, as those in a URL do.

extension DynamicMessage {
  /// Sets the field at the end of a path, in messages that are made where they are missing, from a text: a singular
  /// field gets the value in place of the one it has, a list one element more, a map the entry of the key.
  ///
  /// A number, an enum's name or number and the base64 of bytes stand without quotes; a boolean is one of `true`,
  /// `True`, `TRUE`, `t`, `T`, `1`, and their opposites; timestamps, durations, field masks and wrappers are as in JSON
  /// without its quotes; a `Struct`, a `Value` and a `ListValue` are JSON. Other messages have no such form.
  ///
  /// Throws also where another field of a oneof is set, on the way too, and where a map has the key. The error's path
  /// has the names of the schema. An error leaves the message as it was.
  public mutating func set(
    parameter text: ArraySlice<UInt8>, key: ArraySlice<UInt8>? = nil, at path: FieldPath,
    limits: MessageLimits = MessageLimits()
  ) throws(MappingError) {
    guard path.message == type else { throw MappingError(.foreignField, path: path.text) }
    let reader = ParameterReader(pool: type.pool, limits: limits)
    do throws(MappingError) {
      try storage.change(path.indexes[...], type.layout) { message, slot throws(MappingError) in
        try reader.set(text, key, slot, in: &message)
      }
    } catch { throw MappingError(error.code, path: path.text) }
  }

  /// Whether a field at the end of a path is set.
  public func has(_ path: FieldPath) -> Bool {
    var content = storage
    for index in path.indexes.dropLast() {
      guard case .message(let inner)? = content.value(at: index) else { return false }
      content = inner
    }
    return path.indexes.last.flatMap { content.place(of: $0) } != nil
  }
}

extension FieldDescriptor {
  /// Whether a value of the field, an element of a list or the value of a map's entry has a form outside of documents,
  /// as ``DynamicMessage/set(parameter:key:at:limits:)`` reads it.
  public var hasParameterForm: Bool {
    let field = isMap ? message?.field(numbered: 2) : self
    guard let field, field.type.isMessage else { return true }
    guard field.type == .message, let layout = field.message?.layout, let known = WellKnownType(layout) else {
      return false
    }
    return known != .any
  }
}

extension MessageStorage {
  /// Calls a function with the message that has the last field of a path; messages on the way are made.
  fileprivate mutating func change(
    _ path: ArraySlice<Int32>, _ layout: MessageLayout,
    _ body: (inout MessageStorage, FieldSlot) throws(MappingError) -> Void
  ) throws(MappingError) {
    guard let index = path.first else { return }
    let slot = layout.slot(Int(index))
    if slot.oneof >= 0, entries.contains(where: { $0.oneof == slot.oneof && $0.index != index }) {
      throw MappingError(.severalOfOneof(layout.oneofs[Int(slot.oneof)].common.name))
    }
    guard path.count > 1, let inner = slot.message else { return try body(&self, slot) }
    var content = MessageStorage()
    let place = place(of: index)
    if let place, case .message(let known) = entries[place].value {
      content = known
      // Its content is in one place alone, so that it is changed there.
      entries[place].value = .scalar(0)
    }
    do throws(MappingError) {
      try content.change(path.dropFirst(), inner, body)
    } catch {
      if let place { entries[place].value = .message(content) }
      throw error
    }
    if let place { entries[place].value = .message(content) } else { set(.message(content), slot) }
  }
}

/// Reads values from texts.
private struct ParameterReader {
  let pool: DescriptorPool
  let limits: MessageLimits

  func set(
    _ text: ArraySlice<UInt8>, _ key: ArraySlice<UInt8>?, _ slot: FieldSlot, in message: inout MessageStorage
  ) throws(MappingError) {
    if slot.flags.contains(.map) {
      guard let entry = slot.message else { return }
      guard let key else { throw MappingError(.expected("the key of an entry, in brackets,")) }
      return try message.insert(try self.key(key, entry.slot(0)), try value(text, entry.slot(1)), slot)
    }
    guard key == nil else { throw MappingError(.expected("a name without a key in brackets")) }
    let value = try value(text, slot)
    if slot.flags.contains(.repeated) { message.append(value.alone, slot) } else { message.set(value, slot) }
  }

  private func key(_ text: ArraySlice<UInt8>, _ slot: FieldSlot) throws(MappingError) -> MapKey {
    switch try value(text, slot) {
    case .bytes(let bytes): .bytes(bytes)
    case .scalar(let bits): MapKey(bits: bits, slot.type)
    default: throw MappingError(.expected("a key"))
    }
  }

  /// One value of a field's type.
  private func value(_ text: ArraySlice<UInt8>, _ slot: FieldSlot) throws(MappingError) -> Value {
    switch slot.type {
    case .string:
      guard text.isUTF8 else { throw MappingError(.invalidUTF8) }
      return .bytes(text)
    case .bytes:
      guard let bytes = Base64.decode(text.span, alphabet: .either) else { throw MappingError(.malformed("base64")) }
      return .bytes(bytes[...])
    case .bool:
      guard let value = Self.boolean(text) else { throw MappingError(.malformed("true or false")) }
      return .scalar(value ? 1 : 0)
    case .enumeration: return .scalar(try enumNumber(text, slot))
    case .double:
      if let special = SpecialNumber(text.span) { return .scalar(special.double.bitPattern) }
      guard let value = try number(text).double else { throw MappingError(.outOfRange) }
      return .scalar(value.bitPattern)
    case .float:
      if let special = SpecialNumber(text.span) { return .scalar(UInt64(Float(special.double).bitPattern)) }
      guard let value = try number(text).float else { throw MappingError(.outOfRange) }
      return .scalar(UInt64(value.bitPattern))
    case .message, .group: return .message(try message(text, slot))
    default:
      guard let bits = try number(text).bits(slot.type) else { throw MappingError(.outOfRange) }
      return .scalar(bits)
    }
  }

  private func number(_ text: ArraySlice<UInt8>) throws(MappingError) -> JSONNumber {
    guard let number = JSONNumber(text) else { throw MappingError(.malformed("a number")) }
    return number
  }

  private static func boolean(_ text: ArraySlice<UInt8>) -> Bool? {
    switch String(decoding: text.prefix(6), as: UTF8.self) {
    case "true", "True", "TRUE", "t", "T", "1": true
    case "false", "False", "FALSE", "f", "F", "0": false
    default: nil
    }
  }

  private func enumNumber(_ text: ArraySlice<UInt8>, _ slot: FieldSlot) throws(MappingError) -> UInt64 {
    guard let layout = slot.enumeration else { return 0 }
    if let position = layout.names.find(text.span) {
      return UInt64(bitPattern: Int64(layout.values[position].number))
    }
    guard let whole = JSONNumber(text)?.int64, let number = Int32(exactly: whole),
      !slot.flags.contains(.closed) || layout.position(of: number) != nil
    else { throw MappingError(.unknownEnumValue(layout.common.fullName)) }
    return UInt64(bitPattern: Int64(number))
  }

  private func message(_ text: ArraySlice<UInt8>, _ slot: FieldSlot) throws(MappingError) -> MessageStorage {
    guard let layout = slot.message else { return MessageStorage() }
    switch WellKnownType(layout) {
    case .timestamp: return try time(TimeText.timestamp(text), "a timestamp", layout)
    case .duration: return try time(TimeText.duration(text), "a duration", layout)
    case .fieldMask:
      guard let paths = FieldMaskText.paths(text) else { throw MappingError(.malformed("a field mask")) }
      return try only(.byteStrings(paths), try known(layout, 1, .string, isRepeated: true))
    case .wrapper:
      let index = layout.index(of: 1)
      guard index >= 0, !layout.slot(index).type.isMessage, !layout.slot(index).flags.contains(.repeated) else {
        throw MappingError(.strangeType(layout.common.fullName))
      }
      return try only(try value(text, layout.slot(index)), layout.slot(index))
    case .structure, .value, .listValue:
      var options = JSONReadingOptions()
      options.limits = limits
      return try MessageReader.read(text, pool, options) { reader, token throws(MessageReader.Fault) in
        try reader.message(layout, token, depth: 0)
      }
    case .any, nil:
      throw MappingError(.expected("a field within " + layout.common.fullName))
    }
  }

  private func time(
    _ time: (seconds: Int64, nanoseconds: Int32)?, _ kind: String, _ layout: MessageLayout
  ) throws(MappingError) -> MessageStorage {
    guard let time else { throw MappingError(.malformed(kind)) }
    var storage = MessageStorage()
    storage.set(.scalar(UInt64(bitPattern: time.seconds)), try known(layout, 1, .int64))
    storage.set(.scalar(UInt64(bitPattern: Int64(time.nanoseconds))), try known(layout, 2, .int32))
    return storage
  }

  private func only(_ value: Value, _ slot: FieldSlot) throws(MappingError) -> MessageStorage {
    var storage = MessageStorage()
    storage.set(value, slot)
    return storage
  }

  /// The slot of a field of a well-known type, which a pool may have declared otherwise.
  private func known(
    _ layout: MessageLayout, _ number: UInt32, _ type: FieldType, isRepeated: Bool = false
  ) throws(MappingError) -> FieldSlot {
    if let slot = layout.slot(numbered: number, type, isRepeated: isRepeated) { return slot }
    throw MappingError(.strangeType(layout.common.fullName))
  }
}

extension MessageStorage {
  /// Adds an entry to a map.
  fileprivate mutating func insert(_ key: MapKey, _ value: Value, _ slot: FieldSlot) throws(MappingError) {
    var map = MapStorage()
    if case .map(let known)? = self.value(at: slot.index) { map = known }
    guard map.insert(key, value) else { throw MappingError(.duplicateKey) }
    set(.map(map), slot)
  }
}

extension Value {
  /// The list of the one value.
  fileprivate var alone: Value {
    switch self {
    case .scalar(let bits): .scalars([bits])
    case .bytes(let bytes): .byteStrings([bytes])
    case .message(let content): .messages([content])
    default: self
    }
  }
}
