// SPDX-License-Identifier: Apache-2.0

// Protobuf: the wire format (tag-length-value), read and written without a schema. A message's meaning — which number
// is which field — belongs to the caller.

/// One field's value as the wire carries it.
public enum WireValue: Equatable, Sendable {
  /// Wire type 0: integers, booleans and enums.
  case varint(UInt64)
  /// Wire type 1: eight bytes, little-endian.
  case fixed64(UInt64)
  /// Wire type 2: strings, bytes, messages and packed fields. A view into the reader's bytes, not a copy.
  case bytes(ArraySlice<UInt8>)
  /// Wire types 3 and 4: what stands between a group's start and its end.
  case group(ArraySlice<UInt8>)
  /// Wire type 5: four bytes, little-endian.
  case fixed32(UInt32)
}

/// One field: its number and its value.
public struct WireField: Equatable, Sendable {
  /// The field number, 1 to 2^29 - 1.
  public let number: Int
  /// The value.
  public let value: WireValue

  /// A field of a number and a value.
  public init(number: Int, value: WireValue) {
    self.number = number
    self.value = value
  }
}

/// Reads the fields of one message in the order of the wire.
///
/// The reader never traps and never allocates: values are views. A message inside a field is read by a reader of its
/// own, whose `depthLimit` the caller lowers by one.
public struct WireReader: Sendable {
  /// How deep groups may nest unless the caller says otherwise; the same as the official implementations'.
  public static let defaultDepthLimit = 100

  private let bytes: ArraySlice<UInt8>
  private let depthLimit: Int
  private var position: Int

  /// A reader of `bytes`; groups may nest `depthLimit` deep.
  public init(_ bytes: ArraySlice<UInt8>, depthLimit: Int = WireReader.defaultDepthLimit) {
    self.bytes = bytes
    self.depthLimit = depthLimit
    position = bytes.startIndex
  }

  /// A reader of a whole array.
  public init(_ bytes: [UInt8], depthLimit: Int = WireReader.defaultDepthLimit) {
    self.init(bytes[...], depthLimit: depthLimit)
  }

  /// The next field; nil at the end of the message.
  ///
  /// Every reader of a message calls it in its loop: within each of them it would make programs larger by far.
  @inline(never)
  public mutating func next() throws(WireError) -> WireField? {
    guard position < bytes.endIndex else { return nil }
    let start = position
    let tag = try readTag()
    switch tag.type {
    case 3: return WireField(number: tag.number, value: .group(try readGroup(tag.number, from: start)))
    case 4: throw error(.unbalancedGroup, at: start)
    default: return WireField(number: tag.number, value: try readValue(tag.type, from: start))
    }
  }

  /// The varints of a packed field, whose content the reader was made of; the reader is at its end then.
  public mutating func packedVarints() throws(WireError) -> [UInt64] {
    var values: [UInt64] = []
    while position < bytes.endIndex { values.append(try readVarint(from: position)) }
    return values
  }

  private mutating func readTag() throws(WireError) -> (number: Int, type: UInt8) {
    let start = position
    let tag = try readVarint(from: start)
    // A tag has 32 bits, in five bytes at most.
    guard position - start <= 5 else { throw error(.illegalTag, at: start) }
    let number = tag >> 3
    let type = UInt8(truncatingIfNeeded: tag & 7)
    guard number >= 1, number < 1 << 29, type <= 5 else { throw error(.illegalTag, at: start) }
    return (Int(number), type)
  }

  private mutating func readValue(_ type: UInt8, from start: Int) throws(WireError) -> WireValue {
    switch type {
    case 0: return .varint(try readVarint(from: start))
    case 1: return .fixed64(try readFixed(8, from: start))
    case 5: return .fixed32(UInt32(truncatingIfNeeded: try readFixed(4, from: start)))
    default:
      let begin = position
      let length = try readVarint(from: start)
      guard position - begin <= 5 else { throw error(.malformedVarint, at: start) }
      guard length <= UInt64(bytes.endIndex - position) else { throw error(.truncated, at: start) }
      let value = bytes[position..<position + Int(length)]
      position += Int(length)
      return .bytes(value)
    }
  }

  /// Walks to the end of a group. The open groups stand in an array, not on the call stack: their depth is the peer's
  /// choice.
  private mutating func readGroup(_ number: Int, from start: Int) throws(WireError) -> ArraySlice<UInt8> {
    let content = position
    var open = [number]
    while true {
      guard position < bytes.endIndex else { throw error(.unbalancedGroup, at: start) }
      let end = position
      let tag = try readTag()
      switch tag.type {
      case 3:
        guard open.count < depthLimit else { throw error(.tooDeep, at: end) }
        open.append(tag.number)
      case 4:
        guard open.popLast() == tag.number else { throw error(.unbalancedGroup, at: end) }
        if open.isEmpty { return bytes[content..<end] }
      default: _ = try readValue(tag.type, from: end)
      }
    }
  }

  private mutating func readVarint(from start: Int) throws(WireError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < bytes.endIndex {
      let byte = bytes[position]
      position += 1
      // The tenth byte holds the 64th bit alone.
      if shift == 63, byte > 1 { throw error(.malformedVarint, at: start) }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw error(.truncated, at: start)
  }

  private mutating func readFixed(_ count: Int, from start: Int) throws(WireError) -> UInt64 {
    guard count <= bytes.endIndex - position else { throw error(.truncated, at: start) }
    var value: UInt64 = 0
    for index in (position..<position + count).reversed() { value = value << 8 | UInt64(bytes[index]) }
    position += count
    return value
  }

  private func error(_ code: WireError.Code, at position: Int) -> WireError {
    WireError(code, at: position - bytes.startIndex)
  }
}

extension WireValue {
  /// The value as a string field reads it: nil where the wire type is another, an error where the bytes are not UTF-8.
  public func string() throws(WireError) -> String? {
    guard case .bytes(let bytes) = self else { return nil }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw WireError(.invalidUTF8, at: 0) }
    return text
  }

  /// The value as an `int32`, `uint32`, `bool` or enum field reads it — the low 32 bits — or nil for another wire type.
  public var int32: Int32? {
    guard case .varint(let value) = self else { return nil }
    return Int32(truncatingIfNeeded: value)
  }
}
