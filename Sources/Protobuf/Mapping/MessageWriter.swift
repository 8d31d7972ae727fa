// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON

/// Writes one message, and those within it, as JSON.
struct MessageWriter {
  var json: JSONWriter
  let pool: DescriptorPool
  let options: JSONWritingOptions

  /// Appends to bytes what a function writes; an error leaves them as they were.
  static func write(
    into bytes: inout [UInt8], _ pool: DescriptorPool, _ options: JSONWritingOptions,
    _ body: (inout MessageWriter) throws(MappingError) -> Void
  ) throws(MappingError) {
    let count = bytes.count
    var taken: [UInt8] = []
    swap(&taken, &bytes)
    var writer = MessageWriter(
      json: JSONWriter(appendingTo: taken, isIndented: options.isIndented), pool: pool, options: options)
    taken = []
    do throws(MappingError) {
      try body(&writer)
      bytes = writer.json.finish()
    } catch {
      bytes = writer.json.finish()
      bytes.removeSubrange(count...)
      throw error
    }
  }

  // MARK: - Messages

  mutating func message(_ storage: MessageStorage, _ layout: MessageLayout, depth: Int) throws(MappingError) {
    guard depth <= options.depth else { throw MappingError(.tooDeep) }
    if let type = WellKnownType(layout) { return try wellKnown(type, storage, layout, depth) }
    json.beginObject()
    try members(storage, layout, depth)
    json.endObject()
  }

  /// Writes the members of a message's object.
  mutating func members(_ storage: MessageStorage, _ layout: MessageLayout, _ depth: Int) throws(MappingError) {
    guard !options.writesUnset else { return try allMembers(storage, layout, depth) }
    for place in storage.entries.indices {
      try member(storage.entries[place].value, layout.slot(Int(storage.entries[place].index)), depth)
    }
  }

  /// Writes fields without presence also where they are not set.
  private mutating func allMembers(
    _ storage: MessageStorage, _ layout: MessageLayout, _ depth: Int
  ) throws(MappingError) {
    var place = 0
    for index in 0..<layout.fieldCount {
      let slot = layout.slot(index)
      if place < storage.entries.count, Int(storage.entries[place].index) == index {
        try member(storage.entries[place].value, slot, depth)
        place += 1
      } else if !slot.flags.contains(.presence), !slot.field.isExtension {
        key(slot)
        try unset(slot, depth)
      }
    }
  }

  private mutating func key(_ slot: FieldSlot) {
    let field = slot.field
    json.key(options.usesProtoNames && !field.isExtension ? field.common.name : field.jsonKey)
  }

  private mutating func member(_ value: Value, _ slot: FieldSlot, _ depth: Int) throws(MappingError) {
    key(slot)
    try self.value(value, slot, depth)
  }

  /// Writes what stands for a field that is not set.
  mutating func unset(_ slot: FieldSlot, _ depth: Int) throws(MappingError) {
    if slot.flags.contains(.map) {
      json.beginObject()
      json.endObject()
    } else if slot.flags.contains(.repeated) {
      json.beginArray()
      json.endArray()
    } else if slot.type.isMessage {
      json.null()
    } else {
      try value(slot.emptyValue, slot, depth)
    }
  }

  // MARK: - Values

  /// Writes the value of a field of a message at a depth.
  mutating func value(_ value: Value, _ slot: FieldSlot, _ depth: Int) throws(MappingError) {
    switch value {
    case .scalar(let bits): scalar(bits, slot)
    case .scalars(let list):
      json.beginArray()
      for bits in list { scalar(bits, slot) }
      json.endArray()
    case .bytes(let bytes):
      do throws(MappingError) { try byteString(bytes, slot) } catch { throw error.within(slot.field) }
    case .message(let content):
      guard let layout = slot.message else { return }
      do throws(MappingError) { try message(content, layout, depth: depth + 1) } catch {
        throw error.within(slot.field)
      }
    case .byteStrings(let list):
      json.beginArray()
      for (place, bytes) in list.enumerated() {
        do throws(MappingError) { try byteString(bytes, slot) } catch { throw error.within(slot.field, place) }
      }
      json.endArray()
    case .messages(let list):
      guard let layout = slot.message else { return }
      json.beginArray()
      for place in list.indices {
        do throws(MappingError) { try message(list[place], layout, depth: depth + 1) } catch {
          throw error.within(slot.field, place)
        }
      }
      json.endArray()
    case .map(let map):
      do throws(MappingError) { try self.map(map, slot, depth) } catch { throw error.within(slot.field) }
    }
  }

  private mutating func byteString(_ bytes: ArraySlice<UInt8>, _ slot: FieldSlot) throws(MappingError) {
    guard slot.type == .string else { return json.plainString { Base64.append(bytes.span, padded: true, to: &$0) } }
    // Not every schema demands UTF-8; every document does.
    guard slot.flags.contains(.checksUTF8) || bytes.isUTF8 else {
      throw MappingError(.invalidUTF8)
    }
    json.string(bytes)
  }

  private mutating func scalar(_ bits: UInt64, _ slot: FieldSlot) {
    switch slot.type {
    case .bool: json.boolean(bits != 0)
    case .int32, .sint32, .sfixed32: json.integer(Int64(bitPattern: bits))
    case .uint32, .fixed32: json.unsignedInteger(bits)
    case .int64, .sint64, .sfixed64: json.quotedInteger(Int64(bitPattern: bits))
    case .uint64, .fixed64: json.quotedUnsignedInteger(bits)
    case .double:
      let value = Double(bitPattern: bits)
      if value.isFinite { json.number(value) } else { special(value) }
    case .float:
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: bits))
      if value.isFinite { json.number(value) } else { special(Double(value)) }
    case .enumeration: enumNumber(Int32(truncatingIfNeeded: bits), slot)
    case .string, .bytes, .message, .group: break
    }
  }

  private mutating func special(_ value: Double) {
    json.string(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
  }

  private mutating func enumNumber(_ number: Int32, _ slot: FieldSlot) {
    guard let layout = slot.enumeration else { return }
    if layout.isNullValue { return json.null() }
    if !options.writesEnumsAsNumbers, let position = layout.position(of: number) {
      json.string(layout.values[position].common.name)
    } else {
      json.integer(Int64(number))
    }
  }

  private mutating func map(_ map: MapStorage, _ slot: FieldSlot, _ depth: Int) throws(MappingError) {
    guard let entry = slot.message else { return }
    let keySlot = entry.slot(0)
    let valueSlot = entry.slot(1)
    json.beginObject()
    for place in map.entries.indices {
      switch map.entries[place].key {
      case .bytes(let bytes):
        guard keySlot.flags.contains(.checksUTF8) || bytes.isUTF8 else {
          throw MappingError(.invalidUTF8).within(keySlot.field)
        }
        json.key(bytes)
      case .signed(let value): json.plainKey { JSONWriter.appendDecimal(value, to: &$0) }
      case .unsigned(let value):
        if keySlot.type == .bool {
          json.key(value != 0 ? "true" : "false")
        } else {
          json.plainKey { JSONWriter.appendDecimal(value, to: &$0) }
        }
      }
      // The entry is a message too.
      try value(map.entries[place].value, valueSlot, depth + 1)
    }
    json.endObject()
  }
}

extension ArraySlice<UInt8> {
  /// Whether the bytes are UTF-8.
  var isUTF8: Bool {
    // The buffer lives through the call.
    unsafe withUnsafeBufferPointer { unsafe UTF8Check.isValid($0) }
  }
}
