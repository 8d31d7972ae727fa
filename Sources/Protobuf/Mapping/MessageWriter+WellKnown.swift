// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON

// The messages whose form in JSON is one of their own.

extension MessageWriter {
  /// Writes a message of a well-known type.
  mutating func wellKnown(
    _ type: WellKnownType, _ storage: MessageStorage, _ layout: MessageLayout, _ depth: Int
  ) throws(MappingError) {
    switch type {
    case .any: try anyMessage(storage, layout, depth)
    case .timestamp:
      let (seconds, nanoseconds) = try time(storage, layout)
      try text("the timestamp is out of range") {
        TimeText.append(timestamp: seconds, nanoseconds, to: &$0)
      }
    case .duration:
      let (seconds, nanoseconds) = try time(storage, layout)
      try text("the duration is out of range, or its parts differ in their sign") {
        TimeText.append(duration: seconds, nanoseconds, to: &$0)
      }
    case .fieldMask: try fieldMask(storage, layout)
    case .structure, .listValue: try only(storage, try slot(layout, 1, .message, isRepeated: true), depth)
    case .wrapper:
      let index = layout.index(of: 1)
      guard index >= 0 else { throw MappingError(.strangeType(layout.common.fullName)) }
      try only(storage, layout.slot(index), depth)
    case .value: try dynamicValue(storage, layout, depth)
    }
  }

  /// The slot of a field of a well-known type, which a pool may have declared otherwise.
  private func slot(
    _ layout: MessageLayout, _ number: UInt32, _ type: FieldType, isRepeated: Bool = false
  ) throws(MappingError) -> FieldSlot {
    if let slot = layout.slot(numbered: number, type, isRepeated: isRepeated) { return slot }
    throw MappingError(.strangeType(layout.common.fullName))
  }

  /// Writes a message whose form is that of its one field.
  private mutating func only(_ storage: MessageStorage, _ slot: FieldSlot, _ depth: Int) throws(MappingError) {
    if let value = storage.value(at: slot.index) {
      try self.value(value, slot, depth)
    } else {
      try unset(slot, depth)
    }
  }

  /// Writes a string that a function makes, or cannot make.
  private mutating func text(_ reason: String, _ append: (inout [UInt8]) -> Bool) throws(MappingError) {
    var isRight = false
    json.plainString { isRight = append(&$0) }
    guard isRight else { throw MappingError(.unwritable(reason)) }
  }

  private func time(
    _ storage: MessageStorage, _ layout: MessageLayout
  ) throws(MappingError) -> (seconds: Int64, nanoseconds: Int64) {
    (storage.integer(try slot(layout, 1, .int64)), storage.integer(try slot(layout, 2, .int32)))
  }

  private mutating func fieldMask(_ storage: MessageStorage, _ layout: MessageLayout) throws(MappingError) {
    let slot = try slot(layout, 1, .string, isRepeated: true)
    var text: [UInt8] = []
    if case .byteStrings(let paths)? = storage.value(at: slot.index) {
      for (place, path) in paths.enumerated() {
        if place > 0 { text.append(0x2C) }
        guard FieldMaskText.append(path, to: &text) else {
          throw MappingError(.unwritable("a path of the field mask would not come back the same"))
            .within(slot.field, place)
        }
      }
    }
    // A path may hold anything else.
    json.string(text[...])
  }

  private mutating func dynamicValue(
    _ storage: MessageStorage, _ layout: MessageLayout, _ depth: Int
  ) throws(MappingError) {
    guard let entry = storage.entries.first else { throw MappingError(.unwritable("the value has no kind")) }
    let slot = layout.slot(Int(entry.index))
    if slot.number == 1 { return json.null() }
    if slot.type == .double, case .scalar(let bits) = entry.value, !Double(bitPattern: bits).isFinite {
      throw MappingError(.unwritable("the number of the value is not finite"))
    }
    try value(entry.value, slot, depth)
  }

  // MARK: - Any

  /// Writes an `Any` of a known type as that type's object with `@type`; of another one, as the base64 of its bytes.
  private mutating func anyMessage(
    _ storage: MessageStorage, _ layout: MessageLayout, _ depth: Int
  ) throws(MappingError) {
    let urlSlot = try slot(layout, 1, .string)
    let bytesSlot = try slot(layout, 2, .bytes)
    json.beginObject()
    defer { json.endObject() }
    if storage.entries.isEmpty { return }
    let url = storage.bytes(urlSlot)
    let bytes = storage.bytes(bytesSlot)
    json.key("@type")
    try value(.bytes(url), urlSlot, depth)
    guard let content = pool.message(typeURL: url)?.layout else {
      json.key("value")
      json.plainString { Base64.append(bytes.span, padded: true, to: &$0) }
      return
    }
    var limits = MessageLimits()
    limits.bytes = .max
    limits.depth = max(options.depth - depth, 0)
    let inner: MessageStorage
    do throws(MessageError) {
      inner = try MessageDecoder.decode(bytes, content, limits)
      try inner.checkRequired(content, limits.depth)
    } catch { throw MappingError(error) }
    if WellKnownType(content) == nil {
      try members(inner, content, depth)
    } else {
      json.key("value")
      try message(inner, content, depth: depth + 1)
    }
  }
}

extension MessageStorage {
  /// The integer of a field, 0 where it is not set.
  fileprivate func integer(_ slot: FieldSlot) -> Int64 {
    if case .scalar(let bits)? = value(at: slot.index) { Int64(bitPattern: bits) } else { 0 }
  }

  /// The string or bytes of a field, empty where it is not set.
  fileprivate func bytes(_ slot: FieldSlot) -> ArraySlice<UInt8> {
    if case .bytes(let bytes)? = value(at: slot.index) { bytes } else { [] }
  }
}
