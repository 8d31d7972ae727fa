// SPDX-License-Identifier: Apache-2.0

import HTTP2

/// A frame written by hand, or cut out of what a session sent (RFC 9113 section 4.1).
struct Frame: Equatable {
  var type: UInt8
  var flags: UInt8
  var stream: StreamID
  var payload: [UInt8]

  static let endStream: UInt8 = 0x1
  static let ack: UInt8 = 0x1
  static let endHeaders: UInt8 = 0x4
  static let padded: UInt8 = 0x8

  /// The 24 bytes that a client opens with.
  static let preface = [UInt8]("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  /// The frame on the wire; `length` replaces the true length.
  func bytes(length: Int? = nil) -> [UInt8] {
    let length = length ?? payload.count
    let head = [UInt8(length >> 16 & 0xFF), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF), type, flags]
    return head + Frame.bigEndian(UInt32(bitPattern: stream)) + payload
  }

  static func data(_ stream: StreamID, _ payload: [UInt8], endStream: Bool = false, padding: UInt8? = nil) -> Frame {
    guard let padding else { return Frame(type: 0, flags: endStream ? 1 : 0, stream: stream, payload: payload) }
    return Frame(
      type: 0, flags: (endStream ? 1 : 0) | padded, stream: stream,
      payload: [padding] + payload + [UInt8](repeating: 0, count: Int(padding)))
  }

  static func headers(
    _ stream: StreamID, _ fields: HeaderFields, endStream: Bool = false, endHeaders: Bool = true
  ) -> Frame {
    Frame(
      type: 1, flags: (endStream ? 1 : 0) | (endHeaders ? 4 : 0), stream: stream, payload: fields.flatMap(literal))
  }

  static func headers(_ stream: StreamID, block: [UInt8], endStream: Bool = false, endHeaders: Bool = true) -> Frame {
    Frame(type: 1, flags: (endStream ? 1 : 0) | (endHeaders ? 4 : 0), stream: stream, payload: block)
  }

  static func reset(_ stream: StreamID, _ code: HTTP2ErrorCode) -> Frame {
    Frame(type: 3, flags: 0, stream: stream, payload: bigEndian(code.rawValue))
  }

  static func settings(_ entries: [(UInt16, UInt32)] = []) -> Frame {
    let payload = entries.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 0xFF)] + bigEndian($0.1) }
    return Frame(type: 4, flags: 0, stream: 0, payload: payload)
  }

  static let settingsACK = Frame(type: 4, flags: ack, stream: 0, payload: [])

  static func ping(_ opaque: [UInt8], ack: Bool = false) -> Frame {
    Frame(type: 6, flags: ack ? 1 : 0, stream: 0, payload: opaque)
  }

  static func goAway(_ last: StreamID, _ code: HTTP2ErrorCode, _ debugData: [UInt8] = []) -> Frame {
    Frame(
      type: 7, flags: 0, stream: 0,
      payload: bigEndian(UInt32(bitPattern: last)) + bigEndian(code.rawValue) + debugData)
  }

  static func windowUpdate(_ stream: StreamID, _ increment: UInt32) -> Frame {
    Frame(type: 8, flags: 0, stream: stream, payload: bigEndian(increment))
  }

  static func continuation(_ stream: StreamID, block: [UInt8], endHeaders: Bool) -> Frame {
    Frame(type: 9, flags: endHeaders ? 4 : 0, stream: stream, payload: block)
  }

  /// A field as a literal without indexing and with a new name (RFC 7541 section 6.2.2).
  static func literal(_ field: HeaderField) -> [UInt8] {
    [field.isSensitive ? 0x10 : 0x00] + string([UInt8](field.name.utf8)) + string([UInt8](field.value.utf8))
  }

  /// A string without Huffman coding, its length first (RFC 7541 section 5.2).
  static func string(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
    var length: [UInt8] = [127]
    var rest = bytes.count - 127
    while rest >= 128 {
      length.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return length + [UInt8(rest)] + bytes
  }

  static func bigEndian(_ value: UInt32) -> [UInt8] {
    [UInt8(value >> 24), UInt8(value >> 16 & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)]
  }
}

extension [Frame] {
  /// The frames on the wire.
  var bytes: [UInt8] { flatMap { $0.bytes() } }

  /// Cuts bytes into frames, after the client's preface if it is there; an incomplete rest is left out.
  init(cutting bytes: [UInt8]) {
    self = []
    var rest = bytes.starts(with: Frame.preface) ? bytes.dropFirst(Frame.preface.count) : bytes[...]
    while rest.count >= 9 {
      let head = [UInt8](rest.prefix(9))
      let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
      guard rest.count >= 9 + length else { return }
      let stream = UInt32(head[5] & 0x7F) << 24 | UInt32(head[6]) << 16 | UInt32(head[7]) << 8 | UInt32(head[8])
      append(
        Frame(
          type: head[3], flags: head[4], stream: StreamID(stream), payload: [UInt8](rest.dropFirst(9).prefix(length))))
      rest = rest.dropFirst(9 + length)
    }
  }

  func of(type: UInt8) -> [Frame] { filter { $0.type == type } }
}
