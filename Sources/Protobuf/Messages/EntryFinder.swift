// SPDX-License-Identifier: Apache-2.0

/// Finds and adds the entries of one message while it is decoded.
///
/// Fields mostly come in the order of their numbers: then entries are appended, and sorted at once. A few that come in
/// another order are inserted at their places. Where many do, they are appended all the same, found by a table, and
/// sorted at the end: inserting them all would take time with the square of their number.
struct EntryFinder {
  /// So many entries are inserted before there is a table.
  private static let insertionLimit = 16

  private var insertions = 0

  /// For each field of the message its entry's place and one, 0 where it has none; empty while entries are sorted.
  private var table: [UInt32] = []

  /// The place of a field's entry; negative where there is none.
  @inline(__always)
  func find(_ index: Int32, in storage: borrowing MessageStorage) -> Int {
    if !table.isEmpty { return Int(table[Int(index)]) - 1 }
    let count = storage.entries.count
    guard count > 0, storage.entries[count - 1].index >= index else { return -1 }
    return storage.place(of: index) ?? -1
  }

  /// Adds the entry of a field that has none.
  @inline(__always)
  mutating func add(_ value: Value, _ slot: FieldSlot, to storage: inout MessageStorage, fieldCount: Int) {
    let entry = MessageStorage.Entry(index: slot.index, oneof: slot.oneof, value: value)
    let count = storage.entries.count
    if table.isEmpty, count == 0 || storage.entries[count - 1].index < slot.index {
      // A message has a few fields mostly; from one entry on the array would have to grow with nearly each.
      if count == 0 { storage.entries.reserveCapacity(min(fieldCount, 4)) }
      storage.entries.append(entry)
    } else {
      addOutOfOrder(entry, to: &storage, fieldCount: fieldCount)
    }
  }

  private mutating func addOutOfOrder(
    _ entry: MessageStorage.Entry, to storage: inout MessageStorage, fieldCount: Int
  ) {
    if table.isEmpty {
      guard insertions >= Self.insertionLimit else {
        insertions += 1
        storage.entries.insert(entry, at: storage.lowerBound(entry.index))
        return
      }
      table = Array(repeating: 0, count: fieldCount)
      for (place, entry) in storage.entries.enumerated() {
        table[Int(entry.index)] = UInt32(truncatingIfNeeded: place + 1)
      }
    }
    storage.entries.append(entry)
    table[Int(entry.index)] = UInt32(truncatingIfNeeded: storage.entries.count)
  }

  /// Removes the entry at a place.
  mutating func remove(at place: Int, from storage: inout MessageStorage) {
    guard !table.isEmpty else {
      storage.entries.remove(at: place)
      return
    }
    // The others keep their places: the last one fills the gap.
    table[Int(storage.entries[place].index)] = 0
    let last = storage.entries.removeLast()
    guard place < storage.entries.count else { return }
    storage.entries[place] = last
    table[Int(last.index)] = UInt32(truncatingIfNeeded: place + 1)
  }

  /// Removes the entries of a oneof but for one field's.
  mutating func clear(_ oneof: Int32, but index: Int32, from storage: inout MessageStorage) {
    // A message holds one field of a oneof at most.
    for place in storage.entries.indices
    where storage.entries[place].oneof == oneof && storage.entries[place].index != index {
      remove(at: place, from: &storage)
      return
    }
  }

  /// Sorts the entries, when no more come.
  func finish(_ storage: inout MessageStorage) {
    if !table.isEmpty { storage.entries.sort { $0.index < $1.index } }
  }
}
