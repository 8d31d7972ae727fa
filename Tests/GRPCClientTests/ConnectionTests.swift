// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCMethods
import GRPCServer
import HTTP2
import Logging
import NIOCore
import NIOPosix
import NIOTransport
import Synchronization
import TestSupport
import Testing

@testable import GRPCClient

/// A port on loopback that nothing listens on.
func unusedPort() async throws -> Int {
  let (server, port) = try await startServer()
  await server.shutdown(grace: .zero)
  return port
}

@Suite(.endsIfItHangs) struct ConnectionTests {
  @Test("a request says what gRPC asks for, and the caller's entries but for reserved ones")
  func requestHead() async throws {
    let seen = Mutex<HeaderFields>([])
    let peer = try await ScriptedPeer { connection, event in
      guard case .headers(let id, let fields, kind: .request, endStream: _) = event else { return }
      seen.withLock { $0 = fields }
      connection.answer(id)
    }
    try await withClient(of: [peer.port]) { client, _ in
      var metadata = Metadata()
      try metadata.append("x-a", "1")
      try metadata.append("te", "gzip")
      try metadata.append("x-b-bin", bytes: [255])
      _ = try await client.call(Echo.one, [], options: CallOptions(timeout: .seconds(30), metadata: metadata))
    }
    await peer.stop()
    let fields = seen.withLock { $0 }
    #expect(fields.first(named: ":method") == "POST")
    #expect(fields.first(named: ":scheme") == "http")
    #expect(fields.first(named: ":path") == "/test.Echo/One")
    #expect(fields.first(named: ":authority") == "test:1")
    #expect(fields.filter { $0.name == "te" }.map(\.value) == ["trailers"])
    #expect(fields.first(named: "x-a") == "1")
    #expect(fields.first(named: "x-b-bin") == "/w")
    #expect(fields.first(named: "grpc-accept-encoding") == "gzip")
    #expect(fields.first(named: "grpc-encoding") == nil)
    let timeout = fields.first(named: "grpc-timeout").flatMap { Timeout.decode($0) } ?? 0
    #expect(timeout > 0 && timeout <= 30_000_000_000)
  }

  // MARK: - Failing to connect

  @Test("a refused connection fails the call at once, with the address and the reason")
  func refused() async throws {
    let port = try await unusedPort()
    try await withClient(of: [port]) { client, _ in
      let error = try await failure { try await client.call(Echo.one, []) }
      #expect(error.status == Status(.unavailable, "cannot connect to 127.0.0.1:\(port): connection refused"))
      #expect(client.state == .transientFailure)
    }
  }

  @Test("of several servers that cannot be reached their number and the last failure are told")
  func severalRefused() async throws {
    let ports = [try await unusedPort(), try await unusedPort()]
    try await withClient(of: ports) { client, _ in
      let error = try await failure { try await client.call(Echo.one, []) }
      #expect(error.status.code == .unavailable)
      #expect(error.status.message.hasPrefix("none of 2 servers can be used; the last: cannot connect to 127.0.0.1:"))
    }
  }

  @Test("a name without an address fails the call with the resolver's words")
  func unresolved() async throws {
    let client = try GRPCClient(
      resolver: ChangingResolver(failing: "no such name"), authority: "x:1", configuration: quickConfiguration())
    let error = try await failure { try await client.call(Echo.one, []) }
    #expect(error.status == Status(.unavailable, "no such name"))
    await client.close()
  }

  @Test("a call that waits for readiness is sent once a server is there")
  func waitForReady() async throws {
    let port = try await unusedPort()
    try await withClient(of: [port]) { client, _ in
      let states = client.stateChanges
      async let answer = client.call(Echo.one, [3], options: CallOptions(waitsForReady: true))
      for await state in states where state == .transientFailure { break }
      let (server, _) = try await startServer(port: port)
      #expect(try await answer == [3])
      await server.shutdown(grace: .zero)
    }
  }

