// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Walks through one message. Every step takes at least a byte, so that counts which the sender made up end with the
/// bytes; nothing is allocated by them.
struct DNSReader {
  /// How often one name may lead elsewhere: a name has no more labels than that, and needs no more leaps than labels.
  private static let maxPointers = 127
  private static let headerLength = 12

  private let bytes: [UInt8]
  private(set) var position = 0
  /// Where reading ends: the message's end, or that of the record's content which is being read.
  private var end: Int

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    end = bytes.count
  }

  var remaining: Int { end - position }

  mutating func uint8() throws(DNSError) -> UInt8 {
    guard position < end else { throw DNSError(.unexpectedEnd, at: position) }
    position += 1
    return bytes[position - 1]
  }

  mutating func uint16() throws(DNSError) -> UInt16 {
    guard remaining >= 2 else { throw DNSError(.unexpectedEnd, at: position) }
    position += 2
    return UInt16(bytes[position - 2]) << 8 | UInt16(bytes[position - 1])
  }

  mutating func uint32() throws(DNSError) -> UInt32 {
    guard remaining >= 4 else { throw DNSError(.unexpectedEnd, at: position) }
    return UInt32(try uint16()) << 16 | UInt32(try uint16())
  }

  mutating func take(_ count: Int) throws(DNSError) -> ArraySlice<UInt8> {
    guard remaining >= count else { throw DNSError(.unexpectedEnd, at: position) }
    position += count
    return bytes[position - count..<position]
  }

  /// Reads a name, which may go on elsewhere: only before its own part that led there (RFC 1035 section 4.1.4: at a
  /// prior occurrence), so that it comes to an end.
  mutating func name() throws(DNSError) -> DNSName {
    let start = position
    var wire: [UInt8] = []
    var index = position
    var partStart = position
    var limit = end
    var pointers = 0
    while true {
      guard index < limit else { throw DNSError(.unexpectedEnd, at: start) }
      let length = Int(bytes[index])
      switch length {
      case 0:
        if pointers == 0 { position = index + 1 }
        return DNSName(checkedWire: wire + [0])
      case 1...DNSName.maxLabelLength:
        guard index + length < limit else { throw DNSError(.unexpectedEnd, at: start) }
        guard wire.count + length + 2 <= DNSName.maxLength else { throw DNSError(.nameTooLong, at: start) }
        wire.append(contentsOf: bytes[index...index + length])
        index += 1 + length
      case 0xC0...0xFF:
        guard index + 1 < limit else { throw DNSError(.unexpectedEnd, at: start) }
        let target = (length & 0x3F) << 8 | Int(bytes[index + 1])
        if pointers == 0 { position = index + 2 }
        pointers += 1
        guard target >= Self.headerLength, target < partStart, pointers <= Self.maxPointers else {
          throw DNSError(.badPointer, at: index)
        }
        limit = bytes.count
        partStart = target
        index = target
      default: throw DNSError(.badLabelType, at: index)
      }
    }
  }

  mutating func question() throws(DNSError) -> DNSQuestion {
    DNSQuestion(
      name: try name(), type: DNSRecordType(rawValue: try uint16()), recordClass: try uint16())
  }

  /// A record's fields before its content.
  struct RecordHead {
    let name: DNSName
    let type: DNSRecordType
    let recordClass: UInt16
    let timeToLive: UInt32
    let start: Int
  }

  mutating func recordHead() throws(DNSError) -> RecordHead {
    let start = position
    return RecordHead(
      name: try name(), type: DNSRecordType(rawValue: try uint16()), recordClass: try uint16(),
      timeToLive: try uint32(), start: start)
  }

  /// Reads a record's length and what it holds; `read` has to take it to its end.
  mutating func content<Content>(
    of head: RecordHead, _ read: (inout DNSReader) throws(DNSError) -> Content
  ) throws(DNSError) -> Content {
    let length = Int(try uint16())
    guard length <= remaining else { throw DNSError(.unexpectedEnd, at: head.start) }
    var part = self
    part.end = position + length
    let value: Content
    do throws(DNSError) {
      value = try read(&part)
    } catch {
      // What is too short for its own length is the record's fault, not the message's.
      throw error.code == .unexpectedEnd ? DNSError(.badRecord(head.type), at: head.start) : error
    }
    guard part.remaining == 0 else { throw DNSError(.badRecord(head.type), at: head.start) }
    position += length
    return value
  }

  /// Reads what a record says, once its head was read.
  mutating func recordData(of head: RecordHead) throws(DNSError) -> DNSRecordData {
    let isInternet = head.recordClass == 1
    return try content(of: head) { (part) throws(DNSError) in
      switch head.type {
      case .a where isInternet: .address(try part.address(4, head))
      case .aaaa where isInternet: .address(try part.address(16, head))
      case .cname: .alias(try part.name())
      case .ns: .nameServer(try part.name())
      case .ptr: .pointer(try part.name())
      case .soa: .startOfAuthority(try part.startOfAuthority())
      case .mx: .mailExchange(preference: try part.uint16(), exchange: try part.name())
      case .txt: .text(try part.texts())
      case .srv where isInternet:
        .service(
          priority: try part.uint16(), weight: try part.uint16(), port: try part.uint16(), target: try part.name())
      default: .other(head.type, Array(try part.take(part.remaining)))
      }
    }
  }

  private mutating func address(_ count: Int, _ head: RecordHead) throws(DNSError) -> IPAddress {
    guard let address = IPAddress(try take(count)) else { throw DNSError(.badRecord(head.type), at: head.start) }
    return address
  }

  private mutating func startOfAuthority() throws(DNSError) -> DNSStartOfAuthority {
    DNSStartOfAuthority(
      primaryServer: try name(), mailbox: try name(), serial: try uint32(), refresh: try uint32(),
      retry: try uint32(), expire: try uint32(), minimum: try uint32())
  }

  private mutating func texts() throws(DNSError) -> [[UInt8]] {
    var texts: [[UInt8]] = []
    repeat { texts.append(Array(try take(Int(try uint8())))) } while remaining > 0
    return texts
  }
}
