// SPDX-License-Identifier: Apache-2.0

internal import GRPC

/// Something that every call passes through, of whichever kind: logging, authentication, metrics.
///
/// ```swift
/// struct Timing: ServerInterceptor {
///   func intercept(_ context: ServerContext, next: ServerNext) async throws {
///     let start = ContinuousClock.now
///     defer { print(context.method.fullName, ContinuousClock.now - start) }
///     try await next()
///   }
/// }
/// ```
///
/// The first interceptor of a server is the outermost: it sees a call first and its outcome last.
public protocol ServerInterceptor: Sendable {
  /// Runs around the call: what comes before `next()` happens before the handler, and what comes after it, after.
  /// Throwing instead of calling it refuses the call; an error that it throws is the call's outcome, and can be
  /// replaced by another.
  func intercept(_ context: ServerContext, next: ServerNext) async throws

  /// Whether ``received(_:_:)`` and ``sending(_:_:)`` are to be called.
  var seesMessages: Bool { get }

  /// Looks at a request's message before the handler does. Throwing ends the call.
  func received<Message: Sendable>(_ message: Message, _ context: ServerContext) throws

  /// Looks at a response's message before it is encoded. Throwing ends the call.
  func sending<Message: Sendable>(_ message: Message, _ context: ServerContext) throws
}

extension ServerInterceptor {
  /// Nothing around the call.
  public func intercept(_ context: ServerContext, next: ServerNext) async throws { try await next() }

  /// No messages.
  public var seesMessages: Bool { false }

  /// Nothing.
  public func received<Message: Sendable>(_ message: Message, _ context: ServerContext) throws {}

  /// Nothing.
  public func sending<Message: Sendable>(_ message: Message, _ context: ServerContext) throws {}
}

/// What comes after an interceptor: the next one, and at last the handler. To be called once, or not at all.
///
/// A type of its own and not a closure: the same closure's type means one thing in modules where async functions stay
/// on their caller's executor and another where they do not, and an interceptor of the one kind would silently not be
/// one in the other.
public struct ServerNext: Sendable {
  let stream: ServerStream
  let chain: InterceptorChain
  let index: Int

  /// Goes on. Throws what became of the call, where that is no success.
  public func callAsFunction() async throws { try await chain.run(stream, from: index) }
}

/// A server's interceptors, in their order.
struct InterceptorChain: Sendable {
  private let all: [any ServerInterceptor]
  private let observers: [any ServerInterceptor]

  init(_ interceptors: [any ServerInterceptor]) {
    all = interceptors
    observers = interceptors.filter(\.seesMessages)
  }

  /// Runs a call through the interceptors from one on, and at last its handler.
  func run(_ stream: ServerStream, from index: Int = 0) async throws {
    guard index < all.count else { return try await stream.handle(self) }
    let next = ServerNext(stream: stream, chain: self, index: index + 1)
    try await all[index].intercept(stream.context, next: next)
  }

  func received<Message: Sendable>(_ message: Message, _ context: ServerContext) throws {
    for observer in observers { try observer.received(message, context) }
  }

  func sending<Message: Sendable>(_ message: Message, _ context: ServerContext) throws {
    for observer in observers.reversed() { try observer.sending(message, context) }
  }
}
