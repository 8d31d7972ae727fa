// SPDX-License-Identifier: Apache-2.0

import HTTP2
import TestSupport
import Testing

@Suite struct ExchangeTests {
  @Test("a server that has said everything asks for no more, and says so after its last frame")
  func earlyAnswer() throws {
    let pair = try Pair()
    let id = try pair.client.submitRequest(endStream: false)
    #expect(pair.exchange())
    try pair.server.submitHeaders(id, response, endStream: false)
    try pair.server.send([1, 2, 3], on: id, endStream: false)
    try pair.server.submitTrailers(id, trailers)
    #expect(pair.exchange())
    #expect(pair.clientEvents.body(of: id) == [1, 2, 3])
    #expect(pair.clientEvents.contains(.headers(id, trailers, kind: .trailers, endStream: true)))
    #expect(pair.clientEvents.contains(.reset(id, .noError, by: .peer)))
    #expect(pair.serverEvents.last == .streamClosed(id, .noError))
  }

  @Test("a header section that has not ended is known")
  func insideHeaders() throws {
    let server = try Endpoint.server()
    #expect(!server.isInsideHeaderSection)
    let bytes = Frame.headers(1, request).bytes()
    server.receive(Array(bytes.dropLast(1)))
    #expect(server.isInsideHeaderSection)
    server.receive(Array(bytes.suffix(1)))
    #expect(!server.isInsideHeaderSection)
  }

  /// A unary call from end to end; returns what each side saw.
  func unaryCall(cut: @escaping (Int) -> Int = { $0 }) throws -> (client: [HTTP2Event], server: [HTTP2Event]) {
    let pair = try Pair()
    let id = try pair.client.submitRequest(request, endStream: false)
    try pair.client.send([0, 0, 0, 0, 0], on: id, endStream: true)
    pair.exchange(cut: cut)
    try pair.server.submitHeaders(id, response, endStream: false)
    try pair.server.send([0, 0, 0, 0, 2, 8, 1], on: id, endStream: false)
    try pair.server.submitTrailers(id, trailers)
    #expect(pair.exchange(cut: cut))
    return pair.takeEvents()
  }

  func expectUnary(client: [HTTP2Event], server: [HTTP2Event]) {
    #expect(server.headers(of: 1).map { $0.fields } == [request])
    #expect(server.headers(of: 1).map { $0.kind } == [.request])
    #expect(server.body(of: 1) == [0, 0, 0, 0, 0])
    #expect(server.endsOfStream(1) == 1)
    #expect(server.last == .streamClosed(1, .noError))
    #expect(client.headers(of: 1).map { $0.fields } == [response, trailers])
    #expect(client.headers(of: 1).map { $0.kind } == [.response, .trailers])
    #expect(client.headers(of: 1).map { $0.endStream } == [false, true])
    #expect(client.body(of: 1) == [0, 0, 0, 0, 2, 8, 1])
    #expect(client.endsOfStream(1) == 1)
    #expect(client.last == .streamClosed(1, .noError))
  }

  @Test("a unary call brings headers, data and trailers to both ends")
  func unary() throws {
    let (client, server) = try unaryCall()
    expectUnary(client: client, server: server)
    #expect(server.contains(.data(1, [0, 0, 0, 0, 0], flowControlled: 5, endStream: true)))
  }

  @Test("a unary call one byte at a time brings the same")
  func byteByByte() throws {
    let (client, server) = try unaryCall { _ in 1 }
    expectUnary(client: client, server: server)
  }

  @Test("a unary call cut at random brings the same", arguments: 0..<50)
  func randomCuts(seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    let (client, server) = try unaryCall { Int.random(in: 1...$0, using: &generator) }
    expectUnary(client: client, server: server)
  }

  @Test("the bytes of a call leave in one go: acknowledgement, HEADERS, DATA")
  func oneGo() throws {
    let client = try Endpoint(.client, .client)
    _ = client.drained()
    client.receive(Frame.settings())
    let id = try client.submitRequest(request, endStream: false)
    try client.send([0, 0, 0, 0, 0], on: id, endStream: true)
    let frames = client.drainedFrames()
    #expect(frames.map { $0.type } == [4, 1, 0])
    #expect(frames.first == .settingsACK)
    #expect(frames.last == .data(1, [0, 0, 0, 0, 0], endStream: true))
  }

