// SPDX-License-Identifier: Apache-2.0

/// Something that every call passes through, of whichever kind: metadata, tracing, metrics.
///
/// ```swift
/// struct Token: ClientInterceptor {
///   let value: String
///   func intercept(_ context: ClientContext, next: ClientNext) async throws {
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
  func intercept(_ context: ClientContext, next: ClientNext) async throws

  /// Whether ``sending(_:_:)`` and ``received(_:_:)`` are to be called.
  var seesMessages: Bool { get }

  /// Looks at a request's message before it is encoded. Throwing ends the call.
  func sending<Message: Sendable>(_ message: Message, _ context: ClientContext) throws

  /// Looks at a response's message before the caller does. Throwing ends the call.
  func received<Message: Sendable>(_ message: Message, _ context: ClientContext) throws

  /// Whether ``attemptBegan(_:)`` and ``attemptEnded(_:_:)`` are to be called.
  var seesAttempts: Bool { get }

  /// An attempt to have the call answered began: its first, or one more.
  func attemptBegan(_ context: ClientContext)

  /// An attempt that began ended; each does, once, and at the latest when the call does.
  func attemptEnded(_ attempt: AttemptFacts, _ context: ClientContext)
}

/// What comes after an interceptor: the next one, and at last the call itself.
///
/// A type of its own and not a closure: the same closure's type means one thing in modules where async functions stay
/// on their caller's executor and another where they do not, and an interceptor of the one kind would silently not be
/// one in the other.
///
/// It is not to be kept: whoever made the call waits for the interceptor, and that is what makes it safe to hand over.
public struct ClientNext: @unchecked Sendable {
  let body: () async throws -> Void

  /// Goes on. Throws what became of the call, where that is no success. A second time makes the call once more.
  public func callAsFunction() async throws { try await body() }
}

extension ClientInterceptor {
  /// Nothing around the call.
  public func intercept(_ context: ClientContext, next: ClientNext) async throws { try await next() }

  /// No messages.
  public var seesMessages: Bool { false }

  /// Nothing.
  public func sending<Message: Sendable>(_ message: Message, _ context: ClientContext) throws {}

  /// Nothing.
  public func received<Message: Sendable>(_ message: Message, _ context: ClientContext) throws {}

  /// No attempts.
  public var seesAttempts: Bool { false }

  /// Nothing.
  public func attemptBegan(_ context: ClientContext) {}

  /// Nothing.
  public func attemptEnded(_ attempt: AttemptFacts, _ context: ClientContext) {}
}

/// A client's interceptors, in their order.
struct ClientInterceptorChain: Sendable {
  private let all: [any ClientInterceptor]
  private let observers: [any ClientInterceptor]
  private let attemptObservers: [any ClientInterceptor]

  init(_ interceptors: [any ClientInterceptor]) {
    all = interceptors
    observers = interceptors.filter(\.seesMessages)
    attemptObservers = interceptors.filter(\.seesAttempts)
  }

  /// Runs a call through the interceptors from one on.
  func run(_ context: ClientContext, from index: Int = 0, _ body: @escaping () async throws -> Void) async throws {
    guard index < all.count else { return try await body() }
    let next = ClientNext { try await run(context, from: index + 1, body) }
    try await all[index].intercept(context, next: next)
  }

  func sending<Message: Sendable>(_ message: Message, _ context: ClientContext) throws {
    for observer in observers { try observer.sending(message, context) }
  }

  func received<Message: Sendable>(_ message: Message, _ context: ClientContext) throws {
    for observer in observers.reversed() { try observer.received(message, context) }
  }

  func attemptBegan(_ context: ClientContext) {
    for observer in attemptObservers { observer.attemptBegan(context) }
  }

  func attemptEnded(_ attempt: AttemptFacts, _ context: ClientContext) {
    for observer in attemptObservers.reversed() { observer.attemptEnded(attempt, context) }
  }
}
