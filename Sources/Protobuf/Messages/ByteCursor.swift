// SPDX-License-Identifier: Apache-2.0

/// A position in the bytes of a message that is being decoded.
///
/// Every read is checked against an end that lies within the bytes. The bytes outlive the cursor: it is made and used
/// within one call that has them.
@safe struct ByteCursor {
  private let start: UnsafeRawPointer
  /// How many bytes there are.
  let count: Int
  private(set) var position = 0

  /// A cursor at the start of bytes; nil where there are none.
  init?(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let address = bytes.baseAddress, bytes.count > 0 else { return nil }
    unsafe start = UnsafeRawPointer(address)
    count = bytes.count
  }

  /// Goes to a position that was reached before, or an end that was told.
  mutating func move(to position: Int) { self.position = position }

  @inline(__always)
  private func byte(_ offset: Int) -> UInt8 {
    assert(offset >= 0 && offset < count)
    return unsafe start.load(fromByteOffset: offset, as: UInt8.self)
  }

  @inline(__always)
  mutating func varint(_ end: Int) throws(MessageError) -> UInt64 {
    guard position < end else { throw MessageError(.malformed(.truncated), at: position) }
    let first = byte(position)
    if first < 0x80 {
      position += 1
      return UInt64(first)
    }
    return try longVarint(end)
  }

  private mutating func longVarint(_ end: Int) throws(MessageError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    var place = position
    while place < end {
      let byte = byte(place)
      place += 1
      // The tenth byte holds the 64th bit alone.
      if shift == 63, byte > 1 { throw MessageError(.malformed(.malformedVarint), at: position) }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 {
        position = place
        return value
      }
      shift += 7
    }
    throw MessageError(.malformed(.truncated), at: position)
  }

  /// A tag, which has 32 bits in five bytes at most; its field number and its wire type are legal.
  @inline(__always)
  mutating func tag(_ end: Int) throws(MessageError) -> UInt32 {
    let begin = position
    let value = try varint(end)
    guard value >= 8, value <= UInt64(UInt32.max), value & 7 <= 5, position - begin <= 5 else {
      throw MessageError(.malformed(.illegalTag), at: begin)
    }
    return UInt32(truncatingIfNeeded: value)
  }

  /// Steps over a tag where it is the one that comes next.
  @inline(__always)
  mutating func skip(tag: UInt32, _ end: Int) -> Bool {
    let begin = position
    guard position < end, UInt32(byte(position) & 0x7F) == tag & 0x7F else { return false }
    guard let next = try? self.tag(end), next == tag else {
      position = begin
      return false
    }
    return true
  }

  /// The end of what comes next by its length, which has five bytes at most.
  @inline(__always)
  mutating func lengthEnd(_ end: Int) throws(MessageError) -> Int {
    let begin = position
    let length = try varint(end)
    guard position - begin <= 5 else { throw MessageError(.malformed(.malformedVarint), at: begin) }
    guard length <= UInt64(end - position) else { throw MessageError(.malformed(.truncated), at: begin) }
    return position + Int(length)
  }

  @inline(__always)
  mutating func fixed32(_ end: Int) throws(MessageError) -> UInt32 {
    guard end - position >= 4 else { throw MessageError(.malformed(.truncated), at: position) }
    defer { position += 4 }
    return unsafe UInt32(littleEndian: start.loadUnaligned(fromByteOffset: position, as: UInt32.self))
  }

  @inline(__always)
  mutating func fixed64(_ end: Int) throws(MessageError) -> UInt64 {
    guard end - position >= 8 else { throw MessageError(.malformed(.truncated), at: position) }
    defer { position += 8 }
    return unsafe UInt64(littleEndian: start.loadUnaligned(fromByteOffset: position, as: UInt64.self))
  }

  /// Whether the bytes from the position to an end are UTF-8.
  @inline(__always)
  func isUTF8(to end: Int) -> Bool {
    unsafe UTF8Check.isValid(
      UnsafeBufferPointer(
        start: start.advanced(by: position).assumingMemoryBound(to: UInt8.self), count: end - position))
  }

  /// How many varints end between the position and an end.
  func varintCount(to end: Int) -> Int {
    var count = 0
    for place in position..<end where byte(place) < 0x80 { count += 1 }
    return count
  }

  /// Steps over a value of a wire type; groups may nest `depth` deep.
  mutating func skip(_ tag: UInt32, _ end: Int, depth: Int, from begin: Int) throws(MessageError) {
    switch tag & 7 {
    case 0: _ = try varint(end)
    case 1: _ = try fixed64(end)
    case 2: position = try lengthEnd(end)
    case 5: _ = try fixed32(end)
    case 3: try skipGroup(tag >> 3, end, depth: depth, from: begin)
    default: throw MessageError(.malformed(.unbalancedGroup), at: begin)
    }
  }

  /// Steps over a group. The open groups stand in an array, not on the call stack: their depth is the peer's choice.
  private mutating func skipGroup(_ number: UInt32, _ end: Int, depth: Int, from begin: Int) throws(MessageError) {
    guard depth > 0 else { throw MessageError(.malformed(.tooDeep), at: begin) }
    var open = [number]
    while !open.isEmpty {
      guard position < end else { throw MessageError(.malformed(.unbalancedGroup), at: begin) }
      let place = position
      let tag = try tag(end)
      switch tag & 7 {
      case 3:
        guard open.count < depth else { throw MessageError(.malformed(.tooDeep), at: place) }
        open.append(tag >> 3)
      case 4:
        guard open.popLast() == tag >> 3 else { throw MessageError(.malformed(.unbalancedGroup), at: place) }
      default: try skip(tag, end, depth: 0, from: place)
      }
    }
  }
}