  @Test("a call that waits in vain ends at its deadline, and says what it waited for")
  func waitInVain() async throws {
    let port = try await unusedPort()
    try await withClient(of: [port]) { client, _ in
      client.connect()
      await client.reaches(.transientFailure)
      let error = try await failure {
        try await client.call(Echo.one, [], options: CallOptions(timeout: .milliseconds(200), waitsForReady: true))
      }
      #expect(error.status.code == .deadlineExceeded)
      #expect(error.status.message.hasSuffix(": cannot connect to 127.0.0.1:\(port): connection refused"))
    }
  }

  @Test("as many calls wait as the limit says, and no more")
  func waitingLimit() async throws {
    let peer = try await MutePeer([])
    try await withClient(of: [peer.port], { $0.limits.waitingCalls = 3 }) { client, _ in
      await withTaskGroup(of: StatusCode?.self) { group in
        for _ in 0..<5 {
          group.addTask { (try? await failure { try await client.call(Echo.one, []) })?.status.code }
        }
        for _ in 0..<2 { #expect(await group.next() == .resourceExhausted) }
        group.cancelAll()
        for await code in group { #expect(code == .cancelled) }
      }
    }
    await peer.stop()
  }

  @Test("a server that accepts and says nothing counts as unreachable after the connect timeout")
  func silentServer() async throws {
    let peer = try await MutePeer([])
    try await withClient(of: [peer.port], { $0.connecting.timeout = .milliseconds(100) }) { client, _ in
      let error = try await failure { try await client.call(Echo.one, []) }
      #expect(
        error.status
          == Status(
            .unavailable,
            "cannot connect to 127.0.0.1:\(peer.port): no HTTP/2 SETTINGS from the server within 100 ms"))
    }
    await peer.stop()
  }

  @Test(
    "a server of another protocol is told apart",
    arguments: [
      (
        Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), "server speaks HTTP/1.1, not HTTP/2: ",
        " (it said \"HTTP/1.1 400 Bad Request\"); use the port that speaks gRPC, or switch HTTP/2 on"
      ),
      ([0x15, 3, 1, 0, 2, 2, 70], "server speaks TLS: ", "; connect with TLS"),
    ] as [([UInt8], String, String)])
  func foreignServer(bytes: [UInt8], beginning: String, end: String) async throws {
    let peer = try await MutePeer(bytes)
    try await withClient(of: [peer.port]) { client, _ in
      let error = try await failure { try await client.call(Echo.one, []) }
      let address = "127.0.0.1:\(peer.port)"
      #expect(error.status.message == "cannot connect to \(address): \(beginning)\(address)\(end)")
    }
    await peer.stop()
  }

  // MARK: - Losing connections

  @Test("a call whose connection is lost is UNAVAILABLE, and the next one gets a new connection")
  func lost() async throws {
    let peer = try await ScriptedPeer { connection, event in
      guard case .headers(let id, _, kind: .request, endStream: _) = event else { return }
      if connection.number == 1 { connection.http2.abort() } else { connection.answer(id, [1]) }
    }
    try await withClient(of: [peer.port]) { client, _ in
      let error = try await failure { try await client.call(Echo.one, []) }
      #expect(error.status.code == .unavailable)
      #expect(error.status.message.hasPrefix("the connection to 127.0.0.1:\(peer.port) was lost: "))
      #expect(try await client.call(Echo.one, []) == [1])
    }
    await peer.stop()
  }

