// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
public import GRPCServer
internal import NIOCore
public import Telemetry

/// Writes a line for every call that ends: `method= code= duration= peer= request_id=`.
public struct AccessLogInterceptor: ServerInterceptor {
  private let sink: LogSink
  private let quiet: Set<String>

  /// Logs onto a sink. Calls of the `quiet` services that succeed leave no line: health is asked every few seconds.
  public init(_ sink: LogSink, quiet: Set<String> = []) {
    self.sink = sink
    self.quiet = quiet
  }

  /// Logs the call's outcome.
  public func intercept(_ context: ServerContext, next: ServerNext) async throws {
    do {
      try await next()
    } catch {
      log(context, RPCError(describing: error).status)
      throw error
    }
    if !quiet.contains(context.method.service) { log(context, .ok) }
  }

  private func log(_ context: ServerContext, _ status: Status) {
    sink.call(
      method: context.method.fullName, code: context.endCode ?? status.code,
      duration: (.now() - context.start).nanoseconds, peer: context.peer.address, requestID: context.requestID,
      message: status.message, trace: context[TraceKey.self]?.traceID)
  }
}
