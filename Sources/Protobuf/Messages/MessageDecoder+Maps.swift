// SPDX-License-Identifier: Apache-2.0

extension MessageDecoder {
  mutating func map(
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
    map.append(key, keySlot, value)
    return true
  }
}

extension MapStorage {
  /// Adds a value under the key that is a field's value.
  mutating func append(_ key: Value, _ slot: FieldSlot, _ value: Value) {
    switch key {
    case .bytes(let bytes): append(.bytes(bytes), value)
    case .scalar(let bits): append(MapKey(bits: bits, slot.type), value)
    default: break
    }
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
  mutating func orderMaps() {
    for place in entries.indices { entries[place].value.orderMaps() }
  }
}

extension Value {
  mutating func orderMaps() {
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
