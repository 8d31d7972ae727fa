// SPDX-License-Identifier: Apache-2.0

import Bytes
import DNS
import TestSupport
import Testing

@Suite struct DNSMessageTests {
  /// A header with these counts, for what is wrong behind it.
  static func header(flags: String = "8180", _ questions: Int = 0, _ answers: Int = 0, additionals: Int = 0) -> [UInt8]
  {
    [0, 1] + hex(flags) + [questions, answers, 0, additionals].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
  }

  @Test("an answer is read field by field")
  func annotated() throws {
    let message = try DNSMessage(
      decoding: hex(
        """
        1234                                      // id
        85B3                                      // QR, AA, RD, RA, AD, CD, RCODE 3
        0001 0002 0000 0001                       // one question, two answers, one additional record
        04 75736572 03 737663 00                  // user.svc.
        0001 0001                                 // A, IN
        C00C 0005 0001 0000003C 0005 02 6462 C011 // the question's name, CNAME, 60 s: db.svc
        C026 0001 0001 FFFFFFFF 0004 C0000205     // db.svc, A, a time with its first bit set: 192.0.2.5
        00 0029 04D0 01 00 8000 0008              // the root, OPT, 1232 bytes, RCODE + 16, version 0, DO
        000F 0004 0012 4E6F                       // option 15
        00FF                                      // two bytes too many
        """))
    #expect(message.id == 0x1234)
    #expect(message.isResponse && message.isAuthoritative && message.recursionDesired && message.recursionAvailable)
    #expect(message.isAuthenticated && message.checkingDisabled && !message.isTruncated && message.opcode == 0)
    #expect(message.code == DNSResponseCode(rawValue: 19))
    #expect(message.code.name == "RCODE19")
    let user = try DNSName("user.svc")
    let database = try DNSName("db.svc")
    #expect(message.questions == [DNSQuestion(name: user, type: .a)])
    #expect(
      message.answers == [
        DNSRecord(name: user, timeToLive: 60, data: .alias(database)),
        DNSRecord(name: database, timeToLive: 0, data: .address(try #require(IPAddress("192.0.2.5")))),
      ])
    #expect(message.authorities == [] && message.additionals == [])
    #expect(
      message.ednsExtension
        == DNSExtension(
          payloadSize: 1232, wantsDNSSEC: true, options: [.init(code: 15, bytes: [0x00, 0x12, 0x4E, 0x6F])]))
    #expect(message.trailingByteCount == 2)
  }

  @Test("what another implementation wrote is read as it was meant", arguments: vectors)
  func interoperation(vector: (hex: String, dump: String)) throws {
    let message = try DNSMessage(decoding: hex(vector.hex))
    #expect(dump(message) == vector.dump)
    #expect(message.trailingByteCount == 0)
  }

