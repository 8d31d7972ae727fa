// SPDX-License-Identifier: Apache-2.0

import Bytes
import GRPC
import HTTP2
import Testing
import Transcoding

@Suite struct GRPCWebTests {
  @Test("the type of a body tells its form")
  func forms() {
    #expect(GRPCWebForm(contentType: "application/grpc-web") == .binary)
    #expect(GRPCWebForm(contentType: "Application/gRPC-Web+proto; a=b") == .binary)
    #expect(GRPCWebForm(contentType: "application/grpc-web-text") == .text)
    #expect(GRPCWebForm(contentType: "application/grpc-web-text+proto") == .text)
    for type in ["application/grpc", "application/grpc-web+json", "application/grpc-website", "application/json", ""] {
      #expect(GRPCWebForm(contentType: type) == nil, "\(type)")
    }
    #expect(GRPCWebForm.binary.answer(accept: nil) == .binary)
    #expect(GRPCWebForm.binary.answer(accept: "*/*") == .binary)
    #expect(GRPCWebForm.binary.answer(accept: "application/grpc-web-text") == .text)
    #expect(GRPCWebForm.text.answer(accept: "text/html, application/grpc-web+proto") == .binary)
  }

  /// The messages of a body that is cut into chunks of a size, and how it ended.
  private func decoded(
    _ form: GRPCWebForm, _ body: [UInt8], _ size: Int, limit: Int = 100
  ) -> (messages: [[UInt8]], failure: String?) {
    var decoder = GRPCWebDecoder(form, limit: limit)
    var messages: [[UInt8]] = []
    var rest = body[...]
    do throws(Status) {
      while !rest.isEmpty {
        decoder.receive(rest.prefix(size))
        rest = rest.dropFirst(size)
        while let message = try decoder.nextMessage() { messages.append(message) }
      }
      try decoder.checkEnd()
    } catch { return (messages, error.message) }
    return (messages, nil)
  }

  @Test("messages come whole, however a body is cut", arguments: [1, 2, 3, 4, 5, 7, 1000])
  func cuts(size: Int) {
    let expected: [[UInt8]] = [[1, 2, 3], [], [4], Array(repeating: 9, count: 50)]
    let frames = expected.map { MessageFrame($0).bytes }
    func text(_ parts: [[UInt8]]) -> [UInt8] { parts.flatMap { Array(Base64.encode($0.span, padded: true).utf8) } }
    for (form, body) in [
      (GRPCWebForm.binary, Array(frames.joined())), (.text, text([Array(frames.joined())])),
      // Each frame by itself, with padding behind each; then byte by byte.
      (.text, text(frames)), (.text, text(frames.joined().map { [$0] })),
    ] {
      let (messages, failure) = decoded(form, body, size)
      #expect(messages == expected)
      #expect(failure == nil)
    }
  }

  @Test(
    "a body that is none is refused", arguments: [1, 3, 1000])
  func refused(size: Int) {
    let frame = MessageFrame([1]).bytes
    let text = Array(Base64.encode(frame.span, padded: true).utf8)
    #expect(decoded(.binary, frame.dropLast(), size).failure == "the body ends within a message of gRPC-Web")
    #expect(decoded(.binary, [0, 0], size).failure == "the body ends within a message of gRPC-Web")
    #expect(decoded(.text, text.dropLast(), size).failure == "the body ends within a message of gRPC-Web")
    #expect(decoded(.binary, [0x80, 0, 0, 0, 0], size).failure == "grpc: received unexpected payload format 128")
    #expect(
      decoded(.binary, [0, 0, 0, 1, 0], size).failure == "grpc: received message larger than max (256 vs. 100)")
    for broken in ["=", "A=", "A===", "AA=A", "A", "AAA-", "AAAA\n", "AAAA====", "\u{0}"] {
      let (messages, failure) = decoded(.text, Array(broken.utf8), size)
      #expect(messages == [])
      #expect(failure != nil, "\(broken)")
    }
    // What came before the fault counts.
    let (messages, failure) = decoded(.text, text + [0x21], size)
    #expect(messages == [[1]])
    #expect(failure == "the body is no base64")
  }

  @Test("an answer ends with a frame of trailers")
  func answers() throws {
    var metadata = Metadata([.init("bad", "a\u{0D}\u{0A}grpc-status: 0"), .init("te", "x")])
    try metadata.append("key", "v")
    try metadata.append("x-bin", bytes: [1, 2])
    let trailers = "grpc-status: 5\r\ngrpc-message: a%0Ab%25\r\nkey: v\r\nx-bin: AQI\r\n"
    let end = [0x80, 0, 0, 0, UInt8(trailers.utf8.count)] + Array(trailers.utf8)
    var body: [UInt8] = []
    let encoder = GRPCWebEncoder(.binary)
    encoder.message(MessageFrame([7]), into: &body)
    encoder.end(Status(.notFound, "a\nb%"), metadata, into: &body)
    #expect(body == [0, 0, 0, 0, 1, 7] + end)
    body = []
    GRPCWebEncoder(.text).message(MessageFrame([7]), into: &body)
    GRPCWebEncoder(.text).end(.ok, Metadata(), into: &body)
    #expect(String(decoding: body, as: UTF8.self) == "AAAAAAEH" + "gAAAABBncnBjLXN0YXR1czogMA0K")
  }
}
