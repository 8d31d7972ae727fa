// SPDX-License-Identifier: Apache-2.0

/// The content of a message, without its type: whoever reads it has the layout at hand.
///
/// It is as large as what it holds, not as its schema: an entry stands here for each field that is set, sorted by the
/// field's index, and for no other. What encoding would leave out never has an entry: neither an empty list nor, in a
/// field without presence, a zero or an empty string. So two contents of one type are equal where their messages are.
struct MessageStorage: Equatable, Sendable {
  struct Entry: Equatable, Sendable {
    /// The field's index in the message's layout.
    let index: Int32
    /// The oneof's place in the message; negative where there is none.
    let oneof: Int32
    var value: Value
  }

  var entries: [Entry] = []
  /// Unknown fields, whole and in the order in which they came.
  var unknown: [UInt8] = []

  var isEmpty: Bool { entries.isEmpty && unknown.isEmpty }

  /// The place of a field's entry, or of the first one behind it.
  func lowerBound(_ index: Int32) -> Int {
    guard let last = entries.last, last.index >= index else { return entries.count }
    var low = 0
    var high = entries.count - 1
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].index < index { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The place of a field's entry.
  func place(of index: Int32) -> Int? {
    let place = lowerBound(index)
    return place < entries.count && entries[place].index == index ? place : nil
  }

  /// The value of a field that is set.
  func value(at index: Int32) -> Value? { place(of: index).map { entries[$0].value } }

  /// Sets a field, and with it clears the others of its oneof. A value that encoding would leave out clears the field.
  mutating func set(_ value: Value, _ slot: FieldSlot) {
    guard !value.isLeftOut(of: slot) else { return clear(slot.index) }
    if slot.oneof >= 0 { entries.removeAll { $0.oneof == slot.oneof && $0.index != slot.index } }
    let place = lowerBound(slot.index)
    if place < entries.count, entries[place].index == slot.index {
      entries[place].value = value
    } else {
      entries.insert(Entry(index: slot.index, oneof: slot.oneof, value: value), at: place)
    }
  }

  /// Adds elements to a list, or entries to a map, which is to be sorted afterwards.
  mutating func append(_ more: Value, _ slot: FieldSlot) {
    guard let place = place(of: slot.index) else { return set(more, slot) }
    // What grows is in one place alone, so that it grows there.
    switch (entries[place].value, more) {
    case (.scalars(var list), .scalars(let more)):
      entries[place].value = .scalar(0)
      list += more
      entries[place].value = .scalars(list)
    case (.byteStrings(var list), .byteStrings(let more)):
      entries[place].value = .scalar(0)
      list += more
      entries[place].value = .byteStrings(list)
    case (.messages(var list), .messages(let more)):
      entries[place].value = .scalar(0)
      list += more
      entries[place].value = .messages(list)
    case (.map(var map), .map(let more)):
      entries[place].value = .scalar(0)
      for entry in more.entries { map.append(entry.key, entry.value) }
      entries[place].value = .map(map)
    default: break
    }
  }

  mutating func clear(_ index: Int32) {
    if let place = place(of: index) { entries.remove(at: place) }
  }
}

/// The value of a field.
enum Value: Equatable, Sendable {
  /// A number's bits: signed ones of 32 bits and enums with their sign extended to 64, unsigned ones, `fixed32` and
  /// `float` with zeros above, a boolean as 0 or 1.
  case scalar(UInt64)
  /// A string or bytes: a view into what was decoded, not a copy. A string that must be UTF-8 is.
  case bytes(ArraySlice<UInt8>)
  /// A message, or the content of a group.
  case message(MessageStorage)
  /// A list of numbers, booleans or an enum's numbers.
  case scalars([UInt64])
  /// A list of strings or bytes.
  case byteStrings([ArraySlice<UInt8>])
  /// A list of messages.
  case messages([MessageStorage])
  /// A map.
  case map(MapStorage)

  /// Whether encoding a field would leave the value out.
  func isLeftOut(of slot: FieldSlot) -> Bool {
    switch self {
    case .scalar(let bits): bits == 0 && !slot.flags.contains(.presence)
    case .bytes(let bytes): bytes.isEmpty && !slot.flags.contains(.presence)
    case .message: false
    case .scalars(let list): list.isEmpty
    case .byteStrings(let list): list.isEmpty
    case .messages(let list): list.isEmpty
    case .map(let map): map.entries.isEmpty
    }
  }
}

/// A map's key.
enum MapKey: Comparable, Sendable {
  case signed(Int64)
  case unsigned(UInt64)
  case bytes(ArraySlice<UInt8>)

  /// A key of the bits of a number, as ``Value/scalar(_:)`` has them.
  init(bits: UInt64, _ type: FieldType) {
    switch type {
    case .bool, .uint32, .uint64, .fixed32, .fixed64: self = .unsigned(bits)
    default: self = .signed(Int64(bitPattern: bits))
    }
  }

  /// Numbers by their value, text by its bytes. The keys of one map are of one kind.
  static func < (left: MapKey, right: MapKey) -> Bool {
    switch (left, right) {
    case (.signed(let left), .signed(let right)): left < right
    case (.unsigned(let left), .unsigned(let right)): left < right
    case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
    default: false
    }
  }
}

/// The entries of a map.
struct MapStorage: Equatable, Sendable {
  struct Entry: Equatable, Sendable {
    let key: MapKey
    var value: Value
  }

  /// Sorted by key, each key once. Only while its message is decoded are they as they come.
  private(set) var entries: [Entry] = []
  /// Whether the entries are sorted and their keys differ.
  private(set) var isOrdered = true

  mutating func append(_ key: MapKey, _ value: Value) {
    if let last = entries.last, !(last.key < key) { isOrdered = false }
    entries.append(Entry(key: key, value: value))
  }

  /// Adds an entry at its place; false where the key is there. The entries are sorted.
  mutating func insert(_ key: MapKey, _ value: Value) -> Bool {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].key < key { low = middle + 1 } else { high = middle }
    }
    guard low == entries.count || key < entries[low].key else { return false }
    entries.insert(Entry(key: key, value: value), at: low)
    return true
  }

  /// Sorts the entries; of those with one key the last one stays.
  mutating func order() {
    guard !isOrdered else { return }
    var places = Array(entries.indices)
    places.sort { left, right in
      let (first, second) = (entries[left].key, entries[right].key)
      return first < second || (left < right && !(second < first))
    }
    var ordered: [Entry] = []
    ordered.reserveCapacity(entries.count)
    for place in places {
      let entry = entries[place]
      if let last = ordered.last, !(last.key < entry.key) {
        ordered[ordered.count - 1] = entry
      } else {
        ordered.append(entry)
      }
    }
    entries = ordered
    isOrdered = true
  }

  mutating func forEachValue(_ body: (inout Value) -> Void) {
    for place in entries.indices { body(&entries[place].value) }
  }
}
