// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import Synchronization
import Telemetry
import TestSupport
import Testing

/// Sends bytes on a new connection and gives all that comes back until the other end closes.
private func exchange(_ port: Int, _ request: String) async throws -> String {
  let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    .connect(host: "127.0.0.1", port: port) { channel in
      channel.eventLoop.makeCompletedFuture {
        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
      }
    }
  return try await channel.executeThenClose { inbound, outbound in
    // A server that refuses may close before it has read everything.
    try? await outbound.write(ByteBuffer(string: request))
    var answer = ByteBuffer()
    do {
      for try await part in inbound { answer.writeImmutableBuffer(part) }
    } catch is IOError {}  // a reset after the answer
    return String(buffer: answer)
  }
}

private func request(_ line: String, _ fields: String = "") -> String {
  "\(line) HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\(fields)\r\n"
}

@Suite(.endsIfItHangs) struct AdminServerTests {
  /// Runs a body against a server that is stopped at the end.
  private func withServer<T: Sendable>(
    limits: AdminServer.Limits = AdminServer.Limits(), readiness: @escaping @Sendable () -> Readiness = { .ready },
    _ body: (Int) async throws -> T
  ) async throws -> T {
    let registry = MetricsRegistry()
    registry.counter("seen", help: "Seen.").add(3)
    let server = try await AdminServer.start(
      host: "127.0.0.1", port: 0, registry: registry, limits: limits, readiness: readiness)
    let result: Result<T, any Error>
    do { result = .success(try await body(server.port)) } catch { result = .failure(error) }
    await server.stop()
    return try result.get()
  }

  @Test("the metrics are served with the content type of their format")
  func metrics() async throws {
    let answer = try await withServer { try await exchange($0, request("GET /metrics?x=1")) }
    #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(answer.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"))
    #expect(answer.hasSuffix("# TYPE seen_total counter\nseen_total 3\n"))
  }

  @Test("readiness follows what the process says, with the reason in one line")
  func readiness() async throws {
    let state = Mutex(Readiness.ready)
    try await withServer(readiness: { state.withLock { $0 } }) { port in
      #expect(try await exchange(port, request("GET /readyz")).hasPrefix("HTTP/1.1 200 OK\r\n"))
      state.withLock { $0 = .notReady("database\nis locked") }
      let answer = try await exchange(port, request("GET /readyz"))
      #expect(answer.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
      #expect(answer.hasSuffix("\r\n\r\nnot ready: database\\nis locked\n"))
      #expect(try await exchange(port, request("GET /healthz")).hasSuffix("\r\n\r\nok\n"))
    }
  }

  @Test(
    "what is not served is refused by its name",
    arguments: [
      ("GET /", "404 Not Found"), ("GET /metrics/", "404 Not Found"), ("GET /healthz%00", "404 Not Found"),
      ("POST /nothing", "404 Not Found"), ("POST /metrics", "405 Method Not Allowed"),
      ("DELETE /healthz", "405 Method Not Allowed"), ("OPTIONS /readyz", "405 Method Not Allowed"),
    ])
  func refusals(line: String, status: String) async throws {
    let answer = try await withServer { try await exchange($0, request(line, "content-length: 0\r\n")) }
    #expect(answer.hasPrefix("HTTP/1.1 \(status)\r\n"))
    #expect(answer.contains("allow: GET, HEAD\r\n") == status.hasPrefix("405"))
  }

  @Test("HEAD has the fields of GET and no body")
  func head() async throws {
    let answer = try await withServer { try await exchange($0, request("HEAD /healthz")) }
    #expect(answer.contains("content-length: 3\r\n"))
    #expect(answer.hasSuffix("\r\n\r\n"))
  }

  @Test("several requests on one connection are answered in their order")
  func keepAlive() async throws {
    let text = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\nGET /x HTTP/1.1\r\nhost: a\r\n\r\n" + request("GET /readyz")
    let answer = try await withServer { try await exchange($0, text) }
    let answers = answer.split(separator: "HTTP/1.1 ", omittingEmptySubsequences: false).dropFirst()
    #expect(answers.map { $0.prefix(3) } == ["200", "404", "200"])
  }

  @Test("a request that is too large, or none, ends the connection")
  func limits() async throws {
    try await withServer { port in
      let long = request("GET /metrics", "x: \(String(repeating: "a", count: 20_000))\r\n")
      let many = request("GET /metrics", (0..<200).map { "x\($0): a\r\n" }.joined())
      let body = request("GET /metrics", "content-length: 10000\r\n") + String(repeating: "b", count: 10_000)
      for (text, start) in [
        (long, "HTTP/1.1 4"), (many, "HTTP/1.1 4"), (body, "HTTP/1.1 413 "),
        ("\u{16}\u{3}\u{1} nonsense\r\n\r\n", "HTTP/1.1 400 "), (request("GET /healthz"), "HTTP/1.1 200 "),
      ] {
        let answer = try await exchange(port, text)
        #expect(answer.hasPrefix(start), "\(answer.prefix(100))")
      }
    }
  }

  @Test("a connection that sends no whole request is closed")
  func idle() async throws {
    var limits = AdminServer.Limits()
    limits.requestSeconds = 1
    // Ends only because the server closes.
    let answer = try await withServer(limits: limits) { try await exchange($0, "GET /healthz HTTP/1.1\r\nhost") }
    #expect(answer.isEmpty)
  }

  @Test("connections beyond the limit are closed, and there is room again when one ends")
  func connectionLimit() async throws {
    var limits = AdminServer.Limits()
    limits.connections = 1
    try await withServer(limits: limits) { port in
      let first = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port).get()
      #expect(try await exchange(port, request("GET /healthz")).isEmpty)
      try await first.close()
      var answer = ""
      while answer.isEmpty { answer = try await exchange(port, request("GET /healthz")) }
      #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
    }
  }

  @Test("a port that is taken is an error")
  func taken() async throws {
    try await withServer { port in
      _ = await #expect(throws: IOError.self) {
        _ = try await AdminServer.start(host: "127.0.0.1", port: port, registry: MetricsRegistry()) { .ready }
      }
    }
  }
}
