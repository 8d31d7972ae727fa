// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCClient
internal import GRPCMethods
internal import Logging
internal import NIOCore
internal import Telemetry

/// Sends a service's spans to a collector: OTLP over gRPC, with our own client.
final class SpanExport: Sendable {
  let tracer: TraceContextTracer
  private let processor: BatchSpanProcessor
  private let client: GRPCClient

  /// How long one export may take.
  private static let timeout = TimeAmount.seconds(10)

  /// An export to `endpoint`, `host:port`, in plaintext. `ratio` is the share of new traces that are recorded; of a
  /// caller's trace what the caller says.
  init(
    endpoint: String, ratio: Double, resource: TraceResource, registry: MetricsRegistry, logger: Logger
  ) throws(ConfigurationError) {
    var configuration = ClientConfiguration()
    configuration.logger = logger
    let metrics = ClientMetricsInterceptor(
      ClientRPCMetrics(registry: registry), target: "dns:///" + endpoint, methods: [Exporter.method.info])
    do {
      client = try GRPCClient(target: endpoint, configuration: configuration, interceptors: [metrics])
    } catch {
      throw ConfigurationError("--otlp-endpoint is HOST:PORT, and not \(endpoint): \(error)")
    }
    processor = BatchSpanProcessor(exporter: Exporter(client: client), resource: resource)
    processor.register(in: registry)
    tracer = TraceContextTracer(sampler: .parentBased(root: .ratio(ratio)), processor: processor)
  }

  /// Exports what is left, for a few seconds at most, and closes the connection.
  func shutdown() async {
    await processor.shutdown()
    await client.close()
  }

  private struct Exporter: SpanExporter {
    let client: GRPCClient

    static let method = Method<Unary, [UInt8], [UInt8]>(
      service: "opentelemetry.proto.collector.trace.v1.TraceService", name: "Export", request: .bytes, response: .bytes)

    func export(_ request: [UInt8]) async throws {
      _ = try await client.call(Self.method, request, options: CallOptions(timeout: SpanExport.timeout))
    }
  }
}
