// SPDX-License-Identifier: Apache-2.0

/// Decodes one message and those within it.
///
/// A field of another wire type than its own is an unknown field. A singular field that comes again replaces its value;
/// a message within the message is merged with the one before. Lists of numbers are read packed and one by one.
struct MessageDecoder {
  /// What is decoded; strings and bytes are views into it.
  private let source: ArraySlice<UInt8>
  private var cursor: ByteCursor
  private let depthLimit: Int
  private var elements: Int
  /// Whether a map was met whose keys did not come in order.
  private(set) var hasDisorderedMap = false

  /// Decodes bytes as a message of a layout.
  static func decode(_ bytes: ArraySlice<UInt8>, _ layout: MessageLayout, _ limits: MessageLimits)
    throws(MessageError) -> MessageStorage
  {
    guard bytes.count <= limits.bytes else { throw MessageError(.tooLarge) }
    var storage = MessageStorage()
    try unsafe bytes.withUnsafeBufferPointer { buffer throws(MessageError) in
      guard let cursor = unsafe ByteCursor(buffer) else { return }
      var decoder = MessageDecoder(bytes, cursor, limits)
      try decoder.message(&storage, layout, to: buffer.count, depth: 0)
      if decoder.hasDisorderedMap { storage.orderMaps() }
    }
    return storage
  }

  private init(_ source: ArraySlice<UInt8>, _ cursor: ByteCursor, _ limits: MessageLimits) {
    self.source = source
    self.cursor = cursor
    depthLimit = limits.depth
    elements = limits.elements
  }

  /// Decodes what stands up to an end, or up to the end of a group where there is its number, into a message that may
  /// hold something already.
  private mutating func message(
    _ storage: inout MessageStorage, _ layout: MessageLayout, to end: Int, group: UInt32 = 0, depth: Int
  ) throws(MessageError) {
    var finder = EntryFinder()
    while cursor.position < end {
      let begin = cursor.position
      let tag = try cursor.tag(end)
      if tag & 7 == 4 {
        guard tag >> 3 == group else { throw MessageError(.malformed(.unbalancedGroup), at: begin) }
        finder.finish(&storage)
        return
      }
      let index = layout.index(of: tag >> 3)
      if index >= 0 {
        let slot = layout.slot(index)
        let target = Target(slot: slot, fieldCount: layout.fieldCount, begin: begin, end: end, depth: depth)
        if try field(tag, target, &finder, &storage) { continue }
      }
      try cursor.skip(tag, end, depth: depthLimit - depth, from: begin)
      storage.unknown += bytes(from: begin)
    }
    guard group == 0 else { throw MessageError(.malformed(.unbalancedGroup), at: cursor.position) }
    finder.finish(&storage)
  }

  /// What a field is decoded with.
  private struct Target {
    let slot: FieldSlot
    /// How many fields the message's layout has.
    let fieldCount: Int
    /// Where the field's tag begins.
    let begin: Int
    /// Where the message ends.
    let end: Int
    let depth: Int
  }

  /// Decodes a field behind its tag; false, with nothing read, where its wire type is not the field's.
  private mutating func field(
    _ tag: UInt32, _ target: Target, _ finder: inout EntryFinder, _ storage: inout MessageStorage
  ) throws(MessageError) -> Bool {
    let slot = target.slot
    if !slot.flags.contains(.repeated) {
      guard tag == slot.tag else { return false }
      try singular(target, &finder, &storage)
      return true
    }
    if tag == slot.tag {
      switch slot.type {
      case .message, .group:
        if slot.flags.contains(.map) {
          try map(target, &finder, &storage)
        } else {
          try messages(target, &finder, &storage)
        }
      case .string, .bytes: try byteStrings(target, &finder, &storage)
      default: try scalars(target, isPacked: false, &finder, &storage)
      }
      return true
    }
    guard tag & 7 == 2, slot.type.isPackable else { return false }
    try scalars(target, isPacked: true, &finder, &storage)
    return true
  }

  private func bytes(from begin: Int) -> ArraySlice<UInt8> {
    source[source.startIndex + begin..<source.startIndex + cursor.position]
  }

  /// Counts a value.
  @inline(__always)
  private mutating func take(_ count: Int = 1) throws(MessageError) {
    elements -= count
    guard elements >= 0 else { throw MessageError(.tooManyElements, at: cursor.position) }
  }

  // MARK: - Singular fields

