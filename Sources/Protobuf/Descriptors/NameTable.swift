// SPDX-License-Identifier: Apache-2.0

/// Finds small numbers by names that come as bytes, without making a string of them and without a hash that a schema
/// could be written against: names are sorted by their length, then by their bytes.
struct NameTable: Sendable {
  private struct Entry {
    let offset: Int
    let length: Int
    let value: Int
  }

  private let bytes: [UInt8]
  private let entries: [Entry]

  /// The first name that stood twice.
  let repeated: String?

  /// A table of names. Of two that are the same the first counts.
  init(_ names: [(name: String, value: Int)]) {
    var bytes: [UInt8] = []
    var entries: [Entry] = []
    entries.reserveCapacity(names.count)
    for name in names {
      let offset = bytes.count
      bytes += Array(name.name.utf8)
      entries.append(Entry(offset: offset, length: bytes.count - offset, value: name.value))
    }
    // Offsets grow with the order of the names, and break ties by it.
    entries.sort { left, right in
      let order = Self.order(left, right, bytes)
      return order == 0 ? left.offset < right.offset : order < 0
    }
    var repeated: String?
    var unique: [Entry] = []
    unique.reserveCapacity(entries.count)
    for entry in entries {
      if let last = unique.last, Self.order(last, entry, bytes) == 0 {
        repeated =
          repeated ?? String(decoding: bytes[entry.offset..<entry.offset + entry.length], as: UTF8.self)
      } else {
        unique.append(entry)
      }
    }
    self.bytes = bytes
    self.entries = unique
    self.repeated = repeated
  }

  /// The value of a name.
  func find(_ name: Span<UInt8>) -> Int? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      let entry = entries[middle]
      var order = entry.length - name.count
      var index = 0
      while order == 0, index < name.count {
        order = Int(bytes[entry.offset + index]) - Int(name[index])
        index += 1
      }
      if order == 0 { return entry.value }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  private static func order(_ left: Entry, _ right: Entry, _ bytes: [UInt8]) -> Int {
    guard left.length == right.length else { return left.length - right.length }
    for index in 0..<left.length where bytes[left.offset + index] != bytes[right.offset + index] {
      return Int(bytes[left.offset + index]) - Int(bytes[right.offset + index])
    }
    return 0
  }
}

/// Names as the language has them.
enum Identifier {
  /// Whether a name is a letter or an underscore, and then letters, digits and underscores.
  static func isValid(_ name: Substring.UTF8View) -> Bool {
    guard let first = name.first, !isDigit(first) else { return false }
    return name.allSatisfy { isDigit($0) || $0 == 0x5F || isLetter($0) }
  }

  /// Whether a name is one, or several with dots between.
  static func isValidPath(_ name: String) -> Bool {
    name.utf8.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy { isValid($0) }
  }

  /// The JSON name of a field that says none: each underscore goes, and the letter behind it becomes a capital.
  static func jsonName(_ name: String) -> String {
    var text: [UInt8] = []
    var isCapital = false
    for byte in name.utf8 {
      if byte == 0x5F {
        isCapital = true
        continue
      }
      text.append(isCapital && byte >= 0x61 && byte <= 0x7A ? byte - 0x20 : byte)
      isCapital = false
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
  private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
}
