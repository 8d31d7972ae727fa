// SPDX-License-Identifier: Apache-2.0

internal import GRPC
public import GRPCMethods
internal import NIOCore

// The four kinds of call. Each is one scope: when it returns or throws, the call is over.
//
// A call that fails throws `RPCError`. It is cancelled with the task that makes it, ends no later than the call that
// its task handles (`CallScope`), and carries on what that lends.
extension GRPCClient {
  /// Makes a unary call and returns its response.
  public func call<Request, Response>(
    _ method: Method<Unary, Request, Response>, _ request: Request, options: CallOptions = CallOptions()
  ) async throws -> Response {
    try await answer(method, request, options: options).message
  }

  /// Makes a unary call and returns its response with the metadata before and after it.
  public func answer<Request, Response>(
    _ method: Method<Unary, Request, Response>, _ request: Request, options: CallOptions = CallOptions()
  ) async throws -> Answer<Response> {
    let plan = CallPlan(method.info, options, core)
    let response = try await run(plan) { call in
      let frame = try self.core.encode(request, method.request, plan.context, sizeLimit: plan.sizeLimit)
      return try call.decode(try await call.exchange(frame), method.response, self.core.chain)
    }
    return Answer(
      message: response, headers: plan.context.responseHeaders ?? Metadata(), trailers: plan.context.responseTrailers)
  }

  /// Makes a call with any number of responses, and returns what `body` makes of them. A body that returns before the
  /// last response cancels the call.
  public func call<Request, Response, Output>(
    _ method: Method<ServerStreaming, Request, Response>, _ request: Request, options: CallOptions = CallOptions(),
    _ body: @escaping (ResponseStream<Response>) async throws -> Output
  ) async throws -> Output {
    let plan = CallPlan(method.info, options, core)
    return try await run(plan) { call in
      let frame = try self.core.encode(request, method.request, plan.context, sizeLimit: plan.sizeLimit)
      return try await self.scope(call) {
        call.begin(frame)
        return try await body(ResponseStream(call, method.response, self.core.chain))
      }
    }
  }

  /// Makes a call with any number of requests, which `body` writes, and returns its response. A server that answers
  /// early ends the call: writes throw ``CallIsOver`` then, which the body need not catch.
  public func call<Request, Response>(
    _ method: Method<ClientStreaming, Request, Response>, options: CallOptions = CallOptions(),
    _ body: @escaping (RequestWriter<Request>) async throws -> Void
  ) async throws -> Response {
    let plan = CallPlan(method.info, options, core)
    return try await run(plan) { call in
      let bytes = try await self.scope(call) {
        call.begin()
        do {
          try await body(RequestWriter(call, method.request, self.core, sizeLimit: plan.sizeLimit))
        } catch is CallIsOver {}
        call.endRequests()
        return try await call.oneResponse()
      }
      return try call.decode(bytes, method.response, self.core.chain)
    }
  }

  /// Makes a call with any number of messages both ways, and returns what `body` makes of it. The body says
  /// ``RequestWriter/finish()`` after its last request; one that returns before the last response cancels the call.
  public func call<Request, Response, Output>(
    _ method: Method<Bidirectional, Request, Response>, options: CallOptions = CallOptions(),
    _ body: @escaping (RequestWriter<Request>, ResponseStream<Response>) async throws -> Output
  ) async throws -> Output {
    let plan = CallPlan(method.info, options, core)
    return try await run(plan) { call in
      try await self.scope(call) {
        call.begin()
        return try await body(
          RequestWriter(call, method.request, self.core, sizeLimit: plan.sizeLimit),
          ResponseStream(call, method.response, self.core.chain))
      }
    }
  }

  // MARK: - Helpers

  /// Runs a call inside the interceptors.
  private func run<Output>(
    _ plan: CallPlan, _ body: @escaping (OutgoingCall) async throws -> Output
  ) async throws -> Output {
    guard gate.enter() else { throw RPCError(.unavailable, "the client is closed") }
    defer { gate.leave() }
    var output: Output?
    do {
      try await core.chain.run(plan.context) {
        plan.context.beginAgain()
        output = try await body(OutgoingCall(plan.context, on: self.nextLoop, config: plan.config))
      }
    } catch {
      let failure: any Error = error is Status || error is CancellationError ? RPCError(describing: error) : error
      plan.context.ended(CallEnd(status: RPCError(describing: failure).status), from: nil)
      throw failure
    }
    guard let output else { throw RPCError(.internal, "an interceptor neither made the call nor failed it") }
    return output
  }

  /// Keeps a call within `body`: it is over when that returns, and cancelled with its task.
  private func scope<Output>(_ call: OutgoingCall, _ body: () async throws -> Output) async throws -> Output {
    try await withTaskCancellationHandler {
      let output: Output
      do { output = try await body() } catch {
        let end = await call.leave()
        // A write that came too late does not tell why.
        if error is CallIsOver, end.status.code != .ok { throw RPCError(end.status, trailers: end.trailers) }
        throw error
      }
      _ = await call.leave()
      return output
    } onCancel: {
      call.cancel()
    }
  }
}

/// What holds for one call, out of its options, its method's configuration, its client's and the scope that it is made
/// in.
struct CallPlan {
  let context: ClientContext
  let config: MethodConfig
  /// The largest request in bytes.
  let sizeLimit: Int

  init(_ method: MethodInfo, _ options: CallOptions, _ core: ClientCore) {
    let config = core.methodConfig(method)
    let scope = CallScope.current
    let now = NIODeadline.now()
    var deadline = scope?.deadline
    for timeout in [options.timeout, config.timeout.map { .nanoseconds($0) }] {
      guard let timeout else { continue }
      let own = now.advanced(by: timeout)
      deadline = min(deadline ?? own, own)
    }
    var metadata = options.metadata
    if let scope { metadata.append(contentsOf: scope.metadata) }
    context = ClientContext(
      method: method, start: now, metadata: metadata, deadline: deadline,
      waitsForReady: options.waitsForReady ?? config.waitForReady ?? false,
      compressesRequests: options.compressesRequests ?? core.configuration.compressesRequests,
      authority: options.authority ?? core.authority)
    self.config = config
    sizeLimit = min(core.configuration.limits.sentMessageSize, config.maxRequestBytes ?? .max)
  }
}

extension NIODeadline {
  /// The time so much later, as far as the clock reaches.
  fileprivate func advanced(by amount: TimeAmount) -> NIODeadline {
    let (uptime, overflow) = Int64(uptimeNanoseconds).addingReportingOverflow(amount.nanoseconds)
    return overflow ? .distantFuture : .uptimeNanoseconds(UInt64(max(0, uptime)))
  }
}
