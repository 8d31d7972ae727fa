// SPDX-License-Identifier: Apache-2.0

import HTTP2
import Testing

@Suite struct FlowControlTests {
  static let window = 65_535

  @Test("a reader that consumes nothing stops the sender at the window's end")
  func slowReader() throws {
    let pair = try Pair()
    let id = try pair.client.submitRequest(endStream: false)
    try pair.client.send([UInt8](repeating: 1, count: 200_000), on: id, endStream: true)
    #expect(pair.exchange())
    #expect(pair.serverEvents.body(of: id).count == FlowControlTests.window)
    #expect(pair.client.pendingBytes(on: id) == 200_000 - FlowControlTests.window)
    #expect(!pair.client.wantsWrite)
    #expect(pair.server.receiveWindow(of: id) == 0)
    #expect(pair.server.receiveWindow(of: 0) == 0)
    #expect(pair.client.sendWindow(of: id) == 0)
    #expect(pair.client.sendWindow(of: 0) == 0)
  }

  @Test("consumption opens the window again, and the sender is told")
  func consumption() throws {
    let pair = try Pair()
    let id = try pair.client.submitRequest(endStream: false)
    try pair.client.send([UInt8](repeating: 1, count: 100_000), on: id, endStream: true)
    #expect(pair.exchange())
    _ = pair.takeEvents()
    pair.server.consume(id, 40_000)
    #expect(pair.exchange())
    let (client, server) = pair.takeEvents()
    #expect(client.contains(.windowUpdated(0)))
    #expect(client.contains(.windowUpdated(id)))
    #expect(server.body(of: id).count == 100_000 - FlowControlTests.window)
    #expect(server.endsOfStream(id) == 1)
  }

  @Test("whoever waits for a queue to drain is told once, when it has gone down to the mark")
  func drained() throws {
    let pair = try Pair()
    let id = try pair.client.submitRequest(endStream: false)
    #expect(!pair.client.notifyWhenDrained(id, to: 0))
    try pair.client.send([UInt8](repeating: 1, count: 100_000), on: id, endStream: false)
    #expect(pair.client.notifyWhenDrained(id, to: 10_000))
    #expect(pair.exchange())
    #expect(!pair.clientEvents.contains(.bodyDrained(id)))
    pair.server.consume(id, 60_000)
    #expect(pair.exchange())
    #expect(pair.clientEvents.filter { $0 == .bodyDrained(id) }.count == 1)
    #expect(!pair.client.notifyWhenDrained(99, to: 0))
  }

  @Test("a slow stream does not hold another one back while the connection's window lasts")
  func independentStreams() throws {
    var limits = HTTP2Limits.server
    limits.connectionWindowSize = 1 << 20
    let pair = try Pair(server: limits)
    pair.exchange()
    let slow = try pair.client.submitRequest(endStream: false)
    let quick = try pair.client.submitRequest(endStream: false)
    try pair.client.send([UInt8](repeating: 1, count: 100_000), on: slow, endStream: true)
    try pair.client.send([UInt8](repeating: 2, count: 60_000), on: quick, endStream: true)
    #expect(pair.exchange())
    #expect(pair.serverEvents.body(of: slow).count == FlowControlTests.window)
    #expect(pair.serverEvents.body(of: quick).count == 60_000)
  }

  @Test("padding is given back at once, and only the data waits for its reader")
  func padding() throws {
    let server = try Endpoint.server()
    server.receive(.headers(1, request))
    for _ in 0..<200 { server.receive(.data(1, [1, 2, 3, 4], padding: 250)) }
    let events = server.events()
    #expect(events.body(of: 1).count == 800)
    for case .data(_, let bytes, let count, let endStream) in events {
      #expect(bytes == [1, 2, 3, 4])
      #expect(count == 4)
      #expect(!endStream)
    }
    let updates = server.drainedFrames().of(type: 8)
    #expect(!updates.isEmpty)
    server.consume(1, 800)
    server.receive(.data(1, [], endStream: true, padding: 10))
    #expect(server.events() == [.data(1, [], flowControlled: 0, endStream: true)])
    // All is consumed, so that what the peer may send is the whole window but for the part not yet worth an update.
    #expect(server.receiveWindow(of: 0) > FlowControlTests.window / 2)
  }

