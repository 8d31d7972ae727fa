// SPDX-License-Identifier: Apache-2.0

import HTTP2
import Testing

/// What a hostile peer can do. Each ends in a failure that names a limit, with little kept until then.
@Suite struct AttackTests {
  /// Feeds the server the frames that `make` gives, a chunk at a time, until it fails; returns the failure and how many
  /// chunks it took. `drains` says whether the attacker reads what comes back.
  func attack(
    _ peer: Endpoint, chunks: Int, drains: Bool, _ make: (Int) -> [Frame]
  ) -> (failure: HTTP2Error?, chunks: Int) {
    for chunk in 0..<chunks {
      peer.receive(make(chunk).bytes)
      if let failure = peer.events().failure { return (failure, chunk) }
      if drains {
        _ = peer.drained()
        if let failure = peer.events().failure { return (failure, chunk) }
      }
    }
    return (nil, chunks)
  }

  func expectLimit(_ failure: HTTP2Error?, _ peer: Endpoint, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(failure?.code == .limitExceeded, sourceLocation: sourceLocation)
    #expect(failure?.initiator == .peer, sourceLocation: sourceLocation)
    #expect(!peer.wantsRead, sourceLocation: sourceLocation)
    #expect(peer.drained().count < 512 * 1_024, sourceLocation: sourceLocation)
    #expect([Frame](cutting: peer.lastSent).last?.type == 7, sourceLocation: sourceLocation)
    #expect(peer.isOver, sourceLocation: sourceLocation)
  }

  @Test("rapid reset: streams opened and reset at once", arguments: [false, true])
  func rapidReset(drains: Bool) throws {
    let server = try Endpoint.server()
    let (failure, chunks) = attack(server, chunks: 10_000, drains: drains) { chunk in
      let id = StreamID(chunk * 2 + 1)
      return [.headers(id, request), .reset(id, .cancel)]
    }
    expectLimit(failure, server)
    #expect(chunks >= 1_000)
    #expect(chunks < 2_000)
  }

  @Test("rapid reset in one large chunk")
  func rapidResetAtOnce() throws {
    let server = try Endpoint.server()
    let frames = (0..<5_000).flatMap { index -> [Frame] in
      let id = StreamID(index * 2 + 1)
      return [.headers(id, request), .reset(id, .cancel)]
    }
    server.receive(frames.bytes)
    let events = server.events()
    expectLimit(events.failure, server)
    #expect(events.count < 4_000)
  }

  /// Frames that break a rule on an open stream, so that we have to reset it.
  static let provocations: [@Sendable (StreamID) -> Frame] = [
    { .windowUpdate($0, 0x7FFF_FFFF) },
    { .headers($0, [HeaderField(":path", "/late")], endStream: true) },
    { .headers($0, trailers) },
  ]

  @Test("made-you-reset: streams that the peer makes us reset", arguments: provocations.indices, [false, true])
  func madeYouReset(provocation: Int, drains: Bool) throws {
    let server = try Endpoint.server()
    let (failure, chunks) = attack(server, chunks: 10_000, drains: drains) { chunk in
      let id = StreamID(chunk * 2 + 1)
      return [.headers(id, request), AttackTests.provocations[provocation](id)]
    }
    expectLimit(failure, server)
    #expect(chunks == HTTP2Limits.server.localResetBurst)
  }

  @Test("a window update of nothing ends the connection, and is not told as a reset of its stream")
  func emptyWindowUpdate() throws {
    let server = try Endpoint.server()
    server.receive(.headers(1, request), .windowUpdate(1, 0))
    let events = server.events()
    #expect(events.count == 2)
    #expect(events.failure?.code == .protocolViolation)
  }

