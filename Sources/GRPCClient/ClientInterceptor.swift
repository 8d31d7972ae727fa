// SPDX-License-Identifier: Apache-2.0

/// Something that every call passes through, of whichever kind: metadata, tracing, metrics.
///
/// ```swift
/// struct Token: ClientInterceptor {
///   let value: String
///   func intercept(_ context: ClientContext, next: () async throws -> Void) async throws {
///     try context.metadata.append("authorization", "Bearer " + value)
///     try await next()
///   }
/// }
/// ```
///
/// The first interceptor of a client is the outermost: it sees a call first and its outcome last. It runs once a call,
/// however often the call is sent: ``ClientContext/attempts`` tells.
public protocol ClientInterceptor: Sendable {
  /// Runs around the call: what comes before `next()` happens before it is sent, and what comes after it, after its
  /// end. Throwing instead of calling it fails the call; an error that it throws is the call's outcome, and can be
  /// replaced by another.
  func intercept(_ context: ClientContext, next: () async throws -> Void) async throws

  /// Whether ``sending(_:_:)`` and ``received(_:_:)`` are to be called.
  var seesMessages: Bool { get }

  /// Looks at a request's message before it is encoded. Throwing ends the call.
  func sending<Message: Sendable>(_ message: Message, _ context: ClientContext) throws

  /// Looks at a response's message before the caller does. Throwing ends the call.
  func received<Message: Sendable>(_ message: Message, _ context: ClientContext) throws
}

extension ClientInterceptor {
  /// Nothing around the call.
  public func intercept(_ context: ClientContext, next: () async throws -> Void) async throws { try await next() }

  /// No messages.
  public var seesMessages: Bool { false }

  /// Nothing.
  public func sending<Message: Sendable>(_ message: Message, _ context: ClientContext) throws {}

  /// Nothing.
  public func received<Message: Sendable>(_ message: Message, _ context: ClientContext) throws {}
}

/// A client's interceptors, in their order.
struct ClientInterceptorChain: Sendable {
  private let all: [any ClientInterceptor]
  private let observers: [any ClientInterceptor]

  init(_ interceptors: [any ClientInterceptor]) {
    all = interceptors
    observers = interceptors.filter(\.seesMessages)
  }

  func run(_ context: ClientContext, _ body: () async throws -> Void) async throws {
    try await run(from: 0, context, body)
  }

  private func run(from index: Int, _ context: ClientContext, _ body: () async throws -> Void) async throws {
    guard index < all.count else { return try await body() }
    try await all[index].intercept(context) { try await run(from: index + 1, context, body) }
  }

  func sending<Message: Sendable>(_ message: Message, _ context: ClientContext) throws {
    for observer in observers { try observer.sending(message, context) }
  }

  func received<Message: Sendable>(_ message: Message, _ context: ClientContext) throws {
    for observer in observers.reversed() { try observer.received(message, context) }
  }
}
