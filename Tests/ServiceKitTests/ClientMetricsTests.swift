// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCClient
import GRPCMethods
import GRPCServer
import InProcess
import NIOCore
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import ServiceKit

@Suite(.endsIfItHangs) struct ClientMetricsTests {
  typealias Bytes = [UInt8]
  static let service = "test.Echo"
  static let one = Method<Unary, Bytes, Bytes>(service: service, name: "One", request: .bytes, response: .bytes)
  static let many = Method<ServerStreaming, Bytes, Bytes>(
    service: service, name: "Many", request: .bytes, response: .bytes)
  static let sum = Method<ClientStreaming, Bytes, Bytes>(
    service: service, name: "Sum", request: .bytes, response: .bytes)
  static let chat = Method<Bidirectional, Bytes, Bytes>(
    service: service, name: "Chat", request: .bytes, response: .bytes)
  static let unregistered = Method<Unary, Bytes, Bytes>(
    service: service, name: "Unregistered", request: .bytes, response: .bytes)

  /// Answers what it gets; the unary method fails so many times before.
  private static func echo(failures: Int, _ code: StatusCode) -> Service {
    let calls = Atomic(0)
    return Service(
      service,
      [
        handle(one) { request, _ in
          if calls.add(1, ordering: .relaxed).newValue <= failures { throw RPCError(code, "not yet") }
          return request
        },
        handle(many) { request, writer, _ in for byte in request { try await writer.write([byte]) } },
        handle(sum) { requests, _ in try await requests.reduce(into: []) { $0 += $1 } },
        handle(chat) { requests, writer, _ in for try await request in requests { try await writer.write(request) } },
      ])
  }

  /// Runs calls with a client in the same process as its server, and gives the metrics' lines afterwards.
  private func metrics(
    failures: Int = 0, _ code: StatusCode = .unavailable, isRetrying: Bool = false,
    _ body: (GRPCClient, @escaping @Sendable () -> [String]) async throws -> Void
  ) async throws -> [String] {
    let registry = MetricsRegistry()
    let interceptor = ClientMetricsInterceptor(
      ClientRPCMetrics(registry: registry), target: "dns:///a:1",
      methods: [Self.one.info, Self.many.info, Self.sum.info, Self.chat.info])
    @Sendable func lines() -> [String] {
      String(decoding: registry.text(), as: UTF8.self).split(separator: "\n").map(String.init)
    }
    var configuration = ClientConfiguration()
    if isRetrying {
      var method = MethodConfig()
      let backoff = Backoff(initial: .milliseconds(1), maximum: .milliseconds(2))
      method.recovery = .retry(RetryPolicy(maxAttempts: 3, backoff: backoff, retryableCodes: [.unavailable]))
      configuration.serviceConfig.set(method)
    }
    var serverConfiguration = ServerConfiguration()
    serverConfiguration.eventLoops = 1
    let server = try await GRPCServer.start(
      [Self.echo(failures: failures, code)], on: [], configuration: serverConfiguration)
    let client = try GRPCClient(inProcess: server, configuration: configuration, interceptors: [interceptor])
    let result: Result<Void, any Error>
    do { result = .success(try await body(client, lines)) } catch { result = .failure(error) }
    await client.close(grace: .seconds(10))
    await server.shutdown(grace: .seconds(10))
    try result.get()
    return lines()
  }

  private func go(_ name: String, _ method: String, _ kind: String, code: String? = nil) -> String {
    let code = code.map { "grpc_code=\"\($0)\"," } ?? ""
    return "grpc_client_\(name){\(code)grpc_method=\"\(method)\",grpc_service=\"test.Echo\",grpc_type=\"\(kind)\"} "
  }

  private func a66(_ name: String, _ method: String, status: String? = nil) -> String {
    let status = status.map { "grpc_status=\"\($0)\"," } ?? ""
    return "grpc_client_\(name){grpc_method=\"test.Echo/\(method)\",\(status)grpc_target=\"dns:///a:1\"} "
  }

