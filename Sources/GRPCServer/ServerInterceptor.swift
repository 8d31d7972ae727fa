// SPDX-License-Identifier: Apache-2.0

internal import GRPC

/// Something that every call passes through, of whichever kind: logging, authentication, metrics.
///
/// ```swift
/// struct Timing: ServerInterceptor {
///   func intercept(_ context: ServerContext, next: () async throws -> Void) async throws {
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
  func intercept(_ context: ServerContext, next: () async throws -> Void) async throws

  /// Whether ``received(_:_:)`` and ``sending(_:_:)`` are to be called.
  var seesMessages: Bool { get }

  /// Looks at a request's message before the handler does. Throwing ends the call.
  func received<Message: Sendable>(_ message: Message, _ context: ServerContext) throws

  /// Looks at a response's message before it is encoded. Throwing ends the call.
  func sending<Message: Sendable>(_ message: Message, _ context: ServerContext) throws
}

extension ServerInterceptor {
  /// Nothing around the call.
  public func intercept(_ context: ServerContext, next: () async throws -> Void) async throws { try await next() }

  /// No messages.
  public var seesMessages: Bool { false }

  /// Nothing.
  public func received<Message: Sendable>(_ message: Message, _ context: ServerContext) throws {}

  /// Nothing.
  public func sending<Message: Sendable>(_ message: Message, _ context: ServerContext) throws {}
}

/// A server's interceptors, in their order.
struct InterceptorChain: Sendable {
  private let all: [any ServerInterceptor]
  private let observers: [any ServerInterceptor]

  init(_ interceptors: [any ServerInterceptor]) {
    all = interceptors
    observers = interceptors.filter(\.seesMessages)
  }

  func run(_ context: ServerContext, _ body: () async throws -> Void) async throws {
    try await run(from: 0, context, body)
  }

  private func run(from index: Int, _ context: ServerContext, _ body: () async throws -> Void) async throws {
    guard index < all.count else { return try await body() }
    try await all[index].intercept(context) { try await run(from: index + 1, context, body) }
  }

  func received<Message: Sendable>(_ message: Message, _ context: ServerContext) throws {
    for observer in observers { try observer.received(message, context) }
  }

  func sending<Message: Sendable>(_ message: Message, _ context: ServerContext) throws {
    for observer in observers.reversed() { try observer.sending(message, context) }
  }
}
