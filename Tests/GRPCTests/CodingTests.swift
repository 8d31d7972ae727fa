// SPDX-License-Identifier: Apache-2.0

import GRPC
import HTTP2
import Testing

@Suite struct StatusMessageTests {
  @Test(
    "messages travel percent-coded and come back",
    arguments: [("", ""), ("plain text!", "plain text!"), ("100%", "100%25"), ("a\nb", "a%0Ab"), ("é", "%C3%A9")])
  func coding(plain: String, coded: String) {
    #expect(StatusMessage.encode(plain) == coded)
    #expect(StatusMessage.decode(coded) == plain)
  }

  @Test("invalid escapes are kept, and bytes that are no UTF-8 are repaired")
  func broken() {
    #expect(StatusMessage.decode("a%20b%zz%C3%A9%FF%") == "a b%zzé\u{FFFD}%")
    #expect(StatusMessage.decode("%4") == "%4")
    #expect(StatusMessage.decode("%c3%a9") == "é")
  }
}

@Suite struct TimeoutTests {
  @Test(
    "a timeout is written in the finest unit that has room, rounded up",
    arguments: [
      (0, "0n"), (-5, "0n"), (1, "1u"), (999_984_000, "999984u"), (1_000_000_000, "1000000u"),
      (99_999_999_000, "99999999u"), (100_000_000_000, "100000m"), (99_999_999_000_001, "100000S"),
      (Int64.max, "2562048H"),
    ] as [(Int64, String)])
  func encoding(nanoseconds: Int64, text: String) {
    #expect(Timeout.encode(nanoseconds: nanoseconds) == text)
  }

  @Test("a timeout is at most eight digits and a unit")
  func decoding() {
    #expect(Timeout.decode("1S") == 1_000_000_000)
    #expect(Timeout.decode("250m") == 250_000_000)
    #expect(Timeout.decode("7n") == 7)
    #expect(Timeout.decode("1M") == 60_000_000_000)
    #expect(Timeout.decode("99999999H") == .max)
    for bad in ["", "S", "1", "1s", "-1S", "1.5S", "123456789S", " 1S"] { #expect(Timeout.decode(bad) == nil) }
  }

  @Test("what is encoded never decodes to less")
  func roundTrip() {
    var value: Int64 = 1
    while value < Int64.max / 3 {
      let decoded = Timeout.decode(Timeout.encode(nanoseconds: value)) ?? 0
      #expect(decoded >= value)
      value = value * 3 + 1
    }
  }
}

@Suite struct MetadataTests {
  @Test("names are lower-case letters, digits and three signs; values of ASCII entries are printable")
  func rules() throws {
    var metadata = Metadata()
    try metadata.append("x-a_b.1", "value with spaces ~")
    #expect(throws: MetadataError.emptyName) { try metadata.append("", "x") }
    #expect(throws: MetadataError.illegalName("foo bar")) { try metadata.append("foo bar", "x") }
    #expect(throws: MetadataError.illegalName("Foo")) { try metadata.append("Foo", "x") }
    #expect(throws: MetadataError.illegalValue(name: "foo")) { try metadata.append("foo", "é") }
    #expect(throws: MetadataError.illegalValue(name: "foo")) { try metadata.append("foo", bytes: [1]) }
    #expect(
      MetadataError.illegalName("foo bar").message
        == "header key \"foo bar\" contains illegal characters not in [0-9a-z-_.]")
  }

  @Test("binary entries travel in base64 without padding, and several may share a field")
  func binary() throws {
    var metadata = Metadata()
    try metadata.append("a-bin", "é")
    try metadata.append("b-bin", bytes: [0, 255, 1, 2])
    #expect(metadata.fields == [HeaderField("a-bin", "w6k"), HeaderField("b-bin", "AP8BAg")])
    let read = Metadata([HeaderField("c-bin", "AP8BAg,w6k=,!!")])
    #expect(read.entries.map(\.bytes) == [[0, 255, 1, 2], [0xC3, 0xA9], nil])
  }

  @Test("a section's own fields are no metadata")
  func reserved() {
    let metadata = Metadata([
      HeaderField(":status", "200"), HeaderField("content-type", "application/grpc"), HeaderField("grpc-status", "0"),
      HeaderField("x", "1"), HeaderField("x", "2"), HeaderField("grpc-foo", "3"),
    ])
    #expect(metadata.entries.map(\.name) == ["x", "x", "grpc-foo"])
    #expect(metadata.first("x") == "1")
  }
}

