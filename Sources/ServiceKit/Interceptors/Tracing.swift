// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
public import GRPCServer
internal import ServiceContextModule
public import Telemetry
internal import Tracing

/// Makes a span of every call, and passes the trace on to upstream calls as W3C Trace Context.
///
/// Without an exporter nothing is recorded: a caller's `traceparent`, `tracestate` and `baggage` go on as they came.
public struct TracingInterceptor: ServerInterceptor {
  private static let passedOn = [TraceParent.header, TraceParent.stateHeader, "baggage"]

  private let tracer: TraceContextTracer?

  /// Records with the tracer, or passes on alone.
  public init(_ tracer: TraceContextTracer?) { self.tracer = tracer }

  /// Records the call.
  public func intercept(_ context: ServerContext, next: ServerNext) async throws {
    guard let tracer else {
      passOn(context)
      return try await next()
    }
    var parent = ServiceContext.topLevel
    tracer.extract(context.metadata, into: &parent, using: MetadataCarrier())
    let span = tracer.startSpan(context.method.fullName, context: parent, ofKind: .server)
    span.attributes["rpc.system.name"] = "grpc"
    span.attributes["rpc.method"] = context.method.fullName
    context[TraceKey.self] = span.context.spanContext
    var forwarded = context.scope.metadata
    tracer.inject(span.context, into: &forwarded, using: MetadataCarrier())
    if let baggage = context.metadata.first("baggage") { try? forwarded.append("baggage", baggage) }
    context.scope.metadata = forwarded
    defer { span.end() }
    do {
      try await ServiceContext.withValue(span.context) { try await next() }
      span.attributes["rpc.response.status_code"] = "OK"
    } catch {
      let status = RPCError(describing: error).status
      let code = context.endCode ?? status.code
      span.attributes["rpc.response.status_code"] = code.constantName
      if Self.isServerFault(code) {
        span.attributes["error.type"] = code.constantName
        span.setStatus(SpanStatus(code: .error, message: status.message))
      }
      throw error
    }
  }

  private func passOn(_ context: ServerContext) {
    var found = Metadata()
    for name in Self.passedOn {
      if let value = context.metadata.first(name) { try? found.append(name, value) }
    }
    if !found.entries.isEmpty { context.scope.metadata.append(contentsOf: found) }
  }

  /// Whether a status is the server's failure and not the client's, as the semantic conventions of OpenTelemetry draw
  /// the line.
  private static func isServerFault(_ code: StatusCode) -> Bool {
    [.unknown, .deadlineExceeded, .unimplemented, .internal, .unavailable, .dataLoss].contains(code)
  }
}

/// The span that ``TracingInterceptor`` left with a call.
public enum TraceKey: ServerContextKey {
  /// The span's identity.
  public typealias Value = SpanContext
}

private struct MetadataCarrier: Extractor, Injector {
  func extract(key: String, from metadata: Metadata) -> String? { metadata.first(key) }

  func inject(_ value: String, forKey key: String, into metadata: inout Metadata) { try? metadata.append(key, value) }
}
