// SPDX-License-Identifier: Apache-2.0

internal import JSON

// The messages whose form in JSON is one of their own.

extension MessageReader {
  /// Reads a message of a well-known type from the token that begins it.
  mutating func wellKnown(
    _ type: WellKnownType, _ layout: MessageLayout, _ token: JSONToken, _ depth: Int
  ) throws(Fault) -> MessageStorage {
    switch type {
    case .any: try anyMessage(layout, token, depth)
    case .timestamp: try time(layout, token, "a timestamp", TimeText.timestamp)
    case .duration: try time(layout, token, "a duration", TimeText.duration)
    case .fieldMask: try fieldMask(layout, token)
    case .structure: try only(layout, .message, isRepeated: true, token, depth)
    case .listValue: try only(layout, .message, isRepeated: true, token, depth)
    case .wrapper: try wrapper(layout, token, depth)
    case .value: try dynamicValue(layout, token, depth)
    }
  }

  /// The slot of a field of a well-known type, which a pool may have declared otherwise.
  private func slot(
    _ layout: MessageLayout, _ number: UInt32, _ type: FieldType, isRepeated: Bool = false
  ) throws(Fault) -> FieldSlot {
    if let slot = layout.slot(numbered: number, type, isRepeated: isRepeated) { return slot }
    throw fault(.strangeType(layout.common.fullName))
  }

  /// Reads a message whose form is that of its one field.
  private mutating func only(
    _ layout: MessageLayout, _ type: FieldType, isRepeated: Bool, _ token: JSONToken, _ depth: Int
  ) throws(Fault) -> MessageStorage {
    let slot = try slot(layout, 1, type, isRepeated: isRepeated)
    var storage = MessageStorage()
    if let value = try value(slot, token, depth) { storage.set(value, slot) }
    return storage
  }

  private mutating func wrapper(
    _ layout: MessageLayout, _ token: JSONToken, _ depth: Int
  ) throws(Fault) -> MessageStorage {
    let index = layout.index(of: 1)
    guard index >= 0 else { throw fault(.strangeType(layout.common.fullName)) }
    let slot = layout.slot(index)
    return try only(layout, slot.type, isRepeated: slot.flags.contains(.repeated), token, depth)
  }

  private mutating func time(
    _ layout: MessageLayout, _ token: JSONToken, _ kind: String,
    _ parse: (ArraySlice<UInt8>) -> (seconds: Int64, nanoseconds: Int32)?
  ) throws(Fault) -> MessageStorage {
    guard token == .string else { throw fault(.expected("a string")) }
    guard let time = parse(reader.text) else { throw fault(.malformed(kind)) }
    var storage = MessageStorage()
    storage.set(.scalar(UInt64(bitPattern: time.seconds)), try slot(layout, 1, .int64))
    storage.set(.scalar(UInt64(bitPattern: Int64(time.nanoseconds))), try slot(layout, 2, .int32))
    return storage
  }

  private mutating func fieldMask(_ layout: MessageLayout, _ token: JSONToken) throws(Fault) -> MessageStorage {
    guard token == .string else { throw fault(.expected("a string")) }
    guard let paths = FieldMaskText.paths(reader.text) else { throw fault(.malformed("a field mask")) }
    var storage = MessageStorage()
    storage.set(.byteStrings(paths), try slot(layout, 1, .string, isRepeated: true))
    return storage
  }

  /// Reads a `Value`, of which every document is one.
  private mutating func dynamicValue(
    _ layout: MessageLayout, _ token: JSONToken, _ depth: Int
  ) throws(Fault) -> MessageStorage {
    let slot: FieldSlot
    switch token {
    case .null: slot = try self.slot(layout, 1, .enumeration)
    case .number: slot = try self.slot(layout, 2, .double)
    case .string: slot = try self.slot(layout, 3, .string)
    case .boolean: slot = try self.slot(layout, 4, .bool)
    case .beginArray: slot = try self.slot(layout, 6, .message)
    default: slot = try self.slot(layout, 5, .message)
    }
    var storage = MessageStorage()
    if token == .null {
      storage.set(.scalar(0), slot)
    } else if let value = try value(slot, token, depth) {
      storage.set(value, slot)
    }
    return storage
  }

  // MARK: - Any

  private mutating func anyMessage(
    _ layout: MessageLayout, _ token: JSONToken, _ depth: Int
  ) throws(Fault) -> MessageStorage {
    guard token == .beginObject else { throw fault(.expected("an object")) }
    let urlSlot = try slot(layout, 1, .string)
    let valueSlot = try slot(layout, 2, .bytes)
    let begin = reader.offset
    let type: ArraySlice<UInt8>?
    do throws(JSONError) { type = try types.type(at: reader) } catch { throw .syntax(error) }
    var storage = MessageStorage()
    guard let url = type else {
      // Without a type nothing but an empty object can stand here.
      guard try next() == .endObject else { throw .meaning(.expected("an object with \"@type\""), at: begin) }
      return storage
    }
    storage.set(.bytes(url), urlSlot)
    let name = String(decoding: url, as: UTF8.self)
    let bytes: ArraySlice<UInt8>
    if let content = pool.message(typeURL: url)?.layout {
      let inner =
        WellKnownType(content) == nil
        ? try members(content, depth, isAny: true)
        : try anyMember { reader, token throws(Fault) in try reader.message(content, token, depth: depth + 1) }
      guard let inner else { throw .meaning(.expected("an object with \"value\""), at: begin) }
      var encoded: [UInt8] = []
      do throws(MessageError) {
        try inner.checkRequired(content, depthLimit)
        try MessageEncoder.encode(inner, content, depthLimit: depthLimit, into: &encoded)
      } catch { throw .message(error) }
      bytes = encoded[...]
    } else {
      let known = try anyMember(unknownType: name) { reader, token throws(Fault) in
        guard token == .string else { throw reader.fault(.unknownType(name)) }
        return try reader.base64()
      }
      guard let known else { throw .meaning(.unknownType(name), at: begin) }
      bytes = known
    }
    storage.set(.bytes(bytes), valueSlot)
    return storage
  }

  /// Reads the members of an `Any` whose content stands under `value`; nil where that is missing. Of a type that is not
  /// known, another member is the content in a form that only its schema could explain.
  private mutating func anyMember<Content>(
    unknownType: String? = nil, _ read: (inout MessageReader, JSONToken) throws(Fault) -> Content
  ) throws(Fault) -> Content? {
    var content: Content?
    var hasType = false
    while try next() == .key {
      if reader.isAtType {
        guard !hasType else { throw fault(.duplicateField) }
        hasType = true
        try skipValue()
      } else if reader.text.elementsEqual("value".utf8) {
        guard content == nil else { throw fault(.duplicateField) }
        let token = try next()
        content = try read(&self, token)
      } else {
        guard ignoresUnknown else {
          throw fault(unknownType.map { .unknownType($0) } ?? .unknownField("google.protobuf.Any"))
        }
        try skipValue()
      }
    }
    return content
  }
}

extension DescriptorPool {
  /// The message that a type URL names behind its last slash.
  func message(typeURL url: ArraySlice<UInt8>) -> MessageDescriptor? {
    guard let slash = url.lastIndex(of: 0x2F) else { return nil }
    return message(named: String(decoding: url[(slash + 1)...], as: UTF8.self))
  }
}
