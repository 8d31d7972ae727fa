// SPDX-License-Identifier: Apache-2.0

extension DNSMessage {
  /// Reads a message. Bytes after it are counted and otherwise ignored.
  ///
  /// An answer that says that it is truncated may end anywhere after its header: it has the records that are whole.
  public init(decoding bytes: [UInt8]) throws(DNSError) {
    var reader = DNSReader(bytes)
    self.init()
    id = try reader.uint16()
    setFlags(try reader.uint16())
    let counts = (
      questions: try reader.uint16(), answers: try reader.uint16(), authorities: try reader.uint16(),
      additionals: try reader.uint16()
    )
    do throws(DNSError) {
      for _ in 0..<counts.questions { questions.append(try reader.question()) }
      for _ in 0..<counts.answers { answers.append(try Self.record(&reader)) }
      for _ in 0..<counts.authorities { authorities.append(try Self.record(&reader)) }
      for _ in 0..<counts.additionals { try readAdditional(&reader) }
      trailingByteCount = reader.remaining
    } catch {
      guard isTruncated, error.code == .unexpectedEnd else { throw error }
    }
  }

  private mutating func setFlags(_ flags: UInt16) {
    isResponse = flags & 0x8000 != 0
    opcode = UInt8(truncatingIfNeeded: flags >> 11 & 0xF)
    isAuthoritative = flags & 0x0400 != 0
    isTruncated = flags & 0x0200 != 0
    recursionDesired = flags & 0x0100 != 0
    recursionAvailable = flags & 0x0080 != 0
    isAuthenticated = flags & 0x0020 != 0
    checkingDisabled = flags & 0x0010 != 0
    code = DNSResponseCode(rawValue: flags & 0xF)
  }

  private static func record(_ reader: inout DNSReader) throws(DNSError) -> DNSRecord {
    try record(reader.recordHead(), &reader)
  }

  private static func record(
    _ head: DNSReader.RecordHead, _ reader: inout DNSReader
  ) throws(DNSError) -> DNSRecord {
    // A time with its first bit set is none (RFC 2181 section 8).
    let timeToLive = head.timeToLive >> 31 == 0 ? head.timeToLive : 0
    return DNSRecord(
      name: head.name, recordClass: head.recordClass, timeToLive: timeToLive, data: try reader.recordData(of: head))
  }

  private mutating func readAdditional(_ reader: inout DNSReader) throws(DNSError) {
    let head = try reader.recordHead()
    guard head.type == .opt else {
      additionals.append(try Self.record(head, &reader))
      return
    }
    // There is one, and it is the root's (RFC 6891 section 6.1).
    guard ednsExtension == nil, head.name == .root else { throw DNSError(.badExtension, at: head.start) }
    let options = try reader.content(of: head) { (part) throws(DNSError) in
      var options: [DNSExtension.Option] = []
      while part.remaining > 0 {
        let code = try part.uint16()
        options.append(DNSExtension.Option(code: code, bytes: Array(try part.take(Int(try part.uint16())))))
      }
      return options
    }
    // What is a time elsewhere are eight more bits of the code, the version and flags here.
    code.rawValue |= UInt16(truncatingIfNeeded: head.timeToLive >> 24) << 4
    ednsExtension = DNSExtension(
      payloadSize: head.recordClass, version: UInt8(truncatingIfNeeded: head.timeToLive >> 16),
      wantsDNSSEC: head.timeToLive & 0x8000 != 0, options: options)
  }
}
