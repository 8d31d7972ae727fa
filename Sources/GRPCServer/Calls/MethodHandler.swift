// SPDX-License-Identifier: Apache-2.0

internal import GRPC
public import GRPCMethods
public import NIOCore
internal import Synchronization

/// A service: its name, and what answers its methods.
///
/// ```swift
/// let greeter = Service(Greeter.service, [
///   handle(Greeter.sayHello) { request, _ in .with { $0.message = "Hello, \(request.name)!" } }
/// ])
/// ```
public struct Service: Sendable {
  /// The full name, such as `user.v1.UserService`.
  public let name: String
  /// What answers its methods. A method without a handler answers UNIMPLEMENTED.
  public let handlers: [MethodHandler]

  /// A service of handlers, whose methods all belong to it.
  public init(_ name: String, _ handlers: [MethodHandler]) {
    self.name = name
    self.handlers = handlers
  }
}

/// What one method does otherwise than its server.
public struct MethodOptions: Sendable {
  /// The largest request message in bytes.
  public var receivedMessageSize: Int?
  /// The largest response message in bytes.
  public var sentMessageSize: Int?
  /// The longest time of a call; it replaces the server's limit, so that a method may also run longer than others.
  public var callTime: TimeAmount?
  /// Calls of the method at once; more: RESOURCE_EXHAUSTED.
  public var callsInFlight: Int?
  /// Whether its calls are taken also where the server has as many as it takes. For health, and little else.
  public var isAlwaysAdmitted = false
  /// Whether failures go out as they are, without a reason of this server's: they are another's, which the handler
  /// passes on.
  public var keepsFailures = false
  /// Whether its calls never end on their own, as those of a live feed. When their connection is asked to close, they
  /// end with UNAVAILABLE, so that the client comes back through another one.
  public var endsOnDrain: Bool

  /// Options; nil stands for the server's limits.
  public init(
    receivedMessageSize: Int? = nil, sentMessageSize: Int? = nil, callTime: TimeAmount? = nil,
    callsInFlight: Int? = nil, endsOnDrain: Bool = false
  ) {
    self.receivedMessageSize = receivedMessageSize
    self.sentMessageSize = sentMessageSize
    self.callTime = callTime
    self.callsInFlight = callsInFlight
    self.endsOnDrain = endsOnDrain
  }
}

/// What answers a method's calls. ``handle(_:options:on:_:)-(Method<Unary,_,_>,_,_,_)`` makes one.
public final class MethodHandler: Sendable {
  /// The method.
  public let method: MethodInfo
  let options: MethodOptions
  let executor: (any TaskExecutor)?
  /// Runs a call and gives the response that goes out together with the status, if there is one.
  let run: Run

  private let calls = Atomic(0)

  typealias Run = @Sendable (ServerStream, InterceptorChain) async throws -> MessageFrame?

  init(method: MethodInfo, options: MethodOptions, executor: (any TaskExecutor)?, run: @escaping Run) {
    self.method = method
    self.options = options
    self.executor = executor
    self.run = run
  }

  var callsInFlight: Int { calls.load(ordering: .relaxed) }

  func callStarted() { calls.add(1, ordering: .relaxed) }

  func callEnded() { calls.subtract(1, ordering: .relaxed) }
}

/// Finds what answers the calls of a path, such as `/user.v1.UserService/GetUser`, at the time of each call; nil where
/// nobody does. It is asked on the loop's thread, which serves nobody else meanwhile.
public typealias Fallback = @Sendable (_ path: String) -> MethodHandler?

/// Answers a unary method.
///
/// The handler runs on its connection's event loop, which serves nobody else meanwhile: one that blocks or computes for
/// long names another executor, such as a ``BlockingExecutor``. It is cancelled when nobody waits for its answer.
public func handle<Request, Response>(
  _ method: Method<Unary, Request, Response>, options: MethodOptions = MethodOptions(),
  on executor: (any TaskExecutor)? = nil,
  _ body: @escaping @Sendable (Request, ServerContext) async throws -> Response
) -> MethodHandler {
  MethodHandler(method: method.info, options: options, executor: executor) { stream, chain in
    let request = try stream.decodeRequest(method.request, chain)
    return try stream.encode(try await body(request, stream.context), method.response, chain)
  }
}

/// Answers a method with any number of responses, which the handler writes. See ``handle(_:options:on:_:)`` for where
/// it runs.
public func handle<Request, Response>(
  _ method: Method<ServerStreaming, Request, Response>, options: MethodOptions = MethodOptions(),
  on executor: (any TaskExecutor)? = nil,
  _ body: @escaping @Sendable (Request, ResponseWriter<Response>, ServerContext) async throws -> Void
) -> MethodHandler {
  MethodHandler(method: method.info, options: options, executor: executor) { stream, chain in
    let request = try stream.decodeRequest(method.request, chain)
    try await body(request, ResponseWriter(stream, method.response, chain), stream.context)
    return nil
  }
}

/// Answers a method that takes any number of requests, which the handler reads. See ``handle(_:options:on:_:)`` for
/// where it runs.
public func handle<Request, Response>(
  _ method: Method<ClientStreaming, Request, Response>, options: MethodOptions = MethodOptions(),
  on executor: (any TaskExecutor)? = nil,
  _ body: @escaping @Sendable (RequestStream<Request>, ServerContext) async throws -> Response
) -> MethodHandler {
  MethodHandler(method: method.info, options: options, executor: executor) { stream, chain in
    let response = try await body(RequestStream(stream, method.request, chain), stream.context)
    return try stream.encode(response, method.response, chain)
  }
}

/// Answers a method with any number of messages both ways, in any order. See ``handle(_:options:on:_:)`` for where it
/// runs.
public func handle<Request, Response>(
  _ method: Method<Bidirectional, Request, Response>, options: MethodOptions = MethodOptions(),
  on executor: (any TaskExecutor)? = nil,
  _ body:
    @escaping @Sendable (RequestStream<Request>, ResponseWriter<Response>, ServerContext) async throws ->
    Void
) -> MethodHandler {
  MethodHandler(method: method.info, options: options, executor: executor) { stream, chain in
    try await body(
      RequestStream(stream, method.request, chain), ResponseWriter(stream, method.response, chain), stream.context)
    return nil
  }
}