  @Test("a GOAWAY in the middle loses no call: those that the server has seen end there, the others elsewhere")
  func goAway() async throws {
    let peer = try await ScriptedPeer { connection, event in
      guard case .headers(let id, _, kind: .request, endStream: _) = event else { return }
      guard connection.number == 1 else { return connection.answer(id, [2]) }
      guard connection.requests.count == 10 else { return }
      // Of ten calls the first five are seen; their answers come after the GOAWAY.
      connection.http2.session.goAway(.noError, lastStreamID: connection.requests[4])
      for id in connection.requests.prefix(5) { connection.answer(id, [1]) }
    }
    try await withClient(of: [peer.port]) { client, _ in
      let answers = try await withThrowingTaskGroup(of: [UInt8].self) { group in
        for _ in 0..<10 { group.addTask { try await client.call(Echo.one, [0]) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(answers.filter { $0 == [1] }.count == 5)
      #expect(answers.filter { $0 == [2] }.count == 5)
    }
    await peer.stop()
  }

  @Test("a server that shuts down gracefully under load loses no call")
  func gracefulShutdown() async throws {
    let (first, port) = try await startServer()
    try await withClient(of: [port]) { client, resolver in
      let done = Counter()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask {
            for _ in 0..<100 {
              _ = try await client.call(Echo.one, [1], options: CallOptions(waitsForReady: true))
              done.increment()
            }
          }
        }
        await done.reaches(50)
        let (second, other) = try await startServer()
        resolver.set([other])
        async let shutdown: Void = first.shutdown(grace: .seconds(10))
        try await group.waitForAll()
        await shutdown
        #expect(done.value == 400)
        await second.shutdown(grace: .zero)
      }
    }
  }

  @Test("a stream that the server refuses is sent again once, whatever the policy")
  func refusedStream() async throws {
    let peer = try await ScriptedPeer { connection, event in
      guard case .headers(let id, _, kind: .request, endStream: _) = event else { return }
      if connection.requests.count == 2 {
        connection.answer(id, [7])
      } else {
        connection.http2.session.reset(id, .refusedStream)
      }
    }
    let facts = FactsKeeper()
    try await withClient(of: [peer.port], interceptors: [facts]) { client, _ in
      #expect(try await client.call(Echo.one, [0]) == [7])
      let attempts = facts.latest?.attempts ?? []
      #expect(attempts.map(\.isUnprocessed) == [true, false])
      #expect(attempts.map(\.number) == [0, 0])
      // The second call is refused twice.
      let error = try await failure { try await client.call(Echo.one, [0]) }
      #expect(error.status.code == .unavailable)
    }
    await peer.stop()
  }

  @Test("more calls than the server's limit of streams wait for their turn")
  func concurrencyLimit() async throws {
    let most = Mutex((now: 0, peak: 0))
    let service = Echo.implementation { request, _ in
      most.withLock { $0 = ($0.now + 1, max($0.peak, $0.now + 1)) }
      await Task.yield()
      most.withLock { $0.now -= 1 }
      return request
    }
    let (server, port) = try await startServer([service]) { $0.limits.concurrentStreams = 7 }
    try await withClient(of: [port]) { client, _ in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<3_000 {
          group.addTask {
            let bytes = [UInt8(truncatingIfNeeded: number)]
            let answer = try await client.call(Echo.one, bytes)
            #expect(answer == bytes)
          }
        }
        try await group.waitForAll()
      }
      #expect(server.openConnections == 1)
    }
    #expect(most.withLock { $0.peak } <= 7)
    await server.shutdown(grace: .zero)
  }

  // MARK: - Keepalive

  @Test("a peer that vanished is noticed by its silence")
  func keepalive() async throws {
    let peer = try await MutePeer(emptySettings)
    try await withClient(
      of: [peer.port],
      {
        $0.keepalive.time = .milliseconds(50)
        $0.keepalive.timeout = .milliseconds(50)
      }
    ) { client, _ in
      let error = try await failure { try await client.call(Echo.one, []) }
      #expect(error.status.code == .unavailable)
      #expect(error.status.message.hasSuffix("no answer to a keepalive PING"))
    }
    await peer.stop()
  }