  @Test("a large body goes both ways whole, through windows that are much smaller")
  func largeBodies() throws {
    let pair = try Pair()
    var generator = SeededGenerator(7)
    let up = (0..<700_001).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let down = (0..<900_007).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let id = try pair.client.submitRequest(request, endStream: false)
    try pair.client.send(up, on: id, endStream: true)
    #expect(pair.exchange())
    try pair.server.submitHeaders(id, response, endStream: false)
    for start in stride(from: 0, to: down.count, by: 10_000) {
      try pair.server.send([UInt8](down[start..<min(start + 10_000, down.count)]), on: id, endStream: false)
    }
    try pair.server.submitTrailers(id, trailers)
    var received = (up: [UInt8](), down: [UInt8]())
    var ended = false
    for _ in 0..<1_000 where !ended {
      #expect(pair.exchange())
      let (client, server) = pair.takeEvents()
      for case .data(let id, let bytes, let count, _) in client {
        received.down += bytes
        pair.client.consume(id, count)
      }
      for case .data(let id, let bytes, let count, _) in server {
        received.up += bytes
        pair.server.consume(id, count)
      }
      ended = client.contains(.streamClosed(id, .noError))
    }
    #expect(ended)
    #expect(received.up == up)
    #expect(received.down == down)
    #expect(pair.server.pendingBytes(on: id) == 0)
  }

  @Test("interim responses come before the response, however many")
  func interim() throws {
    let pair = try Pair()
    let id = try pair.client.submitRequest(request, endStream: true)
    pair.exchange()
    try pair.server.submitHeaders(id, [HeaderField(":status", "103"), HeaderField("link", "</a>")], endStream: false)
    try pair.server.submitHeaders(id, [HeaderField(":status", "103")], endStream: false)
    try pair.server.submitHeaders(id, response, endStream: true)
    pair.exchange()
    let sections = pair.clientEvents.headers(of: id)
    #expect(sections.map { $0.kind } == [.informational, .informational, .response])
    #expect(sections.last?.endStream == true)
  }

  @Test("a response without a body needs no DATA frame")
  func trailersOnly() throws {
    let server = try Endpoint.server()
    server.receive(Frame.headers(1, request, endStream: true))
    try server.submitHeaders(1, response + trailers, endStream: true)
    #expect(server.drainedFrames().map { $0.type } == [1])
    #expect(server.events().last == .streamClosed(1, .noError))
  }

  @Test("trailers without data before them need no DATA frame and no window")
  func trailersWithoutWindow() throws {
    let server = try Endpoint.server(settings: [(4, 0)])
    server.receive(Frame.headers(1, request, endStream: true))
    try server.submitHeaders(1, response, endStream: false)
    try server.submitTrailers(1, trailers)
    #expect(server.drainedFrames().map { $0.type } == [1, 1])
    #expect(server.events().last == .streamClosed(1, .noError))
  }

  @Test("trailers that come when all data has left end the stream at once")
  func lateTrailers() throws {
    let server = try Endpoint.server()
    server.receive(Frame.headers(1, request, endStream: true))
    try server.submitHeaders(1, response, endStream: false)
    try server.send([1, 2, 3], on: 1, endStream: false)
    #expect(server.drainedFrames().map { $0.type } == [1, 0])
    try server.submitTrailers(1, trailers)
    let frames = server.drainedFrames()
    #expect(frames.map { $0.type } == [1])
    #expect(frames.first?.flags == 5)
  }