  @Test("a frame of data that comes in pieces is told in pieces, its end with the last one")
  func pieces() throws {
    let server = try Endpoint.server()
    let bytes = Frame.data(1, [UInt8](0..<10), endStream: true, padding: 3).bytes()
    server.receive(.headers(1, request))
    _ = server.events()
    server.receive(bytes) { _ in 4 }
    let events = server.events()
    #expect(events.body(of: 1) == [UInt8](0..<10))
    #expect(events.count > 2)
    #expect(events.endsOfStream(1) == 1)
    #expect(events.last.map { if case .data(1, _, _, endStream: true) = $0 { true } else { false } } == true)
  }

  @Test("data beyond the stream's window costs the stream, and the peer is to blame")
  func streamOverflow() throws {
    var limits = HTTP2Limits.server
    limits.initialWindowSize = 1_000
    limits.connectionWindowSize = 1 << 20
    let server = try Endpoint.server(limits)
    server.receive(.headers(1, request), .data(1, [UInt8](repeating: 0, count: 1_001)))
    let resets = server.drainedFrames().of(type: 3)
    #expect(resets == [.reset(1, .flowControlError)])
    let events = server.events()
    #expect(events.contains(.reset(1, .flowControlError, by: .local)))
    #expect(events.last == .streamClosed(1, .flowControlError))
  }

  @Test("data beyond the connection's window ends the connection")
  func connectionOverflow() throws {
    let server = try Endpoint.server()
    for id in [1, 3] as [StreamID] { server.receive(.headers(id, request)) }
    for _ in 0..<3 {
      server.receive(.data(1, [UInt8](repeating: 0, count: 16_384)))
      server.receive(.data(3, [UInt8](repeating: 0, count: 16_384)))
    }
    #expect(server.events().failure?.wireCode == .flowControlError)
  }

  @Test("data of a stream that we reset is given back without a reader")
  func resetStream() throws {
    let server = try Endpoint.server()
    server.receive(.headers(1, request))
    server.reset(1, .cancel)
    for _ in 0..<3 { server.receive(.data(1, [UInt8](repeating: 0, count: 16_384))) }
    #expect(server.events().body(of: 1).isEmpty)
    #expect(server.drainedFrames().contains { $0.type == 8 && $0.stream == 0 })
    for _ in 0..<3 { server.receive(.data(1, [UInt8](repeating: 0, count: 16_384))) }
    #expect(server.events().failure == nil)
    #expect(server.receiveWindow(of: 0) > 16_384)
  }

  @Test("data of a closed stream can still be consumed for the connection's sake")
  func consumeAfterClose() throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(endStream: true)
    _ = client.drained()
    client.receive(.headers(id, response))
    for last in [false, false, true] {
      client.receive(.data(id, [UInt8](repeating: 0, count: 16_384), endStream: last))
    }
    #expect(client.events().last == .streamClosed(id, .noError))
    #expect(client.drainedFrames().isEmpty)
    client.consume(id, 3 * 16_384)
    #expect(client.drainedFrames() == [.windowUpdate(0, 3 * 16_384)])
  }

  @Test("nonsense in consume does no harm")
  func consumeNonsense() throws {
    let client = try Endpoint.client()
    client.consume(1, -5)
    client.consume(99, 1 << 40)
    client.consume(-1, 1)
    client.consume(0, 1)
    #expect(client.receiveWindow(of: 0) == FlowControlTests.window)
  }

  @Test("a peer that grants no window gets the headers, and the data once it does")
  func zeroWindow() throws {
    let client = try Endpoint.client(settings: [(4, 0)])
    let id = try client.submitRequest(endStream: false)
    try client.send([1, 2, 3], on: id, endStream: true)
    #expect(client.drainedFrames().map { $0.type } == [1])
    #expect(!client.wantsWrite)
    #expect(client.pendingBytes(on: id) == 3)
    client.receive(.windowUpdate(id, 2))
    #expect(client.events() == [.windowUpdated(id)])
    #expect(client.drainedFrames() == [.data(id, [1, 2])])
    client.receive(.settings([(4, 100)]))
    #expect(client.drainedFrames() == [.settingsACK, .data(id, [3], endStream: true)])
  }

  @Test("a window update that nobody waits for is no event")
  func idleUpdate() throws {
    let client = try Endpoint.client()
    let id = try client.submitRequest(endStream: true)
    _ = client.drained()
    client.receive(.windowUpdate(id, 5), .windowUpdate(0, 5))
    #expect(client.events().isEmpty)
    #expect(client.sendWindow(of: 0) == FlowControlTests.window + 5)
  }
}
