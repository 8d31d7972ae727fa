// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@testable import Netlink

@Suite struct UnixSocketRecordTests {
  /// A connected stream socket as a kernel of this machine's order of bytes tells it.
  private static let stream: [UInt8] = [
    0x01, 0x01, 0x01, 0x00,  // Unix, stream, ESTABLISHED
    0x91, 0x8D, 0x00, 0x00,  // inode 36241
    0x01, 0x02, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,  // cookie
    0x0A, 0x00, 0x00, 0x00, 0x2F, 0x72, 0x2F, 0x61, 0x0A, 0x00, 0x00, 0x00,  // name "/r/a\n" and a zero
    0x08, 0x00, 0x02, 0x00, 0x92, 0x8D, 0x00, 0x00,  // the peer's inode
    0x0C, 0x00, 0x04, 0x00, 0x07, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00,  // queues
    0x08, 0x00, 0x07, 0x00, 0xE8, 0x03, 0x00, 0x00,  // user 1000
  ]

  @Test("a record is what its bytes say")
  func fields() throws {
    let decoded = UnixSocketRecord(Self.stream.span)
    let record = try #require(decoded)
    #expect(record.kind == .stream)
    #expect(record.state == .established)
    #expect((record.inode, record.peerInode, record.userID) == (36_241, 36_242, 1_000))
    #expect(record.cookie == 3 << 32 | 0x201)
    #expect(record.name == "/r/a\n")
    #expect((record.receiveQueue, record.sendQueue) == (7, 9))
    #expect(record.memory == nil)
  }

  @Test("an abstract name begins with an @, and zeros within it are shown as such")
  func abstractName() {
    var bytes = Array(Self.stream[..<16])
    bytes += [0x09, 0x00, 0x00, 0x00, 0x00, 0x61, 0x00, 0x62, 0xFF, 0x00, 0x00, 0x00]
    let record = UnixSocketRecord(bytes.span)
    #expect(record?.name.systemBytes == [0x40, 0x61, 0x40, 0x62, 0xFF])
  }

  @Test("no bytes break the decoding")
  func garbage() {
    var generator = SeededGenerator(33)
    for _ in 0..<20_000 {
      var bytes = Self.stream
      for _ in 0..<Int.random(in: 0...6, using: &generator) {
        bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator))
      let record = UnixSocketRecord(bytes.span)
      #expect((record != nil) == (bytes.count >= UnixSocketRecord.size))
    }
  }

  @Test("a table's lines are its sockets, with whatever name they have")
  func table() throws {
    let text = """
      Num       RefCount Protocol Flags    Type St Inode Path
      0000000083c022fc: 00000003 00000000 00000000 0001 03  1078
      0000000000000000: 00000002 00000000 00010000 0005 01 2001 /run/a b.sock
      0000000000000000: 00000002 00000000 00000000 0002 01 2002 @name
      """
    let records = text.utf8.split(separator: 0x0A).compactMap { UnixSocketRecord(line: $0) }
    try #require(records.count == 3)
    #expect(records.map(\.kind) == [.stream, .packets, .datagram])
    #expect(records.map(\.state) == [.established, .listen, .closed])
    #expect(records.map(\.inode) == [1_078, 2_001, 2_002])
    #expect(records.map(\.name) == ["", "/run/a b.sock", "@name"])
    #expect(records.map(\.receiveQueue) == [nil, nil, nil])
  }

  @Test("a question is the kernel's structure")
  func query() {
    let payload = UnixSocketQuery(states: [.listen], wantsMemory: true).payload
    #expect(payload.count == 24)
    #expect(Array(payload[..<4]) == [1, 0, 0, 0])
    #expect(payload.span.uint32(at: 4) == 0x400)
    #expect(payload.span.uint32(at: 12) == 0x01 | 0x04 | 0x10 | 0x20 | 0x40)
    #expect(Array(payload[16...]) == [UInt8](repeating: 0xFF, count: 8))
  }
}
