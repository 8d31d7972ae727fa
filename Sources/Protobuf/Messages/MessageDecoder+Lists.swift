// SPDX-License-Identifier: Apache-2.0

// A list is taken out of its entry, grown and put back: while it is in both places every element would be copied. One
// tag is often followed by the same: then the list stays out.

extension MessageDecoder {
  func put(
    _ value: Value, _ place: Int, _ target: Target, _ finder: inout EntryFinder, _ storage: inout MessageStorage
  ) {
    if place >= 0 {
      storage.entries[place].value = value
    } else if !value.isLeftOut(of: target.slot) {
      finder.add(value, target.slot, to: &storage, fieldCount: target.fieldCount)
    }
  }

  mutating func messages(
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

  mutating func byteStrings(
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

  mutating func scalars(
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
}
