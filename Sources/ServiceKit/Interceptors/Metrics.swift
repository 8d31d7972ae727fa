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
    method.messageReceived(UInt64(context.receivedMessages))
    method.messageSent(UInt64(context.sentMessages))
    method.finished(
      code: context.endCode ?? code, duration: (.now() - context.start).nanoseconds,
      received: Int64(context.receivedBytes), sent: Int64(context.sentBytes))
  }
}