  @Test("every kind of call is counted with its messages, and its attempt with its bytes")
  func kinds() async throws {
    let lines = try await metrics { client, _ in
      _ = try await client.call(Self.one, [1, 2])
      try await client.call(Self.many, [1, 2, 3]) { responses in for try await _ in responses {} }
      _ = try await client.call(Self.sum) { writer in for _ in 0..<4 { try await writer.write([1]) } }
      try await client.call(Self.chat) { writer, responses in
        for _ in 0..<5 { try await writer.write([1, 2]) }
        writer.finish()
        for try await _ in responses {}
      }
    }
    for (method, kind, sent, received, sentBytes, receivedBytes) in [
      ("One", "unary", 1, 1, 2, 2), ("Many", "server_stream", 1, 3, 3, 3), ("Sum", "client_stream", 4, 1, 4, 4),
      ("Chat", "bidi_stream", 5, 5, 10, 10),
    ] {
      let sizes = "total_compressed_message_size_bytes_sum"
      for line in [
        go("started_total", method, kind) + "1", go("handled_total", method, kind, code: "OK") + "1",
        go("msg_sent_total", method, kind) + "\(sent)", go("msg_received_total", method, kind) + "\(received)",
        a66("attempt_started_total", method) + "1",
        a66("attempt_duration_seconds_count", method, status: "OK") + "1",
        a66("attempt_sent_\(sizes)", method, status: "OK") + "\(sentBytes)",
        a66("attempt_rcvd_\(sizes)", method, status: "OK") + "\(receivedBytes)",
        a66("call_duration_seconds_count", method, status: "OK") + "1",
      ] { #expect(lines.contains(line), "\(line)") }
    }
  }

  @Test("each retry is an attempt of its one call, with its own status")
  func retries() async throws {
    let lines = try await metrics(failures: 2, isRetrying: true) { client, _ in
      _ = try await client.call(Self.one, [7])
    }
    for line in [
      a66("attempt_started_total", "One") + "3",
      a66("attempt_duration_seconds_count", "One", status: "UNAVAILABLE") + "2",
      a66("attempt_duration_seconds_count", "One", status: "OK") + "1",
      a66("call_duration_seconds_count", "One", status: "OK") + "1",
      go("started_total", "One", "unary") + "1",
    ] { #expect(lines.contains(line), "\(line)") }
    #expect(!lines.contains { $0.hasPrefix(a66("call_duration_seconds_count", "One", status: "UNAVAILABLE")) })
  }

  @Test("a failure, a caller who leaves early and a method nobody registered count as what they are")
  func failures() async throws {
    let lines = try await metrics(failures: 9, .notFound) { client, _ in
      await #expect(throws: RPCError.self) { try await client.call(Self.one, []) }
      _ = try await client.call(Self.many, [1, 2, 3]) { responses in try await responses.next() }
      await #expect(throws: RPCError.self) { try await client.call(Self.unregistered, []) }
    }
    for line in [
      go("handled_total", "One", "unary", code: "NotFound") + "1",
      a66("attempt_duration_seconds_count", "One", status: "NOT_FOUND") + "1",
      a66("call_duration_seconds_count", "Many", status: "CANCELLED") + "1",
      a66("attempt_duration_seconds_count", "Many", status: "CANCELLED") + "1",
      #"grpc_client_attempt_started_total{grpc_method="other",grpc_target="dns:///a:1"} 1"#,
      #"grpc_client_call_duration_seconds_count{grpc_method="other",grpc_status="UNIMPLEMENTED","#
        + #"grpc_target="dns:///a:1"} 1"#,
    ] { #expect(lines.contains(line), "\(line)") }
  }

  @Test("an attempt counts as begun while it goes on")
  func underWay() async throws {
    _ = try await metrics { client, lines in
      try await client.call(Self.chat) { writer, responses in
        try await writer.write([1])
        _ = try await responses.next()
        #expect(lines().contains(a66("attempt_started_total", "Chat") + "1"))
        #expect(!lines().contains(a66("attempt_duration_seconds_count", "Chat", status: "OK") + "1"))
        writer.finish()
        for try await _ in responses {}
      }
    }
  }
}
