// SPDX-License-Identifier: Apache-2.0

import HTTP2
import Testing

@Suite struct ConnectionTests {
  @Test("SETTINGS are told as the sum of what the peer has said, and acknowledged")
  func settings() throws {
    let client = try Endpoint(.client, .client)
    _ = client.drained()
    client.receive(.settings([(3, 100), (4, 1 << 20), (0x77, 5)]), .settings([(3, 50), (6, 8_192)]))
    var first = HTTP2Settings()
    first.maxConcurrentStreams = 100
    first.initialWindowSize = 1 << 20
    var second = first
    second.maxConcurrentStreams = 50
    second.maxHeaderListSize = 8_192
    #expect(client.events() == [.settings(first), .settings(second)])
    #expect(client.peerSettings == second)
    #expect(client.drainedFrames() == [.settingsACK, .settingsACK])
  }

  @Test("the peer's acknowledgement of our SETTINGS is told")
  func acknowledged() throws {
    let client = try Endpoint(.client, .client)
    _ = client.drained()
    client.receive(.settings(), .settingsACK)
    #expect(client.events() == [.settings(HTTP2Settings()), .settingsAcknowledged])
  }

  @Test(
    "SETTINGS that RFC 9113 forbids end the connection",
    arguments: [(2, 2, 1), (4, 1 << 31, 3), (5, 16_383, 1)] as [(UInt16, UInt32, UInt32)])
  func badSettings(identifier: UInt16, value: UInt32, code: UInt32) throws {
    let server = try Endpoint.server()
    server.receive(.settings([(identifier, value)]))
    #expect(server.events().failure?.wireCode == HTTP2ErrorCode(rawValue: code))
  }

  @Test("a PING is answered with the same bytes, and told")
  func ping() throws {
    let client = try Endpoint.client()
    client.receive(.ping([1, 2, 3, 4, 5, 6, 7, 8]))
    #expect(client.events() == [.ping(0x0102_0304_0506_0708)])
    #expect(client.drainedFrames() == [.ping([1, 2, 3, 4, 5, 6, 7, 8], ack: true)])
  }

  @Test("the answer to our own PING brings the number back")
  func pong() throws {
    let pair = try Pair()
    pair.exchange()
    _ = pair.takeEvents()
    pair.client.ping(0x0102_0304_0506_0708)
    pair.exchange()
    #expect(pair.clientEvents == [.pingAcknowledged(0x0102_0304_0506_0708)])
    #expect(pair.serverEvents == [.ping(0x0102_0304_0506_0708)])
  }

  @Test("a server shuts down in two phases, and the open call goes on to its end")
  func gracefulShutdown() throws {
    let pair = try Pair()
    let id = try pair.client.submitRequest(endStream: true)
    pair.exchange()
    _ = pair.takeEvents()

    pair.server.shutdownNotice()
    pair.exchange()
    #expect(pair.takeEvents().client == [.goAway(lastStreamID: .max, .noError, debugData: [])])
    #expect(!pair.client.canSubmitRequest)
    #expect(throws: HTTP2Error.self) { try pair.client.submitRequest(endStream: true) }

    pair.server.goAway(.noError, debugData: [UInt8]("bye".utf8))
    pair.exchange()
    #expect(pair.takeEvents().client == [.goAway(lastStreamID: id, .noError, debugData: [UInt8]("bye".utf8))])
    #expect(pair.client.wantsRead)
    #expect(pair.server.wantsRead)

    try pair.server.submitHeaders(id, response, endStream: true)
    pair.exchange()
    #expect(pair.takeEvents().client.last == .streamClosed(id, .noError))
    #expect(pair.client.isOver)
    #expect(pair.server.isOver)
  }

  @Test("a client says goodbye with its text, and is over")
  func clientGoodbye() throws {
    let client = try Endpoint.client()
    client.goAway(.noError, lastStreamID: 1, debugData: [UInt8]("client transport shutdown".utf8))
    #expect(client.drainedFrames() == [.goAway(0, .noError, [UInt8]("client transport shutdown".utf8))])
    #expect(client.isOver)
    #expect(client.events().isEmpty)
  }