  @Test("a stream that breaks a rule and is reset by the peer in one breath is reset once, by us")
  func violationAndReset() throws {
    let server = try Endpoint.server()
    server.receive(.headers(1, request), .windowUpdate(1, 0x7FFF_FFFF), .reset(1, .cancel))
    #expect(
      server.events().dropFirst() == [.reset(1, .flowControlError, by: .local), .streamClosed(1, .cancel)])
    _ = server.drained()
    #expect(server.events().isEmpty)
  }

  @Test("malformed requests one after the other", arguments: [false, true])
  func malformedRequests(drains: Bool) throws {
    let server = try Endpoint.server()
    let (failure, chunks) = attack(server, chunks: 10_000, drains: drains) { chunk in
      [.headers(StreamID(chunk * 2 + 1), [HeaderField(":method", "GET"), HeaderField(":method", "GET")])]
    }
    expectLimit(failure, server)
    #expect(chunks == HTTP2Limits.server.localResetBurst)
  }

  @Test("data for a body that the request's content-length rules out", arguments: [false, true])
  func contentLength(drains: Bool) throws {
    let server = try Endpoint.server()
    let (failure, _) = attack(server, chunks: 10_000, drains: drains) { chunk in
      let id = StreamID(chunk * 2 + 1)
      return [.headers(id, request + [HeaderField("content-length", "1")]), .data(id, [1, 2], endStream: true)]
    }
    if drains {
      expectLimit(failure, server)
    } else {
      // Unread resets keep their streams open, and those are limited.
      #expect(failure != nil)
    }
  }

  @Test("streams that end well win faults back, so that a long connection survives some")
  func forgiveness() throws {
    let server = try Endpoint.server()
    let (failure, _) = attack(server, chunks: 2_000, drains: true) { chunk in
      let (good, bad) = (StreamID(chunk * 4 + 1), StreamID(chunk * 4 + 3))
      server.receive(.headers(good, request, endStream: true))
      _ = server.events()
      try? server.submitHeaders(good, response, endStream: true)
      return [.headers(bad, request), .windowUpdate(bad, 0x7FFF_FFFF)]
    }
    #expect(failure == nil)
  }

  @Test("CONTINUATION frames without end")
  func continuationFlood() throws {
    let server = try Endpoint.server()
    server.receive(.headers(1, block: Frame.literal(request[0]), endHeaders: false))
    let (failure, chunks) = attack(server, chunks: 1_000, drains: true) { _ in
      [.continuation(1, block: Frame.literal(HeaderField("x", "y")), endHeaders: false)]
    }
    expectLimit(failure, server)
    #expect(chunks <= 8)
  }

  @Test("the limit of CONTINUATION frames is ours to choose")
  func continuationLimit() throws {
    var limits = HTTP2Limits.server
    limits.maxContinuations = 2
    for (count, isFine) in [(2, true), (3, false)] {
      let server = try Endpoint.server(limits)
      server.receive(.headers(1, block: request.flatMap(Frame.literal), endHeaders: false))
      for index in 1...count { server.receive(.continuation(1, block: [], endHeaders: index == count)) }
      #expect((server.events().failure == nil) == isFine)
    }
  }

  @Test("the limit of entries in a SETTINGS frame is ours to choose")
  func settingsLimit() throws {
    var limits = HTTP2Limits.server
    limits.maxSettingsEntries = 2
    for (count, isFine) in [(2, true), (3, false)] {
      let server = try Endpoint.server(limits)
      server.receive(.settings([(UInt16, UInt32)](repeating: (3, 1), count: count)))
      #expect((server.events().failure == nil) == isFine)
    }
  }

  @Test("PING frames whose answers nobody reads")
  func pingFlood() throws {
    let server = try Endpoint.server()
    let (failure, chunks) = attack(server, chunks: 100_000, drains: false) { _ in [.ping([0, 0, 0, 0, 0, 0, 0, 1])] }
    expectLimit(failure, server)
    #expect(chunks <= 1_000)
  }

  @Test("SETTINGS frames whose acknowledgements nobody reads")
  func settingsFlood() throws {
    let server = try Endpoint.server()
    let (failure, chunks) = attack(server, chunks: 100_000, drains: false) { _ in [.settings()] }
    expectLimit(failure, server)
    #expect(chunks <= 1_000)
  }

  @Test("a SETTINGS frame with more entries than there are settings")
  func settingsEntries() throws {
    let server = try Endpoint.server()
    server.receive(.settings([(UInt16, UInt32)](repeating: (3, 1), count: 33)))
    #expect(server.events().failure != nil)
  }

  @Test("empty DATA frames without end")
  func emptyData() throws {
    let server = try Endpoint.server()
    server.receive(.headers(1, request))
    let (failure, chunks) = attack(server, chunks: 10_000, drains: true) { _ in [.data(1, [])] }
    expectLimit(failure, server)
    #expect(chunks == HTTP2Limits.server.maxEmptyDataFrames)
  }

  @Test("more events in one chunk than the inbox holds")
  func inboxCount() throws {
    var limits = HTTP2Limits.server
    limits.maxInboxEvents = 100
    let server = try Endpoint.server(limits)
    server.receive([Frame](repeating: .ping([0, 0, 0, 0, 0, 0, 0, 1], ack: true), count: 500).bytes)
    let events = server.events()
    #expect(events.count <= 102)
    expectLimit(events.failure, server)
  }

  /// A header block that names one long field of the dynamic table again and again.
  func bomb(references: Int) -> (first: [UInt8], rest: [UInt8]) {
    let value = [UInt8](repeating: 0x61, count: 4_000)
    let insertion = [0x40] + Frame.string([0x78]) + Frame.string(value)
    let fields = request.flatMap(Frame.literal)
    return (fields + insertion, fields + [UInt8](repeating: 0xBE, count: references))
  }

  @Test("a small block that unfolds beyond the limit costs its stream")
  func headerBomb() throws {
    let server = try Endpoint.server()
    let (first, rest) = bomb(references: 20)
    server.receive(.headers(1, block: first), .headers(3, block: rest), .headers(5, request, endStream: true))
    let events = server.events()
    #expect(events.headers(of: 1).count == 1)
    #expect(events.headers(of: 3).isEmpty)
    #expect(events.contains(.reset(3, .enhanceYourCalm, by: .local)))
    #expect(events.headers(of: 5).count == 1)
    #expect(server.drainedFrames() == [.reset(3, .enhanceYourCalm)])
    #expect(server.events().last == .streamClosed(3, .enhanceYourCalm))
  }

  @Test("a small block that unfolds far beyond the limit costs the connection")
  func headerBombBeyond() throws {
    let server = try Endpoint.server()
    let (first, rest) = bomb(references: 10_000)
    server.receive(.headers(1, block: first), .headers(3, block: rest))
    expectLimit(server.events().failure, server)
  }

  @Test("many small blocks that unfold within the limit fill the inbox, which has a bound")
  func headerBombs() throws {
    var limits = HTTP2Limits.server
    limits.maxConcurrentStreams = 100_000
    limits.maxInboxBytes = 1 << 20
    let server = try Endpoint.server(limits)
    let (first, rest) = bomb(references: 14)
    server.receive(.headers(1, block: first))
    _ = server.events()
    server.receive((1..<1_000).map { Frame.headers(StreamID($0 * 2 + 1), block: rest) }.bytes)
    let events = server.events()
    #expect(events.count < 30)
    expectLimit(events.failure, server)
  }

  @Test("more fields than the limit cost the stream, though they are short")
  func manyFields() throws {
    var limits = HTTP2Limits.server
    limits.maxHeaderFields = 20
    let server = try Endpoint.server(limits)
    let fields = (0..<15).map { HeaderField("x-\($0)", "") }
    server.receive(.headers(1, request + fields), .headers(3, request))
    let events = server.events()
    #expect(events.contains(.reset(1, .enhanceYourCalm, by: .local)))
    #expect(events.headers(of: 3).count == 1)
  }

  @Test("a response beyond the client's limit costs its call alone")
  func hugeResponse() throws {
    var limits = HTTP2Limits.client
    limits.maxHeaderListSize = 1_000
    let client = try Endpoint.client(limits)
    let (big, small) = (try client.submitRequest(endStream: true), try client.submitRequest(endStream: true))
    _ = client.drained()
    let data = [UInt8](repeating: 0, count: 16_384)
    client.receive(
      .headers(big, response + [HeaderField("x", String(repeating: "x", count: 1_000))]),
      .data(big, data), .data(big, data), .data(big, data), .headers(small, response, endStream: true))
    let events = client.events()
    #expect(events.first == .reset(big, .enhanceYourCalm, by: .local))
    #expect(events.body(of: big).isEmpty)
    #expect(events.headers(of: small).count == 1)
    #expect(client.drainedFrames().contains(.windowUpdate(0, 3 * 16_384)))
  }

  @Test("pushed streams without end")
  func pushFlood() throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(endStream: true)
    _ = client.drained()
    let (failure, _) = attack(client, chunks: 100_000, drains: false) { chunk in
      let promised = Frame.bigEndian(UInt32(chunk + 1) * 2)
      return [Frame(type: 5, flags: 4, stream: id, payload: promised + request.flatMap(Frame.literal))]
    }
    expectLimit(failure, client)
  }
}