  @Test("a server that is asked too often is asked half as often on the next connection")
  func tooManyPings() async throws {
    let pings = Mutex<[Int: Int]>([:])
    let peer = try await ScriptedPeer { connection, event in
      if case .ping = event {
        pings.withLock { $0[connection.number, default: 0] += 1 }
        if connection.number < 3 {
          connection.http2.session.goAway(.enhanceYourCalm, debugData: Array("too_many_pings".utf8))
          connection.http2.endAfterFlush()
        } else if let id = connection.requests.first {
          connection.answer(id, [9])
        }
      }
    }
    let lines = LogKeeper()
    try await withClient(
      of: [peer.port],
      {
        $0.keepalive.time = .milliseconds(20)
        $0.logger = lines.logger
      }
    ) { client, _ in
      var answer: [UInt8]?
      while answer == nil {
        do { answer = try await client.call(Echo.one, []) } catch let error as RPCError {
          #expect(error.status.message.contains("too_many_pings"))
        }
      }
      #expect(answer == [9])
      #expect(lines.values(of: "interval_ms") == ["40", "80"])
    }
    await peer.stop()
  }

  @Test("a client without calls lets go of its connection, and makes a new one for the next")
  func idle() async throws {
    let peer = try await ScriptedPeer { connection, event in
      if case .headers(let id, _, kind: .request, endStream: _) = event { connection.answer(id, []) }
    }
    try await withClient(of: [peer.port], { $0.idleTime = .milliseconds(30) }) { client, _ in
      _ = try await client.call(Echo.one, [])
      await peer.endedConnections.reaches(1)
      _ = try await client.call(Echo.one, [])
      #expect(peer.openConnections.value == 2)
    }
    await peer.stop()
  }

  @Test("a Unix socket is a target like any other")
  func unixSocket() async throws {
    let scratch = try Scratch()
    let path = scratch.path("server.sock")
    let server = try await GRPCServer.start([Echo.implementation()], on: [.unix(path: path)])
    let client = try GRPCClient(target: "unix:\(path)")
    #expect(try await client.call(Echo.one, [1]) == [1])
    await client.close()
    await server.shutdown(grace: .zero)
  }

  @Test("a client on several loops of a lent group has a connection on each, and leaves the group alone")
  func lentGroup() async throws {
    let (server, port) = try await startServer()
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    var configuration = quickConfiguration()
    configuration.eventLoops = 2
    let client = try GRPCClient(target: "127.0.0.1:\(port)", configuration: configuration, group: group)
    for byte in 0..<10 as Range<UInt8> { #expect(try await client.call(Echo.one, [byte]) == [byte]) }
    #expect(server.openConnections == 2)
    await client.close()
    #expect(try await group.next().submit { 1 }.get() == 1)
    try await group.shutdownGracefully()
    await server.shutdown(grace: .zero)
  }

  @Test("a client that is dropped without being closed lets go of its connection")
  func dropped() async throws {
    let peer = try await ScriptedPeer { connection, event in
      if case .headers(let id, _, kind: .request, endStream: _) = event { connection.answer(id, []) }
    }
    do {
      let client = try GRPCClient(target: "127.0.0.1:\(peer.port)")
      _ = try await client.call(Echo.one, [])
    }
    await peer.endedConnections.reaches(1)
    await peer.stop()
  }
}

/// Keeps the context of the latest call.
final class FactsKeeper: ClientInterceptor {
  private let state = Mutex<ClientContext?>(nil)

  var latest: ClientContext? { state.withLock { $0 } }

  func intercept(_ context: ClientContext, next: ClientNext) async throws {
    state.withLock { $0 = context }
    try await next()
  }
}

/// Keeps what a client logs.
final class LogKeeper: LogHandler, @unchecked Sendable {
  private let events = Mutex<[Logger.Metadata]>([])
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .trace

  var logger: Logger { Logger(label: "test", factory: { _ in self }) }

  func log(event: LogEvent) { events.withLock { $0.append(event.metadata ?? [:]) } }

  /// The values under a key, in order.
  func values(of key: String) -> [String] { events.withLock { $0.compactMap { $0[key].map { "\($0)" } } } }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }
}