  @Test("a message that is cut off anywhere is refused; what follows one is counted", arguments: vectors)
  func cuts(vector: (hex: String, dump: String)) throws {
    let bytes = hex(vector.hex)
    for count in 0..<bytes.count { #expect(failure(Array(bytes.prefix(count))) != nil, "\(count) bytes") }
    #expect(try DNSMessage(decoding: bytes + [0, 1, 2]).trailingByteCount == 3)
  }

  @Test("an answer that says it is truncated has the records that are whole", arguments: vectors)
  func truncation(vector: (hex: String, dump: String)) throws {
    var bytes = hex(vector.hex)
    let whole = try DNSMessage(decoding: bytes)
    bytes[2] |= 0x02
    var most = 0
    for count in 12..<bytes.count where failure(Array(bytes.prefix(count))) == nil {
      let part = try DNSMessage(decoding: Array(bytes.prefix(count)))
      #expect(part.isTruncated)
      #expect(part.answers == Array(whole.answers.prefix(part.answers.count)))
      most = max(most, part.answers.count)
    }
    #expect(most == whole.answers.count || bytes.count == 12)
  }

  @Test(
    "a name that is none is refused, with the place",
    arguments: [
      ([0x41, 0], .badLabelType, 12), ([0x80, 0], .badLabelType, 12),
      ([0xC0, 12], .badPointer, 12),  // itself
      ([0xC0, 14, 0], .badPointer, 12),  // forward
      ([0xC0, 4], .badPointer, 12),  // into the header
      ([1, 0x61, 0xC0, 12], .badPointer, 14),  // its own part: a loop
      ([0xC0], .unexpectedEnd, 12), ([], .unexpectedEnd, 12), ([5, 0x61], .unexpectedEnd, 12),
      ([1, 0x61], .unexpectedEnd, 12), ([0, 0, 1, 0], .unexpectedEnd, 15),
      (Array(repeating: [1, 0x61] as [UInt8], count: 128).flatMap { $0 } + [0], .nameTooLong, 12),
    ] as [([UInt8], DNSError.Code, Int)])
  func badNames(bytes: [UInt8], code: DNSError.Code, offset: Int) {
    let error = failure(Self.header(1) + bytes)
    #expect(error?.code == code)
    #expect(error?.offset == offset)
  }

  @Test("a name of 255 bytes is the longest, in one piece or by pointers")
  func longestName() throws {
    let labels = Array(repeating: [1, 0x61] as [UInt8], count: 127).flatMap { $0 }
    let question = labels + [0, 0, 1, 0, 1]
    #expect(try DNSMessage(decoding: Self.header(1) + question).questions[0].name.wire.count == 255)
    let again = try DNSMessage(decoding: Self.header(2) + question + [0xC0, 12, 0, 1, 0, 1])
    #expect(again.questions[1].name == again.questions[0].name)
    #expect(failure(Self.header(2) + question + [1, 0x62, 0xC0, 12, 0, 1, 0, 1])?.code == .nameTooLong)
  }

  @Test("a name leads elsewhere 127 times at most")
  func pointerChain() {
    // A record of bytes that mean nothing holds a chain: a root, and pointers each to the one before it.
    func message(_ count: Int) -> [UInt8] {
      var content: [UInt8] = [0]
      let start = 12 + 11
      for index in 0..<count {
        let target = index == 0 ? start : start + 1 + 2 * (index - 1)
        content += [0xC0 | UInt8(target >> 8), UInt8(target & 0xFF)]
      }
      let head: [UInt8] = [0, 0xFF, 0xFE, 0, 1, 0, 0, 0, 0, UInt8(content.count >> 8), UInt8(content.count & 0xFF)]
      let last = start + 1 + 2 * (count - 1)
      return Self.header(0, 2) + head + content + [0xC0 | UInt8(last >> 8), UInt8(last & 0xFF)]
        + [0xFF, 0xFE, 0, 1, 0, 0, 0, 0, 0, 0]
    }
    #expect(failure(message(126)) == nil)
    #expect(failure(message(127))?.code == .badPointer)
  }

  @Test(
    "a record whose content is not its type's is refused, with the record's place",
    arguments: [
      (1, [1, 2, 3]), (1, [1, 2, 3, 4, 5]), (28, [1, 2, 3, 4]), (5, []), (5, [1, 0x61]), (5, [0, 0]),
      (33, [0, 0, 0, 0, 0]),
      (15, [0, 1]), (6, [0, 0, 0, 0, 0, 0]), (16, []), (16, [2, 0x61]), (41, [0, 1, 0, 2, 3]),
    ] as [(UInt8, [UInt8])])
  func badRecords(type: UInt8, content: [UInt8]) {
    let isExtension = type == 41
    let record: [UInt8] = [0, 0, type, 0, 1, 0, 0, 0, 0, 0, UInt8(content.count)] + content
    let header = Self.header(0, isExtension ? 0 : 1, additionals: isExtension ? 1 : 0)
    // What follows must not be taken for the record's own.
    let error = failure(header + record + [UInt8](repeating: 0, count: 40))
    #expect(error?.code == .badRecord(DNSRecordType(rawValue: UInt16(type))))
    #expect(error?.offset == 12)
  }

  @Test("EDNS is said once and by the root")
  func badExtensions() {
    let opt = hex("00 0029 04D0 00000000 0000")
    #expect(failure(Self.header(additionals: 1) + opt) == nil)
    let second = failure(Self.header(additionals: 2) + opt + opt)
    #expect(second?.code == .badExtension)
    #expect(second?.offset == 23)
    #expect(failure(Self.header(additionals: 1) + [1, 0x61] + opt)?.code == .badExtension)
    // Outside the additional section it is a record like any other.
    #expect(failure(Self.header(0, 1) + opt) == nil)
  }

  @Test("an address of another class than the Internet's is bytes")
  func otherClass() throws {
    let chaos = hex("00 0001 0003 00000000 0003 010203")
    let message = try DNSMessage(decoding: Self.header(0, 1) + chaos)
    #expect(message.answers[0].data == .other(.a, [1, 2, 3]))
    #expect(message.answers[0].recordClass == 3)
  }

  @Test("counts that the bytes do not bear out are refused")
  func counts() {
    #expect(failure(Self.header(0xFFFF, 0xFFFF, additionals: 0xFFFF))?.code == .unexpectedEnd)
    #expect(failure([0, 1, 2])?.code == .unexpectedEnd)
  }

  @Test("an error says where and what, in one line")
  func words() {
    #expect(failure(Self.header(1) + [0xC0, 12])?.message == "byte 12: a name's pointer does not lead back")
    #expect(
      failure(Self.header(0, 1) + hex("00 0001 0001 00000000 0001 7F"))?.message
        == "byte 12: a record of type A is malformed")
  }