  private mutating func singular(
    _ target: Target, _ finder: inout EntryFinder, _ storage: inout MessageStorage
  ) throws(MessageError) {
    let slot = target.slot
    if slot.type.isMessage {
      if slot.oneof >= 0 { finder.clear(slot.oneof, but: slot.index, from: &storage) }
      var content = MessageStorage()
      let place = finder.find(slot.index, in: storage)
      if place >= 0, case .message(let known) = storage.entries[place].value {
        content = known
        // Its content is in one place alone, so that decoding changes it there.
        storage.entries[place].value = .scalar(0)
      } else {
        try take()
      }
      do throws(MessageError) { try nested(&content, target) } catch { throw error.within(slot.field) }
      if place >= 0 {
        storage.entries[place].value = .message(content)
      } else {
        finder.add(.message(content), slot, to: &storage, fieldCount: target.fieldCount)
      }
      return
    }
    let value: Value
    do throws(MessageError) { value = try scalarOrBytes(slot, target.end) } catch { throw error.within(slot.field) }
    if slot.flags.contains(.closed), case .scalar(let bits) = value, isUnknown(bits, slot) {
      storage.unknown += bytes(from: target.begin)
      return
    }
    if slot.oneof >= 0 { finder.clear(slot.oneof, but: slot.index, from: &storage) }
    let place = finder.find(slot.index, in: storage)
    if value.isLeftOut(of: slot) {
      if place >= 0 { finder.remove(at: place, from: &storage) }
    } else if place >= 0 {
      storage.entries[place].value = value
    } else {
      try take()
      finder.add(value, slot, to: &storage, fieldCount: target.fieldCount)
    }
  }

  /// Whether an enum has no value of a number.
  private func isUnknown(_ bits: UInt64, _ slot: FieldSlot) -> Bool {
    slot.enumeration?.position(of: Int32(truncatingIfNeeded: bits)) == nil
  }

  /// A value that is no message.
  @inline(__always)
  private mutating func scalarOrBytes(_ slot: FieldSlot, _ end: Int) throws(MessageError) -> Value {
    switch slot.type {
    case .string, .bytes: .bytes(try byteString(slot, end))
    default: .scalar(try scalar(slot.type, end))
    }
  }

  private mutating func byteString(_ slot: FieldSlot, _ end: Int) throws(MessageError) -> ArraySlice<UInt8> {
    let begin = cursor.position
    let valueEnd = try cursor.lengthEnd(end)
    let start = cursor.position
    if slot.flags.contains(.checksUTF8), !cursor.isUTF8(to: valueEnd) {
      throw MessageError(.malformed(.invalidUTF8), at: begin)
    }
    cursor.move(to: valueEnd)
    return bytes(from: start)
  }