  @Test("a client's trailers without data follow its headers, though both wait")
  func requestTrailers() throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(endStream: false)
    try client.submitTrailers(id, trailers)
    let frames = client.drainedFrames()
    #expect(frames.map { $0.type } == [1, 1])
    #expect(frames.map { $0.flags } == [4, 5])
  }

  @Test("the end of a stream can follow its last byte later, in an empty frame")
  func lateEnd() throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(request, endStream: false)
    try client.send([1], on: id, endStream: false)
    #expect(client.drainedFrames().last == .data(id, [1]))
    #expect(!client.wantsWrite)
    try client.send([], on: id, endStream: true)
    #expect(client.drainedFrames() == [.data(id, [], endStream: true)])
  }

  @Test("small pieces queued in a row share a frame")
  func coalescing() throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(request, endStream: false)
    for byte: UInt8 in 0..<100 { try client.send([byte], on: id, endStream: byte == 99) }
    #expect(client.pendingBytes(on: id) == 100)
    #expect(client.drainedFrames().of(type: 0) == [.data(id, [UInt8](0..<100), endStream: true)])
    #expect(client.pendingBytes(on: id) == 0)
  }

  @Test("a response may begin before the request has ended")
  func earlyResponse() throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(request, endStream: false)
    _ = client.drained()
    client.receive(.headers(id, response), .data(id, [1]), .headers(id, trailers, endStream: true))
    #expect(client.events().headers(of: id).map { $0.kind } == [.response, .trailers])
    try client.send([2], on: id, endStream: true)
    #expect(client.drainedFrames() == [.data(id, [2], endStream: true)])
    #expect(client.events() == [.streamClosed(id, .noError)])
  }

  @Test("a header section may be spread over CONTINUATION frames, cut anywhere")
  func continuation() throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(request, endStream: true)
    _ = client.drained()
    let block = (response + trailers).flatMap(Frame.literal)
    client.receive(
      .headers(id, block: [UInt8](block[..<5]), endStream: true, endHeaders: false),
      .continuation(id, block: [UInt8](block[5..<6]), endHeaders: false),
      .continuation(id, block: [], endHeaders: false),
      .continuation(id, block: [UInt8](block[6...]), endHeaders: true))
    let sections = client.events().headers(of: id)
    #expect(sections.map { $0.fields } == [response + trailers])
    #expect(sections.first?.endStream == true)
  }

  @Test("a header section that we send and that fits no frame is continued")
  func sentContinuation() throws {
    let pair = try Pair()
    let fields = request + (0..<50).map { HeaderField("x-\($0)", String(repeating: "a~", count: 500)) }
    let id = try pair.client.submitRequest(fields, endStream: true)
    pair.exchange()
    #expect(pair.serverEvents.headers(of: id).map { $0.fields } == [fields])
  }

  @Test("a field that must not be indexed stays so, on the wire and as received")
  func sensitive() throws {
    let secret = HeaderField("authorization", "Bearer sesame", isSensitive: true)
    let pair = try Pair()
    let id = try pair.client.submitRequest(request + [secret], endStream: true)
    pair.exchange()
    #expect(pair.serverEvents.headers(of: id).first?.fields.last == secret)
  }

  @Test("a value that is no UTF-8 is repaired, and spaces at its end are kept")
  func oddValues() throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(request, endStream: true)
    _ = client.drained()
    let name = Frame.string([UInt8]("grpc-message".utf8))
    let block = response.flatMap(Frame.literal) + [0] + name + Frame.string([0x61, 0xFF, 0x62, 0x20])
    client.receive(Frame.headers(id, block: block, endStream: true))
    #expect(client.events().headers(of: id).first?.fields.first(named: "grpc-message") == "a\u{FFFD}b ")
  }

  @Test("DATA that ends the stream without trailers is told as such")
  func noTrailers() throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(request, endStream: true)
    _ = client.drained()
    client.receive(.headers(id, response), .data(id, [1, 2], endStream: true))
    #expect(
      client.events().suffix(2) == [
        .data(id, [1, 2], flowControlled: 2, endStream: true), .streamClosed(id, .noError),
      ])
  }

  @Test("streams are independent: three calls at once do not mix")
  func concurrentStreams() throws {
    let pair = try Pair()
    var ids: [StreamID] = []
    for byte: UInt8 in 1...3 {
      let id = try pair.client.submitRequest(request, endStream: false)
      try pair.client.send([UInt8](repeating: byte, count: 20_000), on: id, endStream: true)
      ids.append(id)
    }
    #expect(ids == [1, 3, 5])
    pair.exchange()
    for (id, byte) in zip(ids, UInt8(1)...3) {
      #expect(pair.serverEvents.body(of: id) == [UInt8](repeating: byte, count: 20_000))
    }
  }

  @Test("drain stops at the end of the frame that reaches the limit, and goes on from there")
  func boundedDrain() throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(request, endStream: false)
    try client.send([UInt8](repeating: 1, count: 60_000), on: id, endStream: true)
    var pieces: [Int] = []
    var all: [UInt8] = []
    while client.wantsWrite, pieces.count < 100 { pieces.append(client.drain(into: &all, atMost: 10_000)) }
    #expect(!client.wantsWrite)
    #expect(pieces.allSatisfy { $0 <= 10_000 + 16_384 + 9 })
    #expect(pieces.count > 2)
    #expect([Frame](cutting: all).of(type: 0).reduce(0) { $0 + $1.payload.count } == 60_000)
  }
}
