// SPDX-License-Identifier: Apache-2.0

internal import JSON

/// Finds the `@type` of objects in which it does not come first.
///
/// The first such object is read through to its end, and what it holds is noted for those within it: every byte of a
/// document is looked at twice at most, however deep such objects nest.
struct AnyTypeFinder {
  private struct Found {
    /// Where the object begins.
    let object: Int
    let url: ArraySlice<UInt8>
  }

  /// By the objects' offsets.
  private var found: [Found] = []
  /// The objects that begin before this offset, in what was read through, are all noted.
  private var end = 0

  /// The type of the object whose first token, `{`, the reader stands on; nil where it names none.
  mutating func type(at reader: JSONReader) throws(JSONError) -> ArraySlice<UInt8>? {
    let object = reader.offset
    if object >= end {
      if let url = try first(reader) { return url }
      try readThrough(reader)
    }
    var low = 0
    var high = found.count
    while low < high {
      let middle = (low + high) / 2
      if found[middle].object < object { low = middle + 1 } else { high = middle }
    }
    return low < found.count && found[low].object == object ? found[low].url : nil
  }

  /// The type where it comes first.
  private func first(_ reader: JSONReader) throws(JSONError) -> ArraySlice<UInt8>? {
    var reader = reader
    guard try reader.next() == .key, reader.isAtType, try reader.next() == .string else { return nil }
    return reader.text
  }

  private mutating func readThrough(_ reader: JSONReader) throws(JSONError) {
    var reader = reader
    let outside = reader.depth - 1
    var open = [reader.offset]
    let known = found.count
    while reader.depth > outside, let token = try reader.next() {
      switch token {
      case .beginObject, .beginArray: open.append(reader.offset)
      case .endObject, .endArray: _ = open.popLast()
      case .key where reader.isAtType:
        let next = try reader.next()
        if next == .string, let object = open.last { found.append(Found(object: object, url: reader.text)) }
        if next == .beginObject || next == .beginArray { open.append(reader.offset) }
      default: break
      }
    }
    end = reader.offset
    found[known...].sort { $0.object < $1.object }
  }
}

extension JSONReader {
  /// Whether the last token is the key `@type`.
  var isAtType: Bool {
    withText { text in
      guard text.count == 5 else { return false }
      return text[0] == 0x40 && text[1] == 0x74 && text[2] == 0x79 && text[3] == 0x70 && text[4] == 0x65
    }
  }
}