  @Test("GOAWAY with an error is told with its text, cut at the bound, and is no failure of the session")
  func goAwayText() throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(endStream: true)
    _ = client.drained()
    client.receive(.goAway(id, .enhanceYourCalm, [UInt8](repeating: 0x78, count: 5_000)))
    #expect(
      client.events() == [
        .goAway(
          lastStreamID: id, .enhanceYourCalm,
          debugData: [UInt8](repeating: 0x78, count: HTTP2Limits.maxDebugData))
      ])
    #expect(client.wantsRead)
    client.receive(.headers(id, response, endStream: true))
    #expect(client.events().last == .streamClosed(id, .noError))
    #expect(client.isOver)
  }

  @Test("GOAWAY refuses the streams that it does not cover, sent or not")
  func goAwayRefuses() throws {
    let client = try Endpoint.client(settings: [(3, 2)])
    let ids = try (0..<4).map { _ in try client.submitRequest(endStream: true) }
    #expect(client.drainedFrames().of(type: 1).count == 2)
    client.receive(.goAway(1, .noError))
    let events = client.events()
    #expect(events.first == .goAway(lastStreamID: 1, .noError, debugData: []))
    for id in ids.dropFirst() { #expect(events.contains(.streamClosed(id, .refusedStream))) }
    #expect(events.count == 4)
    client.receive(.headers(1, response, endStream: true))
    #expect(client.events().last == .streamClosed(1, .noError))
    #expect(client.drainedFrames().isEmpty)
    #expect(client.isOver)
  }

  @Test("requests wait for the peer's limit of concurrent streams, in order")
  func concurrencyLimit() throws {
    let client = try Endpoint.client(settings: [(3, 1)])
    let ids = try (0..<3).map { _ in try client.submitRequest(endStream: true) }
    for id in ids {
      #expect(client.drainedFrames().of(type: 1).map { $0.stream } == [id])
      client.receive(.headers(id, response, endStream: true))
      #expect(client.events().last == .streamClosed(id, .noError))
    }
  }

  @Test("a limit of zero streams keeps a request back for ever, and it can be withdrawn")
  func zeroStreams() throws {
    let client = try Endpoint.client(settings: [(3, 0)])
    let id = try client.submitRequest(endStream: true)
    #expect(client.drained().isEmpty)
    client.reset(id, .cancel)
    #expect(client.events() == [.streamClosed(id, .cancel)])
    client.receive(.settings([(3, 5)]))
    #expect(client.drainedFrames() == [.settingsACK])
  }

  @Test("a client that opens more streams than it may loses the excess, then the connection's patience")
  func tooManyStreams() throws {
    var limits = HTTP2Limits.server
    limits.maxConcurrentStreams = 2
    let server = try Endpoint.server(limits)
    for id in [1, 3, 5] as [StreamID] { server.receive(.headers(id, request)) }
    let events = server.events()
    #expect(events.headers(of: 1).count == 1)
    #expect(events.headers(of: 3).count == 1)
    #expect(events.headers(of: 5).isEmpty)
    #expect(events.failure?.code == .protocolViolation)
  }

  @Test("excess streams before our SETTINGS are acknowledged are only refused")
  func earlyExcess() throws {
    var limits = HTTP2Limits.server
    limits.maxConcurrentStreams = 1
    let server = try Endpoint(.server, limits)
    server.receive(
      Frame.preface + [Frame.settings(), .headers(1, request), .headers(3, request)].bytes)
    #expect(server.events().failure == nil)
    #expect(server.drainedFrames().of(type: 3) == [.reset(3, .refusedStream)])
  }

  @Test(
    "RST_STREAM from the peer is the peer's, with any code", arguments: [0, 1, 2, 5, 7, 8, 11, 13, 14, 0xFFFF_FFFF])
  func peerReset(code: UInt32) throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(endStream: false)
    try client.send([1], on: id, endStream: false)
    _ = client.drained()
    try client.send([2], on: id, endStream: false)
    let code = HTTP2ErrorCode(rawValue: code)
    client.receive(.reset(id, code))
    #expect(client.events() == [.reset(id, code, by: .peer), .streamClosed(id, code)])
    #expect(client.pendingBytes(on: id) == 0)
    #expect(client.drained().isEmpty)
    #expect(throws: HTTP2Error.self) { try client.send([3], on: id, endStream: true) }
  }

  @Test("a RST_STREAM of our own is not told back, only the stream's end")
  func ownReset() throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(endStream: false)
    _ = client.drained()
    try client.send([1, 2, 3], on: id, endStream: false)
    client.reset(id, .cancel)
    client.reset(id, .internalError)
    #expect(client.pendingBytes(on: id) == 0)
    #expect(client.drainedFrames() == [.reset(id, .cancel)])
    #expect(client.events() == [.streamClosed(id, .cancel)])
    client.receive(.headers(id, response), .data(id, [1]))
    #expect(client.events().isEmpty)
  }

  @Test("a response that breaks the rules of HTTP costs its stream alone, and is told as our doing")
  func malformedResponse() throws {
    let client = try Endpoint.client()
    let (bad, good) = (try client.submitRequest(endStream: true), try client.submitRequest(endStream: true))
    _ = client.drained()
    client.receive(.headers(bad, [HeaderField("x", "no status")]), .headers(good, response, endStream: true))
    let events = client.events()
    #expect(events.first == .reset(bad, .protocolError, by: .local))
    #expect(events.headers(of: good).count == 1)
    #expect(client.drainedFrames() == [.reset(bad, .protocolError)])
    #expect(client.events() == [.streamClosed(bad, .protocolError)])
  }

  @Test("a pushed stream is cancelled and nothing is told of it")
  func push() throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(endStream: true)
    _ = client.drained()
    let promise = Frame(
      type: 5, flags: 4, stream: id, payload: Frame.bigEndian(2) + request.flatMap(Frame.literal))
    client.receive(promise, .headers(2, response), .data(2, [1, 2, 3], endStream: true))
    #expect(client.events().isEmpty)
    #expect(client.drainedFrames() == [.reset(2, .cancel)])
    client.receive(.headers(id, response, endStream: true))
    #expect(client.events().last == .streamClosed(id, .noError))
  }

  @Test("what came before a violation is told before the failure")
  func orderOfFailure() throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(endStream: true)
    _ = client.drained()
    client.receive(.headers(id, response), .data(id, [1, 2]), .data(0, [3]), .data(id, [4]))
    let events = client.events()
    #expect(events.headers(of: id).count == 1)
    #expect(events.body(of: id) == [1, 2])
    #expect(events.count == 3)
    let failure = try #require(events.failure)
    #expect(failure.code == .protocolViolation)
    #expect(failure.initiator == .peer)
    #expect(failure.wireCode == .protocolError)
    #expect(!failure.message.isEmpty)
    let goodbye = try #require(client.drainedFrames().last)
    #expect(goodbye.type == 7)
    #expect(client.isOver)
  }

  @Test(
    "frames that RFC 9113 forbids end the connection",
    arguments: [
      Frame.data(0, [1]), .headers(2, request), .reset(0, .cancel), .reset(99, .cancel), .windowUpdate(0, 0),
      .windowUpdate(99, 1), .ping([1, 2, 3]), .continuation(1, block: [], endHeaders: true),
      Frame(type: 4, flags: 0, stream: 0, payload: [1]),
      Frame(type: 4, flags: 1, stream: 0, payload: [0, 0, 0, 0, 0, 0]),
      Frame(type: 7, flags: 0, stream: 0, payload: [0]), .headers(1, block: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
      Frame(type: 0, flags: 8, stream: 1, payload: [200, 1, 2]),
    ])
  func forbidden(frame: Frame) throws {
    let server = try Endpoint.server()
    server.receive(frame)
    #expect(server.events().failure?.code == .protocolViolation)
    #expect(server.drainedFrames().last?.type == 7)
    #expect(server.isOver)
  }

  @Test("a frame that is longer than we allow ends the connection before it is read")
  func tooLong() throws {
    let server = try Endpoint.server()
    server.receive(Frame(type: 0, flags: 0, stream: 1, payload: []).bytes(length: 16_385))
    #expect(server.events().failure?.wireCode == .frameSizeError)
  }

  @Test("frames of unknown types and settings of unknown names are ignored")
  func unknown() throws {
    let server = try Endpoint.server()
    server.receive(Frame(type: 0xEE, flags: 0xFF, stream: 0, payload: [1, 2, 3]), .headers(1, request))
    #expect(server.events().map { if case .headers = $0 { true } else { false } } == [true])
  }

  @Test("the last stream that was processed is known")
  func lastStream() throws {
    let server = try Endpoint.server()
    #expect(server.lastPeerStreamID == 0)
    server.receive(.headers(1, request), .headers(5, request))
    #expect(server.lastPeerStreamID == 5)
    server.goAway(.noError)
    #expect(server.drainedFrames() == [.goAway(5, .noError)])
  }
}