  @Test("bytes changed by chance are a message or refused, and never more names than there are bytes")
  func mutations() {
    var random = SeededGenerator(3)
    let seeds = vectors.map { hex($0.hex) }
    var read = 0
    for _ in 0..<20_000 {
      var bytes = seeds.randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      guard let message = try? DNSMessage(decoding: bytes) else { continue }
      read += 1
      let records = message.answers + message.authorities + message.additionals
      #expect(records.count * 11 <= bytes.count)
      #expect(records.allSatisfy { (1...255).contains($0.name.wire.count) && $0.timeToLive <= Int32.max })
    }
    #expect((1_000..<19_000).contains(read))
  }
}

@Suite struct DNSQueryTests {
  @Test("a query is one question with EDNS of 1232 bytes, and asks the server to ask others")
  func encoding() throws {
    let query = DNSQuery(id: 0x1234, name: try DNSName("Db.svc"), type: .srv)
    #expect(
      query.encoded
        == hex(
          """
          1234 0100 0001 0000 0000 0001  // id, RD, one question, one additional record
          02 4462 03 737663 00 0021 0001 // Db.svc., SRV, IN
          00 0029 04D0 00000000 0000     // the root, OPT, 1232 bytes
          """))
    let message = try DNSMessage(decoding: query.encoded)
    #expect(message.questions == [query.question] && message.recursionDesired && !message.isResponse)
    #expect(message.ednsExtension == DNSExtension(payloadSize: 1232))
  }

  @Test("EDNS and recursion can be left out")
  func plain() throws {
    let query = DNSQuery(id: 1, name: .root, type: .ns, recursionDesired: false, payloadSize: nil)
    #expect(query.encoded == hex("0001 0000 0001 0000 0000 0000 00 0002 0001"))
  }

  @Test("an answer has the query's number and question, whatever their case")
  func matching() throws {
    let query = DNSQuery(id: 7, name: try DNSName("a.example"), type: .a)
    var answer = DNSMessage()
    answer.id = 7
    answer.isResponse = true
    answer.questions = [DNSQuestion(name: try DNSName("A.Example"), type: .a)]
    #expect(query.isAnswered(by: answer))
    func isAnswered(_ change: (inout DNSMessage) -> Void) -> Bool {
      var other = answer
      change(&other)
      return query.isAnswered(by: other)
    }
    #expect(!isAnswered { $0.id = 8 })
    #expect(!isAnswered { $0.isResponse = false })
    #expect(!isAnswered { $0.opcode = 4 })
    #expect(!isAnswered { $0.questions[0].type = .aaaa })
    #expect(!isAnswered { $0.questions[0].recordClass = 3 })
    #expect(!isAnswered { $0.questions[0].name = .root })
    #expect(!isAnswered { $0.questions += $0.questions })
    #expect(!isAnswered { $0.questions = [] })
    #expect(
      isAnswered {
        $0.questions = []
        $0.code = .formatError
      })
  }
}

@Suite struct DNSCodeTests {
  @Test(
    "types go by their names, and by their numbers where they have none here",
    arguments: [("A", 1), ("AAAA", 28), ("SRV", 33), ("TXT", 16), ("PTR", 12), ("TYPE65", 65), ("TYPE65535", 65535)])
  func types(name: String, number: UInt16) {
    #expect(DNSRecordType(name: name)?.rawValue == number)
    #expect(DNSRecordType(name: name.lowercased())?.rawValue == number)
    #expect(DNSRecordType(rawValue: number).name == name)
  }

  @Test("other words are no types", arguments: ["", "B", "TYPE", "TYPE65536", "TYPE-1", "1", "A "])
  func notTypes(name: String) { #expect(DNSRecordType(name: name) == nil) }

  @Test("codes have their usual names")
  func codes() {
    let codes: [DNSResponseCode] = [.noError, .formatError, .serverFailure, .nameError, .notImplemented, .refused]
    #expect(codes.map(\.name) == ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"])
    #expect(DNSResponseCode(rawValue: 3841).name == "RCODE3841")
  }
}