@Suite struct FramingTests {
  func messages(_ deframer: inout MessageDeframer) throws(Status) -> [[UInt8]] {
    var messages: [[UInt8]] = []
    while let message = try deframer.nextMessage() { messages.append(message) }
    return messages
  }

  @Test("messages come out whole however the bytes are cut", arguments: [1, 2, 3, 5, 7, 64, 100_000])
  func chunking(size: Int) throws {
    let sent: [[UInt8]] = [[], [1], Array(repeating: 7, count: 300), Array(repeating: 9, count: 70_000)]
    var bytes: [UInt8] = []
    for (index, message) in sent.enumerated() {
      bytes += try MessageFramer.frame(message, encoding: index % 2 == 0 ? .identity : .gzip)
    }
    var deframer = MessageDeframer(limit: 1 << 20)
    deframer.encoding = .gzip
    var read: [[UInt8]] = []
    var start = 0
    while start < bytes.count {
      let end = min(start + size, bytes.count)
      deframer.receive(Array(bytes[start..<end]))
      read += try messages(&deframer)
      start = end
    }
    #expect(read == sent)
    #expect(!deframer.isInsideMessage)
  }

  @Test("the empty message is five zero bytes")
  func empty() throws { #expect(try MessageFramer.frame([]) == [0, 0, 0, 0, 0]) }

  @Test(
    "a frame that cannot be taken is refused by its prefix, for good",
    arguments: [
      (
        [0, 0, 80, 0, 0], .identity, .resourceExhausted, "grpc: received message larger than max (5242880 vs. 4194304)"
      ),
      ([1, 0, 0, 0, 1], .identity, .internal, "grpc: compressed flag set with identity or empty encoding"),
      ([2, 0, 0, 0, 1], .gzip, .internal, "grpc: received unexpected payload format 2"),
      ([1, 0, 0, 0, 1], nil, .internal, "grpc: Decompressor is not installed for grpc-encoding \"br\""),
    ] as [([UInt8], MessageEncoding?, StatusCode, String)])
  func refusals(prefix: [UInt8], encoding: MessageEncoding?, code: StatusCode, message: String) {
    var deframer = MessageDeframer(limit: 4 << 20)
    deframer.encoding = encoding
    deframer.encodingName = "br"
    deframer.receive(prefix[0] == 0 ? [0, 0, 0x50, 0, 0] : prefix)
    for _ in 0..<2 {
      #expect(throws: Status(code, message)) { try deframer.nextMessage() }
      deframer.receive([0, 0, 0, 0, 0])
    }
  }

  @Test("a compressed bomb stops at the limit")
  func bomb() throws {
    var deframer = MessageDeframer(limit: 1000)
    deframer.encoding = .gzip
    deframer.receive(try MessageFramer.frame(Array(repeating: 0, count: 100_000), encoding: .gzip))
    #expect(throws: Status(.resourceExhausted, "grpc: received message after decompression larger than max 1000")) {
      try deframer.nextMessage()
    }
  }
}

@Suite struct MappingTests {
  @Test("every HTTP/2 error code has its gRPC code")
  func resets() {
    let codes = (0...14).map { HTTPMapping.code(reset: HTTP2ErrorCode(rawValue: $0)) }
    #expect(
      codes == [
        .internal, .internal, .internal, .resourceExhausted, .internal, .internal, .internal, .unavailable, .cancelled,
        .internal, .internal, .resourceExhausted, .permissionDenied, .internal, .unknown,
      ])
  }

  @Test("HTTP statuses map as the specification says")
  func statuses() {
    #expect(HTTPMapping.code(httpStatus: 404) == .unimplemented)
    #expect(HTTPMapping.code(httpStatus: 429) == .unavailable)
    #expect(HTTPMapping.code(httpStatus: 302) == .unknown)
  }

  @Test("codes have both names, unknown ones their number")
  func names() {
    #expect((0...17).map { StatusCode(rawValue: $0).name }[5] == "NotFound")
    #expect(StatusCode(rawValue: 17).name == "Code(17)")
    #expect(StatusCode.cancelled.name == "Canceled")
    #expect(StatusCode.cancelled.constantName == "CANCELLED")
    #expect(Set((0...16).map { StatusCode(rawValue: $0).constantName }).count == 17)
  }
}
