// SPDX-License-Identifier: Apache-2.0

/// Encodes one message and those within it: fields by number, maps by key, unknown fields last. The same content gives
/// the same bytes.
///
/// It writes from the end to the start: what stands behind a length is there when the length is written.
struct MessageEncoder: ~Copyable {
  /// The largest message of any implementation.
  private static let sizeLimit = Int(Int32.max)

  private var output = ReverseBuffer()
  private let depthLimit: Int

  /// Encodes a content, whose messages nest no deeper than the limit, and appends the bytes.
  static func encode(_ storage: MessageStorage, _ layout: MessageLayout, depthLimit: Int, into bytes: inout [UInt8])
    throws(MessageError)
  {
    var encoder = MessageEncoder(depthLimit: depthLimit)
    try encoder.message(storage, layout, depth: 0)
    guard encoder.output.count <= sizeLimit else { throw MessageError(.tooLarge) }
    encoder.output.append(to: &bytes)
  }

  private init(depthLimit: Int) { self.depthLimit = depthLimit }

  private mutating func message(_ storage: MessageStorage, _ layout: MessageLayout, depth: Int) throws(MessageError) {
    if !storage.unknown.isEmpty { output.write(storage.unknown[...]) }
    var place = storage.entries.count - 1
    while place >= 0 {
      let slot = layout.slot(Int(storage.entries[place].index))
      switch storage.entries[place].value {
      case .scalar(let bits):
        scalar(bits, slot.type)
        output.writeVarint(UInt64(slot.tag))
      case .bytes(let bytes): byteString(bytes, slot)
      case .message(let content):
        do throws(MessageError) {
          if layout.isMessageSet { try item(content, slot, depth) } else { try nested(content, slot, depth) }
        } catch { throw error.within(slot.field) }
      case .scalars(let list): scalars(list, slot)
      case .byteStrings(let list): for bytes in list.reversed() { byteString(bytes, slot) }
      case .messages(let list):
        var number = list.count - 1
        while number >= 0 {
          do throws(MessageError) { try nested(list[number], slot, depth) } catch {
            throw error.within(slot.field, number)
          }
          number -= 1
        }
      case .map(let map):
        do throws(MessageError) { try self.map(map, slot, depth) } catch { throw error.within(slot.field) }
      }
      place -= 1
    }
  }

  private mutating func nested(_ content: MessageStorage, _ slot: FieldSlot, _ depth: Int) throws(MessageError) {
    guard depth < depthLimit else { throw MessageError(.malformed(.tooDeep)) }
    guard let layout = slot.message else { return }
    if slot.type == .group {
      // The end's tag differs from the start's in its wire type alone.
      output.writeVarint(UInt64(slot.tag + 1))
      try message(content, layout, depth: depth + 1)
    } else {
      let end = output.count
      try message(content, layout, depth: depth + 1)
      output.writeVarint(UInt64(output.count - end))
    }
    output.writeVarint(UInt64(slot.tag))
  }

  /// An extension of a message set, which stands in a group of its own: its number, and what it holds.
  private mutating func item(_ content: MessageStorage, _ slot: FieldSlot, _ depth: Int) throws(MessageError) {
    guard depth < depthLimit else { throw MessageError(.malformed(.tooDeep)) }
    guard let layout = slot.message else { return }
    output.writeVarint(UInt64(MessageSetItem.end))
    let end = output.count
    try message(content, layout, depth: depth + 1)
    output.writeVarint(UInt64(output.count - end))
    output.writeVarint(UInt64(MessageSetItem.content))
    output.writeVarint(UInt64(UInt32(bitPattern: slot.number)))
    output.writeVarint(UInt64(MessageSetItem.number))
    output.writeVarint(UInt64(MessageSetItem.start))
  }

  private mutating func byteString(_ bytes: ArraySlice<UInt8>, _ slot: FieldSlot) {
    output.write(bytes)
    output.writeVarint(UInt64(bytes.count))
    output.writeVarint(UInt64(slot.tag))
  }

  @inline(__always)
  private mutating func scalar(_ bits: UInt64, _ type: FieldType) {
    switch type {
    case .sint32:
      let value = Int32(truncatingIfNeeded: bits)
      output.writeVarint(UInt64(UInt32(bitPattern: value << 1 ^ value >> 31)))
    case .sint64:
      let value = Int64(bitPattern: bits)
      output.writeVarint(UInt64(bitPattern: value << 1 ^ value >> 63))
    case .double, .fixed64, .sfixed64: output.writeFixed64(bits)
    case .float, .fixed32, .sfixed32: output.writeFixed32(UInt32(truncatingIfNeeded: bits))
    default: output.writeVarint(bits)
    }
  }

  private mutating func scalars(_ list: [UInt64], _ slot: FieldSlot) {
    let isPacked = slot.flags.contains(.packed)
    let end = output.count
    var number = list.count - 1
    while number >= 0 {
      scalar(list[number], slot.type)
      if !isPacked { output.writeVarint(UInt64(slot.tag)) }
      number -= 1
    }
    guard isPacked else { return }
    output.writeVarint(UInt64(output.count - end))
    output.writeVarint(UInt64(UInt32(bitPattern: slot.number)) << 3 | 2)
  }

  /// Both parts of an entry are written, also those that are zero or empty.
  private mutating func map(_ map: MapStorage, _ slot: FieldSlot, _ depth: Int) throws(MessageError) {
    guard let entry = slot.message else { return }
    let keySlot = entry.slot(0)
    let valueSlot = entry.slot(1)
    var place = map.entries.count - 1
    while place >= 0 {
      let end = output.count
      switch map.entries[place].value {
      case .scalar(let bits):
        scalar(bits, valueSlot.type)
        output.writeVarint(UInt64(valueSlot.tag))
      case .bytes(let bytes): byteString(bytes, valueSlot)
      case .message(let content): try nested(content, valueSlot, depth + 1)
      default: break
      }
      let key: UInt64?
      switch map.entries[place].key {
      case .signed(let value): key = UInt64(bitPattern: value)
      case .unsigned(let value): key = value
      case .bytes(let bytes):
        key = nil
        byteString(bytes, keySlot)
      }
      if let key {
        scalar(key, keySlot.type)
        output.writeVarint(UInt64(keySlot.tag))
      }
      output.writeVarint(UInt64(output.count - end))
      output.writeVarint(UInt64(slot.tag))
      place -= 1
    }
  }
}
