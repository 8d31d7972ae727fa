// SPDX-License-Identifier: Apache-2.0

internal import GRPC

/// Makes the families that servers and clients share from methods' counts.
enum FamilyBuilder {
  /// The names of the Go ecosystem's interceptor; `side` is `server` or `client`. Every code is there from the start.
  static func goEcosystem(_ methods: [MethodSnapshot], side: String) -> [MetricFamily] {
    var started = MetricFamily("grpc_\(side)_started", kind: .counter, help: "Calls begun.")
    var handled = MetricFamily("grpc_\(side)_handled", kind: .counter, help: "Calls ended, by code.")
    var received = MetricFamily("grpc_\(side)_msg_received", kind: .counter, help: "Messages received.")
    var sent = MetricFamily("grpc_\(side)_msg_sent", kind: .counter, help: "Messages sent.")
    var handling = MetricFamily(
      "grpc_\(side)_handling", kind: .histogram, unit: .seconds, help: "How long calls took, in seconds.")
    for method in methods {
      let pairs = [
        ("grpc_method", method.name.method), ("grpc_service", method.name.service), ("grpc_type", method.kind.label),
      ]
      let labels = MetricLabels(pairs)
      started.series.append(MetricSeries(labels, .integer(method.started)))
      received.series.append(MetricSeries(labels, .integer(method.received)))
      sent.series.append(MetricSeries(labels, .integer(method.sent)))
      for code in method.codes {
        handled.series.append(
          MetricSeries(MetricLabels([("grpc_code", code.code.name)] + pairs), .integer(code.latency.count)))
      }
      handling.series.append(MetricSeries(labels, .histogram(method.latency.narrowed(to: LatencyBounds.prometheus))))
    }
    return [started, handled, received, sent, handling]
  }

  /// The three histograms by method and status of gRFC A66, with each method's further labels. A status that never
  /// occurred has no series: there would be dozens of empty buckets for each.
  static func byStatus(
    _ methods: [(MethodSnapshot, [(String, String)])], prefix: String, of what: String
  ) -> [MetricFamily] {
    var duration = MetricFamily(
      prefix + ".duration", kind: .histogram, unit: .seconds, help: "How long \(what) took, in seconds.")
    var sent = MetricFamily(
      prefix + ".sent_total_compressed_message_size", kind: .histogram, unit: .bytes,
      help: "Bytes of messages sent, compressed, by \(what).")
    var received = MetricFamily(
      prefix + ".rcvd_total_compressed_message_size", kind: .histogram, unit: .bytes,
      help: "Bytes of messages received, compressed, by \(what).")
    for (method, pairs) in methods {
      for code in method.codes where code.latency.count > 0 {
        let labels = MetricLabels(
          [("grpc_method", method.name.full), ("grpc_status", code.code.constantName)] + pairs)
        duration.series.append(
          MetricSeries(labels, .histogram(code.latency.narrowed(to: LatencyBounds.openTelemetry))))
        sent.series.append(MetricSeries(labels, .histogram(code.sent)))
        received.series.append(MetricSeries(labels, .histogram(code.received)))
      }
    }
    return [duration, sent, received]
  }
}

extension CallKind {
  /// The kind as the label `grpc_type` writes it.
  fileprivate var label: String {
    switch self {
    case .unary: "unary"
    case .serverStreaming: "server_stream"
    case .clientStreaming: "client_stream"
    case .bidirectional: "bidi_stream"
    }
  }
}
