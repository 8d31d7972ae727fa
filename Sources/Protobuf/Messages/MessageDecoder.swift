// SPDX-License-Identifier: Apache-2.0

/// Decodes one message and those within it.
///
/// A field of another wire type than its own is an unknown field. A singular field that comes again replaces its value;
/// a message within the message is merged with the one before. Lists of numbers are read packed and one by one.
struct MessageDecoder {
  /// What is decoded; strings and bytes are views into it.
  private let source: ArraySlice<UInt8>
  var cursor: ByteCursor
  let depthLimit: Int
  private var elements: Int
  /// Whether a map was met whose keys did not come in order.
  var hasDisorderedMap = false

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
      if tag == MessageSetItem.start, layout.isMessageSet {
        try item(&storage, layout, &finder, MessageSetItem.Place(begin: begin, end: end, depth: depth))
        continue
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

  /// Decodes an item of a message set behind its first tag. One whose number or content is missing or unknown is kept
  /// as it is; of several, the first counts.
  private mutating func item(
    _ storage: inout MessageStorage, _ layout: MessageLayout, _ finder: inout EntryFinder, _ place: MessageSetItem.Place
  ) throws(MessageError) {
    var number: UInt32?
    var content: Int?
    while true {
      let position = cursor.position
      guard position < place.end else { throw MessageError(.malformed(.unbalancedGroup), at: place.begin) }
      let tag = try cursor.tag(place.end)
      if tag == MessageSetItem.end { break }
      switch tag {
      case MessageSetItem.number where number == nil:
        number = UInt32(truncatingIfNeeded: try cursor.varint(place.end))
      case MessageSetItem.content where content == nil:
        content = cursor.position
        cursor.move(to: try cursor.lengthEnd(place.end))
      default: try cursor.skip(tag, place.end, depth: depthLimit - place.depth, from: position)
      }
    }
    let next = cursor.position
    guard let number, let content, case let index = layout.index(of: number), index >= 0 else {
      storage.unknown += bytes(from: place.begin)
      return
    }
    cursor.move(to: content)
    let slot = layout.slot(index)
    try singular(
      Target(slot: slot, fieldCount: layout.fieldCount, begin: place.begin, end: next, depth: place.depth), &finder,
      &storage)
    cursor.move(to: next)
  }

  /// What a field is decoded with.
  struct Target {
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

  func bytes(from begin: Int) -> ArraySlice<UInt8> {
    source[source.startIndex + begin..<source.startIndex + cursor.position]
  }

  /// Counts a value.
  @inline(__always)
  mutating func take(_ count: Int = 1) throws(MessageError) {
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
  func isUnknown(_ bits: UInt64, _ slot: FieldSlot) -> Bool {
    slot.enumeration?.position(of: Int32(truncatingIfNeeded: bits)) == nil
  }

  /// A value that is no message.
  @inline(__always)
  mutating func scalarOrBytes(_ slot: FieldSlot, _ end: Int) throws(MessageError) -> Value {
    switch slot.type {
    case .string, .bytes: .bytes(try byteString(slot, end))
    default: .scalar(try scalar(slot.type, end))
    }
  }

  mutating func byteString(_ slot: FieldSlot, _ end: Int) throws(MessageError) -> ArraySlice<UInt8> {
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
  mutating func scalar(_ type: FieldType, _ end: Int) throws(MessageError) -> UInt64 {
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
  mutating func nested(_ content: inout MessageStorage, _ target: Target) throws(MessageError) {
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
}
