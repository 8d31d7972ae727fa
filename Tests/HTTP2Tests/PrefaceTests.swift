// SPDX-License-Identifier: Apache-2.0

import HTTP2
import Testing

@Suite struct PrefaceTests {
  @Test("a client with the client's limits opens with the preface and an empty SETTINGS frame, and nothing else")
  func clientBytes() throws {
    let client = try Endpoint(.client, .client)
    #expect(client.wantsWrite)
    #expect(client.drained() == Frame.preface + [0, 0, 0, 4, 0, 0, 0, 0, 0])
    #expect(!client.wantsWrite)
    #expect(client.wantsRead)
  }

  @Test("limits that differ from the protocol's defaults are listed, and a larger connection window is opened")
  func listedLimits() throws {
    var limits = HTTP2Limits.client
    limits.headerTableSize = 8_192
    limits.announcesNoPush = true
    limits.maxConcurrentStreams = 7
    limits.initialWindowSize = 1 << 20
    limits.maxFrameSize = 1 << 15
    limits.maxHeaderListSize = 9_000
    limits.announcesMaxHeaderListSize = true
    limits.connectionWindowSize = 1 << 20
    let client = try Endpoint(.client, limits)
    let frames = client.drainedFrames()
    #expect(
      frames == [
        .settings([(1, 8_192), (2, 0), (3, 7), (4, 1 << 20), (5, 1 << 15), (6, 9_000)]),
        .windowUpdate(0, (1 << 20) - 65_535),
      ])
  }

  @Test("a server tells its limits before it has read anything")
  func serverBytes() throws {
    let server = try Endpoint(.server, .server)
    #expect(server.drainedFrames() == [.settings([(3, 256), (6, 65_536)])])
  }

  @Test("a limit that RFC 9113 does not allow is refused", arguments: [(1 << 31, 16_384), (0, 16_383), (0, 1 << 24)])
  func badLimit(window: UInt32, frame: UInt32) {
    var limits = HTTP2Limits.client
    limits.initialWindowSize = window
    limits.maxFrameSize = frame
    #expect(throws: HTTP2Error.self) { _ = try Endpoint(.client, limits) }
  }

  static let foreign: [[UInt8]] = [
    [UInt8]("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".utf8),
    [0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46],  // a TLS alert
    [UInt8]("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".utf8),
    [UInt8]("220 mail.example.com ESMTP\r\n".utf8),
    [UInt8]("-ERR unknown command\r\n".utf8),
    [0x4A, 0x00, 0x00, 0x00, 0x0A, 0x38, 0x2E, 0x30],  // a database's greeting
    Frame.goAway(0, .noError).bytes(),
    Frame.settingsACK.bytes(),
    Frame(type: 4, flags: 0, stream: 1, payload: []).bytes(),
  ]

  @Test("a server that does not open with SETTINGS fails at once, and its first bytes are kept", arguments: foreign)
  func foreignServer(bytes: [UInt8]) throws {
    let client = try Endpoint(.client, .client)
    client.receive(bytes)
    let events = client.events()
    #expect(events.count == 1)
    let failure = try #require(events.failure)
    #expect(failure.code == .notHTTP2)
    #expect(failure.initiator == .peer)
    #expect(failure.firstBytes == bytes)
    #expect(!client.wantsRead)
    #expect(client.wantsWrite)
    let goodbye = [Frame](cutting: client.drained()).last
    #expect(goodbye?.type == 7)
    #expect(goodbye?.payload.prefix(8) == [0, 0, 0, 0, 0, 0, 0, 1])
    #expect(!client.wantsWrite)
  }

  @Test("the same bytes one at a time fail too, with at least a TLS alert's worth of them kept", arguments: foreign)
  func foreignServerByteByByte(bytes: [UInt8]) throws {
    let client = try Endpoint(.client, .client)
    client.receive(bytes) { _ in 1 }
    let failure = try #require(client.events().failure)
    #expect(failure.code == .notHTTP2)
    #expect(failure.firstBytes.count >= 7)
    #expect(bytes.starts(with: failure.firstBytes))
  }

  @Test("no more than the bound is kept of a talkative stranger")
  func boundedFirstBytes() throws {
    let client = try Endpoint(.client, .client)
    client.receive([UInt8](repeating: 0x41, count: 100_000))
    #expect(client.events().failure?.firstBytes.count == HTTP2Limits.maxFirstBytes)
  }

  @Test("a stranger that says too little for a verdict is recognised when it stops")
  func shortStranger() throws {
    let client = try Endpoint(.client, .client)
    client.receive([UInt8]("NO\r\n".utf8))
    #expect(client.events().isEmpty)
    client.receiveEnd()
    let failure = try #require(client.events().failure)
    #expect(failure.code == .notHTTP2)
    #expect(failure.firstBytes == [UInt8]("NO\r\n".utf8))
  }

  @Test("a server that closes without a word fails with the end of input")
  func silentServer() throws {
    let client = try Endpoint(.client, .client)
    client.receiveEnd()
    #expect(client.events().failure?.code == .endOfInput)
    #expect(!client.wantsRead)
    client.receiveEnd()
    #expect(client.events().isEmpty)
  }

  @Test(
    "a client that does not open with the preface fails at once",
    arguments: [
      "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "PRI * HTTP/1.0\r\n\r\nSM\r\n\r\n", "POST / HTTP/1.1\r\n\r\n",
    ])
  func foreignClient(text: String) throws {
    let server = try Endpoint(.server, .server)
    server.receive([UInt8](text.utf8))
    let failure = try #require(server.events().failure)
    #expect(failure.code == .notHTTP2)
    #expect(failure.firstBytes == [UInt8](text.utf8))
  }

  @Test("a client whose first frame is no SETTINGS fails")
  func clientWithoutSettings() throws {
    let server = try Endpoint(.server, .server)
    server.receive(Frame.preface + Frame.ping([1, 2, 3, 4, 5, 6, 7, 8]).bytes())
    #expect(server.events().failure?.code == .notHTTP2)
  }

  @Test("bytes after a failure are ignored")
  func afterFailure() throws {
    let client = try Endpoint(.client, .client)
    client.receive([UInt8]("HTTP/1.1 200 OK\r\n\r\n".utf8))
    _ = client.events()
    client.receive(Frame.settings())
    #expect(client.events().isEmpty)
    #expect(throws: HTTP2Error.self) { try client.submitRequest(request, endStream: true) }
  }
}
