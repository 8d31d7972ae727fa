// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
public import GRPCServer
internal import NIOCore
public import Telemetry

/// Counts calls, their messages and their time. Each method's handles are made once, before the first call.
public struct MetricsInterceptor: ServerInterceptor {
  private let methods: [String: RPCMetrics.Method]
  private let other: RPCMetrics.Method

  /// Counts the calls of these services.
  public init(_ metrics: RPCMetrics, services: [Service]) {
    var methods: [String: RPCMetrics.Method] = [:]
    for method in services.flatMap(\.handlers).map(\.method) {
      let name = MethodName(service: method.service, method: method.name)
      methods[method.path] = metrics.register(name, kind: method.kind)
    }
    self.methods = methods
    other = metrics.other
  }

  /// Counts the call.
  public func intercept(_ context: ServerContext, next: ServerNext) async throws {
    let method = methods[context.method.path] ?? other
    method.started()
    do {
      try await next()
      finish(method, context, .ok)
    } catch {
      finish(method, context, RPCError(describing: error).status.code)
      throw error
    }
  }

  private func finish(_ method: RPCMetrics.Method, _ context: ServerContext, _ code: StatusCode) {
    // The response of a unary call is sent after this, as one message.
    for _ in 0..<context.receivedMessages { method.messageReceived() }
    let isAnswered = code == .ok && context.method.kind.hasOneResponse
    for _ in 0..<context.sentMessages + (isAnswered ? 1 : 0) { method.messageSent() }
    method.finished(
      code: context.endCode ?? code, duration: (.now() - context.start).nanoseconds,
      received: Int64(context.receivedBytes), sent: Int64(context.sentBytes))
  }
}
