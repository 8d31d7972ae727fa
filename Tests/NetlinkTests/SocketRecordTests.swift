// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@testable import Netlink

@Suite struct SocketRecordTests {
  /// A listening socket on [::]:50051 as a kernel of this machine's order of bytes tells it.
  static let listener: [UInt8] = [
    0x0A, 0x0A, 0x00, 0x00,  // IPv6, LISTEN, no timer, no retransmissions
    0xC3, 0x83, 0x00, 0x00,  // ports 50051 and 0, in the order of the wire
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // ::
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // ::
    0x02, 0x00, 0x00, 0x00,  // interface 2
    0x01, 0x02, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,  // cookie
    0x58, 0x02, 0x00, 0x00,  // the timer fires in 600 ms
    0x03, 0x00, 0x00, 0x00,  // 3 connections wait
    0x00, 0x04, 0x00, 0x00,  // 1024 may
    0xE8, 0x03, 0x00, 0x00,  // user 1000
    0x91, 0x8D, 0x00, 0x00,  // inode 36241
    0x05, 0x00, 0x0B, 0x00, 0x01, 0x00, 0x00, 0x00,  // IPv6 alone
    0x0A, 0x00, 0x04, 0x00, 0x63, 0x75, 0x62, 0x69, 0x63, 0x00, 0x00, 0x00,  // "cubic"
  ]

  @Test("a record is what its bytes say")
  func fields() throws {
    let decoded = SocketRecord(Self.listener.span)
    let record = try #require(decoded)
    #expect(record.state == .listen)
    #expect(record.localAddress == .anyIPv6)
    #expect((record.localPort, record.remotePort) == (50_051, 0))
    #expect(record.interface == 2)
    #expect(record.cookie == 3 << 32 | 0x201)
    #expect(record.timerExpiry == 600)
    #expect((record.receiveQueue, record.sendQueue) == (3, 1_024))
    #expect((record.userID, record.inode) == (1_000, 36_241))
    #expect(record.isIPv6Only == true)
    #expect(record.congestionControl == "cubic")
    #expect(record.info == nil)
  }

  @Test("bytes that are cut off are no record, or one without what is missing")
  func truncated() {
    for count in 0..<Self.listener.count {
      let record = SocketRecord(Array(Self.listener[..<count]).span)
      #expect((record != nil) == (count >= SocketRecord.size))
      if count < SocketRecord.size + 5 { #expect(record?.isIPv6Only == nil) }
    }
  }

  @Test("an attribute that claims more than there is, or less than itself, ends the attributes")
  func hostileAttributes() {
    for length in [0, 1, 3, 200, 0xFFFF] as [UInt16] {
      var bytes = Array(Self.listener[..<SocketRecord.size])
      bytes += [UInt8(length & 0xFF), UInt8(length >> 8), 0x0B, 0x00, 0x01, 0x00, 0x00, 0x00]
      let record = SocketRecord(bytes.span)
      #expect(record?.isIPv6Only == nil)
    }
  }

  @Test("facts about a connection are read by the attribute's own length")
  func growingInfo() {
    // Each byte is its own offset, so that every field tells where it was read.
    let bytes = (0..<TCPInfo.maxSize).map { UInt8(truncatingIfNeeded: $0) }
    let whole = TCPInfo(bytes.span)
    func value(_ name: String, in info: TCPInfo) -> UInt64? {
      TCPInfo.fields.first { $0.name == name }.flatMap { info.value($0) }
    }
    #expect(value("retransmits", in: whole) == 2)
    #expect(value("rtt", in: whole) == 0x4746_4544)
    #expect(whole.totalRetransmits == 0x6766_6564)
    #expect(value("bytes_sent", in: whole) == 0xCFCE_CDCC_CBCA_C9C8)
    #expect(value("total_rto", in: whole) == 0xF1F0)
    #expect(value("accecn_opt_seen", in: whole) == 0x1716)
    // Two of four bits in the byte 6, and two in the byte 7.
    #expect((value("snd_wscale", in: whole), value("rcv_wscale", in: whole)) == (6, 0))
    #expect(value("delivery_rate_app_limited", in: whole) == 1)
    #expect(value("fastopen_client_fail", in: whole) == 3)
    // A kernel of 2016 ends after segs_in.
    let old = TCPInfo(Array(bytes[..<144]).span)
    #expect(value("rtt", in: old) == value("rtt", in: whole))
    #expect((value("notsent_bytes", in: old), value("bytes_sent", in: old)) == (nil, nil))
    // A newer one than is known here.
    #expect(TCPInfo((bytes + [1, 2, 3, 4]).span) == whole)
  }

  @Test("the fields of a connection follow each other without a gap, up to the end")
  func fieldsAreComplete() {
    var end = 0
    for field in TCPInfo.fields {
      // Bits share the byte of the field before.
      if field.bits < 64, field.offset < end { continue }
      #expect(field.offset == end, "\(field.name)")
      end = field.offset + field.size
    }
    #expect(end == TCPInfo.maxSize)
    #expect(Set(TCPInfo.fields.map(\.name)).count == TCPInfo.fields.count)
  }

  @Test("no bytes break the decoding")
  func garbage() {
    var generator = SeededGenerator(11)
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...400, using: &generator)
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      let record = SocketRecord(bytes.span)
      #expect((record != nil) == (count >= SocketRecord.size))
    }
  }

  @Test("a question is the kernel's structure")
  func query() {
    let query = SocketQuery(.tcp, isIPv6: true, states: [.listen], extensions: [.info, .congestionControl])
    #expect(query.payload.count == 56)
    #expect(Array(query.payload[..<8]) == [10, 6, 0x0A, 0, 0x00, 0x04, 0x00, 0x00])
    #expect(Array(query.payload[8..<48]) == [UInt8](repeating: 0, count: 40))
    #expect(Array(query.payload[48...]) == [UInt8](repeating: 0xFF, count: 8))
  }
}
