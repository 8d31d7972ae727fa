// SPDX-License-Identifier: Apache-2.0

import GRPC
import TestSupport
import Testing

@testable import Telemetry

@Suite struct RPCMetricsTests {
  static let name = MethodName(service: "user.v1.UserService", method: "GetUser")

  @Test("one call is shown under every set of names, from the same counts")
  func oneCall() {
    let registry = MetricsRegistry()
    let metrics = RPCMetrics(registry: registry)
    let method = metrics.register(Self.name, kind: .serverStreaming)
    method.started()
    method.messageReceived()
    method.messageSent()
    method.messageSent()
    method.finished(code: .notFound, duration: 3_000_000, received: 100, sent: 5_000)
    method.started()
    let shown = lines(registry)
    let go = #"grpc_method="GetUser",grpc_service="user.v1.UserService",grpc_type="server_stream""#
    let otel = #"grpc_method="user.v1.UserService/GetUser",grpc_status="NOT_FOUND""#
    let short = #"method="/user.v1.UserService/GetUser""#
    for line in [
      "grpc_server_started_total{\(go)} 2",
      #"grpc_server_handled_total{grpc_code="NotFound",\#(go)} 1"#,
      #"grpc_server_handled_total{grpc_code="OK",\#(go)} 0"#,
      "grpc_server_msg_received_total{\(go)} 1",
      "grpc_server_msg_sent_total{\(go)} 2",
      #"grpc_server_handling_seconds_bucket{\#(go),le="0.005"} 1"#,
      "grpc_server_handling_seconds_sum{\(go)} 0.003",
      "grpc_server_handling_seconds_count{\(go)} 1",
      #"grpc_server_call_started_total{grpc_method="user.v1.UserService/GetUser"} 2"#,
      #"grpc_server_call_duration_seconds_bucket{\#(otel),le="0.002"} 0"#,
      #"grpc_server_call_duration_seconds_bucket{\#(otel),le="0.003"} 1"#,
      #"grpc_server_call_rcvd_total_compressed_message_size_bytes_bucket{\#(otel),le="1024"} 1"#,
      "grpc_server_call_sent_total_compressed_message_size_bytes_sum{\(otel)} 5000",
      #"grpc_requests_total{\#(short),code="NotFound"} 1"#,
      #"grpc_request_duration_seconds_bucket{\#(short),le="0.005"} 1"#,
      "grpc_active_requests{\(short)} 1",
    ] { #expect(shown.contains(line), "\(line)") }
  }

  @Test("all 17 codes of a method are there before its first call")
  func preregistered() {
    let registry = MetricsRegistry()
    _ = RPCMetrics(registry: registry).register(Self.name, kind: .unary)
    let handled = lines(registry).filter {
      $0.hasPrefix("grpc_server_handled_total") && $0.contains("GetUser") && $0.hasSuffix(" 0")
    }
    #expect(handled.count == 17)
  }

  @Test("each set of names has exactly the bounds that it is known for")
  func bounds() {
    let registry = MetricsRegistry()
    let method = RPCMetrics(registry: registry).register(Self.name, kind: .unary)
    method.started()
    method.finished(code: .ok, duration: 1, received: 0, sent: 0)
    func count(_ prefix: String) -> Int {
      lines(registry).count { $0.hasPrefix(prefix + "_bucket") && $0.contains("GetUser") }
    }
    #expect(count("grpc_server_handling_seconds") == 12)
    #expect(count("grpc_request_duration_seconds") == 12)
    #expect(count("grpc_server_call_duration_seconds") == 42)
    #expect(count("grpc_server_call_sent_total_compressed_message_size_bytes") == 15)
  }

  @Test("fewer bounds show the same as a histogram that never had more", arguments: [1, 2, 3])
  func narrowing(seed: UInt64) {
    var random = SeededGenerator(seed)
    let cell = HistogramCell(.latency)
    let other = HistogramCell(HistogramLayout(bounds: LatencyBounds.prometheus, ticksPerUnit: 1_000_000_000))
    for _ in 0..<2_000 {
      let value = Int64.random(in: 0...20_000_000_000, using: &random) >> Int64.random(in: 0...20, using: &random)
      cell.observe(value)
      other.observe(value)
    }
    #expect(cell.snapshot.count == 2_000)
    #expect(cell.snapshot.narrowed(to: LatencyBounds.prometheus) == other.snapshot)
  }

  @Test("a code that gRPC does not know counts as UNKNOWN, negative figures as none")
  func foreignCode() {
    let registry = MetricsRegistry()
    let method = RPCMetrics(registry: registry).other
    for code in [-1, 17, Int.max] {
      method.started()
      method.finished(code: StatusCode(rawValue: code), duration: -5, received: -1, sent: .min)
    }
    let shown = lines(registry)
    #expect(shown.contains(#"grpc_requests_total{method="/other",code="Unknown"} 3"#))
    #expect(shown.contains(#"grpc_server_call_duration_seconds_sum{grpc_method="other",grpc_status="UNKNOWN"} 0"#))
  }

  @Test("a client's calls and attempts are counted apart, and its targets told apart where the names allow")
  func client() {
    let registry = MetricsRegistry()
    let metrics = ClientRPCMetrics(registry: registry)
    for target in ["dns:///a:1", "dns:///b:1"] {
      let method = metrics.register(Self.name, kind: .unary, target: target)
      method.started()
      method.messageSent()
      for code in [StatusCode.unavailable, .ok] {
        method.attemptStarted()
        method.attemptFinished(code: code, duration: 1_000, received: 1, sent: 1)
      }
      method.messageReceived()
      method.finished(code: .ok, duration: 2_000)
    }
    let shown = lines(registry)
    let go = #"grpc_method="GetUser",grpc_service="user.v1.UserService",grpc_type="unary""#
    let otel = #"grpc_method="user.v1.UserService/GetUser""#
    for line in [
      "grpc_client_started_total{\(go)} 2", #"grpc_client_handled_total{grpc_code="OK",\#(go)} 2"#,
      "grpc_client_msg_sent_total{\(go)} 2", "grpc_client_handling_seconds_count{\(go)} 2",
      #"grpc_client_attempt_started_total{\#(otel),grpc_target="dns:///a:1"} 2"#,
      #"grpc_client_attempt_duration_seconds_count{\#(otel),grpc_status="UNAVAILABLE",grpc_target="dns:///b:1"} 1"#,
      #"grpc_client_call_duration_seconds_count{\#(otel),grpc_status="OK",grpc_target="dns:///a:1"} 1"#,
    ] { #expect(shown.contains(line), "\(line)") }
    #expect(!shown.contains { $0.hasPrefix("grpc_client_call_sent") })
  }

  @Test("methods that a client learns beyond the limit share one handle")
  func clientLimit() {
    let registry = MetricsRegistry()
    let metrics = ClientRPCMetrics(registry: registry)
    for index in 0..<ClientRPCMetrics.methodLimit + 5 {
      metrics.register(MethodName(service: "s", method: "m\(index)"), kind: .unary, target: "t").started()
    }
    #expect(lines(registry).contains(#"grpc_client_attempt_started_total{grpc_method="other",grpc_target="other"} 0"#))
    #expect(
      lines(registry).contains(#"grpc_client_started_total{grpc_method="",grpc_service="other",grpc_type="unary"} 5"#))
  }
}