  /// The bits of a number, as ``Value/scalar(_:)`` has them.
  @inline(__always)
  private mutating func scalar(_ type: FieldType, _ end: Int) throws(MessageError) -> UInt64 {
    switch type {
    case .int64, .uint64: return try cursor.varint(end)
    case .int32, .enumeration:
      return UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: try cursor.varint(end))))
    case .uint32: return UInt64(UInt32(truncatingIfNeeded: try cursor.varint(end)))
    case .bool: return try cursor.varint(end) == 0 ? 0 : 1
    case .sint32:
      let value = UInt32(truncatingIfNeeded: try cursor.varint(end))
      return UInt64(bitPattern: Int64(Int32(bitPattern: value >> 1 ^ (0 &- (value & 1)))))
    case .sint64:
      let value = try cursor.varint(end)
      return value >> 1 ^ (0 &- (value & 1))
    case .double, .fixed64, .sfixed64: return try cursor.fixed64(end)
    case .float, .fixed32: return UInt64(try cursor.fixed32(end))
    case .sfixed32: return UInt64(bitPattern: Int64(Int32(bitPattern: try cursor.fixed32(end))))
    case .string, .bytes, .message, .group: return 0
    }
  }

  /// Decodes a message within the message, behind its tag.
  private mutating func nested(_ content: inout MessageStorage, _ target: Target) throws(MessageError) {
    let slot = target.slot
    guard target.depth < depthLimit else { throw MessageError(.malformed(.tooDeep), at: target.begin) }
    guard let layout = slot.message else { return }
    if slot.type == .group {
      try message(&content, layout, to: target.end, group: UInt32(bitPattern: slot.number), depth: target.depth + 1)
    } else {
      let end = try cursor.lengthEnd(target.end)
      try message(&content, layout, to: end, depth: target.depth + 1)
    }
  }

  // MARK: - Lists

  // A list is taken out of its entry, grown and put back: while it is in both places every element would be copied. One
  // tag is often followed by the same: then the list stays out.

  private func put(
    _ value: Value, _ place: Int, _ target: Target, _ finder: inout EntryFinder, _ storage: inout MessageStorage
  ) {
    if place >= 0 {
      storage.entries[place].value = value
    } else if !value.isLeftOut(of: target.slot) {
      finder.add(value, target.slot, to: &storage, fieldCount: target.fieldCount)
    }
  }

  private mutating func messages(
    _ target: Target, _ finder: inout EntryFinder, _ storage: inout MessageStorage
  ) throws(MessageError) {
    let slot = target.slot
    var list: [MessageStorage] = []
    let place = finder.find(slot.index, in: storage)
    if place >= 0, case .messages(let known) = storage.entries[place].value {
      list = known
      storage.entries[place].value = .scalar(0)
    }
    repeat {
      try take()
      var content = MessageStorage()
      do throws(MessageError) { try nested(&content, target) } catch { throw error.within(slot.field, list.count) }
      list.append(content)
    } while cursor.skip(tag: slot.tag, target.end)
    put(.messages(list), place, target, &finder, &storage)
  }

  private mutating func byteStrings(
    _ target: Target, _ finder: inout EntryFinder, _ storage: inout MessageStorage
  ) throws(MessageError) {
    let slot = target.slot
    var list: [ArraySlice<UInt8>] = []
    let place = finder.find(slot.index, in: storage)
    if place >= 0, case .byteStrings(let known) = storage.entries[place].value {
      list = known
      storage.entries[place].value = .scalar(0)
    }
    repeat {
      try take()
      do throws(MessageError) { list.append(try byteString(slot, target.end)) } catch {
        throw error.within(slot.field, list.count)
      }
    } while cursor.skip(tag: slot.tag, target.end)
    put(.byteStrings(list), place, target, &finder, &storage)
  }

  private mutating func scalars(
    _ target: Target, isPacked: Bool, _ finder: inout EntryFinder, _ storage: inout MessageStorage
  ) throws(MessageError) {
    let slot = target.slot
    var list: [UInt64] = []
    let place = finder.find(slot.index, in: storage)
    if place >= 0, case .scalars(let known) = storage.entries[place].value {
      list = known
      storage.entries[place].value = .scalar(0)
    }
    do throws(MessageError) {
      if isPacked {
        try packed(slot, &list, &storage, target.end)
      } else {
        var begin = target.begin
        repeat {
          try take()
          let bits = try scalar(slot.type, target.end)
          if slot.flags.contains(.closed), isUnknown(bits, slot) {
            storage.unknown += bytes(from: begin)
          } else {
            list.append(bits)
          }
          begin = cursor.position
        } while cursor.skip(tag: slot.tag, target.end)
      }
    } catch { throw error.within(slot.field, list.count) }
    put(.scalars(list), place, target, &finder, &storage)
  }

  private mutating func packed(
    _ slot: FieldSlot, _ list: inout [UInt64], _ storage: inout MessageStorage, _ messageEnd: Int
  ) throws(MessageError) {
    let begin = cursor.position
    let end = try cursor.lengthEnd(messageEnd)
    let size = slot.type.wireType == 1 ? 8 : 4
    let count: Int
    if slot.type.wireType == 0 {
      count = cursor.varintCount(to: end)
    } else {
      guard (end - cursor.position) % size == 0 else { throw MessageError(.unevenPackedField, at: begin) }
      count = (end - cursor.position) / size
    }
    try take(count)
    // A list that comes in many pieces grows as it would element by element.
    if list.isEmpty { list.reserveCapacity(count) }
    if slot.flags.contains(.closed) { return try packedClosed(slot, &list, &storage, end) }
    while cursor.position < end { list.append(try scalar(slot.type, end)) }
  }

  /// The values of a closed enum; each one that it has not becomes an unknown field of its own.
  private mutating func packedClosed(
    _ slot: FieldSlot, _ list: inout [UInt64], _ storage: inout MessageStorage, _ end: Int
  ) throws(MessageError) {
    while cursor.position < end {
      let value = try cursor.varint(end)
      let bits = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: value)))
      guard isUnknown(bits, slot) else {
        list.append(bits)
        continue
      }
      for part in [UInt64(slot.tag), value] {
        var rest = part
        while rest >= 0x80 {
          storage.unknown.append(UInt8(truncatingIfNeeded: rest) | 0x80)
          rest >>= 7
        }
        storage.unknown.append(UInt8(truncatingIfNeeded: rest))
      }
    }
  }

  // MARK: - Maps

  private mutating func map(
    _ target: Target, _ finder: inout EntryFinder, _ storage: inout MessageStorage
  ) throws(MessageError) {
    let slot = target.slot
    guard let entry = slot.message else { return }
    var map = MapStorage()
    let place = finder.find(slot.index, in: storage)
    if place >= 0, case .map(let known) = storage.entries[place].value {
      map = known
      storage.entries[place].value = .scalar(0)
    }
    var begin = target.begin
    repeat {
      try take()
      do throws(MessageError) {
        guard target.depth < depthLimit else { throw MessageError(.malformed(.tooDeep), at: begin) }
        if !(try mapEntry(entry, &map, target)) { storage.unknown += bytes(from: begin) }
      } catch { throw error.within(slot.field) }
      begin = cursor.position
    } while cursor.skip(tag: slot.tag, target.end)
    if !map.isOrdered { hasDisorderedMap = true }
    put(.map(map), place, target, &finder, &storage)
  }

  /// Decodes a key and a value, either of which may be missing or come more than once; false where the value is one
  /// that its closed enum has not, so that the whole entry is unknown. What else stands in an entry is dropped.
  private mutating func mapEntry(_ entry: MessageLayout, _ map: inout MapStorage, _ target: Target)
    throws(MessageError) -> Bool
  {
    let end = try cursor.lengthEnd(target.end)
    let keySlot = entry.slot(0)
    let valueSlot = entry.slot(1)
    var key: Value = keySlot.type == .string ? .bytes([]) : .scalar(0)
    var value = valueSlot.emptyValue
    while cursor.position < end {
      let begin = cursor.position
      let tag = try cursor.tag(end)
      if tag == keySlot.tag {
        do throws(MessageError) { key = try scalarOrBytes(keySlot, end) } catch { throw error.within(keySlot.field) }
      } else if tag == valueSlot.tag {
        do throws(MessageError) {
          if case .message(let known) = value {
            var content = known
            value = .scalar(0)
            let inner = Target(slot: valueSlot, fieldCount: 2, begin: begin, end: end, depth: target.depth + 1)
            try nested(&content, inner)
            value = .message(content)
          } else {
            value = try scalarOrBytes(valueSlot, end)
          }
        } catch { throw error.within(valueSlot.field) }
      } else {
        try cursor.skip(tag, end, depth: depthLimit - target.depth - 1, from: begin)
      }
    }
    if valueSlot.flags.contains(.closed), case .scalar(let bits) = value, isUnknown(bits, valueSlot) { return false }
    switch key {
    case .bytes(let bytes): map.append(.bytes(bytes), value)
    case .scalar(let bits): map.append(MapKey(bits: bits, keySlot.type), value)
    default: break
    }
    return true
  }
}

extension FieldSlot {
  /// What a map has under a key without a value: the type's zero, for a closed enum its first value.
  var emptyValue: Value {
    if type.isMessage { return .message(MessageStorage()) }
    switch field.defaultValue {
    case .scalar(let bits): return .scalar(bits)
    case .bytes(let bytes): return .bytes(bytes[...])
    case .none: return .scalar(0)
    }
  }
}

extension MessageStorage {
  /// Sorts every map, here and within. Once for the whole message: a message that comes in pieces, each with an entry,
  /// would be sorted as often as there are pieces.
  fileprivate mutating func orderMaps() {
    for place in entries.indices { entries[place].value.orderMaps() }
  }
}

extension Value {
  fileprivate mutating func orderMaps() {
    switch self {
    case .message(var content):
      self = .scalar(0)
      content.orderMaps()
      self = .message(content)
    case .messages(var list):
      self = .scalar(0)
      for place in list.indices { list[place].orderMaps() }
      self = .messages(list)
    case .map(var map):
      self = .scalar(0)
      map.order()
      map.forEachValue { $0.orderMaps() }
      self = .map(map)
    default: break
    }
  }
}
