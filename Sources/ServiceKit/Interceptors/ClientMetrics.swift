// SPDX-License-Identifier: Apache-2.0

internal import GRPC
public import GRPCClient
public import GRPCMethods
internal import NIOCore
public import Telemetry

/// Counts a client's calls, the attempts that they are made of, their messages and their time. Each method's handles
/// are made once, before the first call.
///
/// It should be the outermost interceptor of its client, so that what the others do counts too.
public struct ClientMetricsInterceptor: ClientInterceptor {
  private let methods: [String: ClientRPCMetrics.Method]
  private let other: ClientRPCMetrics.Method

  /// Counts the calls of these methods of a target, which is named in its canonical form: `dns:///host:port`. Calls of
  /// further methods count together, under the name `other`.
  public init(_ metrics: ClientRPCMetrics, target: String, methods: [MethodInfo]) {
    var handles: [String: ClientRPCMetrics.Method] = [:]
    for method in methods {
      let name = MethodName(service: method.service, method: method.name)
      handles[method.path] = metrics.register(name, kind: method.kind, target: target)
    }
    self.methods = handles
    other = metrics.register(.other, kind: .unary, target: target)
  }

  /// Counts the call.
  public func intercept(_ context: ClientContext, next: ClientNext) async throws {
    let handle = handle(context)
    handle.started()
    do {
      try await next()
      // A caller that left before the end has cancelled the call.
      finish(handle, context, context.status?.code ?? .ok)
    } catch {
      finish(handle, context, RPCError(describing: error).status.code)
      throw error
    }
  }

  private func finish(_ handle: ClientRPCMetrics.Method, _ context: ClientContext, _ code: StatusCode) {
    handle.messageSent(UInt64(context.sentMessages))
    handle.messageReceived(UInt64(context.receivedMessages))
    handle.finished(code: code, duration: (.now() - context.start).nanoseconds)
  }

  /// Attempts are looked at.
  public var seesAttempts: Bool { true }

  /// Counts an attempt.
  public func attemptBegan(_ context: ClientContext) { handle(context).attemptStarted() }

  /// Counts an attempt's end.
  public func attemptEnded(_ attempt: AttemptFacts, _ context: ClientContext) {
    handle(context).attemptFinished(
      code: attempt.status.code, duration: (attempt.end - attempt.start).nanoseconds,
      received: Int64(attempt.receivedBytes), sent: Int64(attempt.sentBytes))
  }

  private func handle(_ context: ClientContext) -> ClientRPCMetrics.Method { methods[context.method.path] ?? other }
}
