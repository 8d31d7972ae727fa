// SPDX-License-Identifier: Apache-2.0

public import NIOCore

/// A task that waits for something that happens on an event loop, and can be cancelled meanwhile, or before it has
/// begun to wait.
///
/// Everything but ``value(_:)`` belongs to the loop's thread.
public final class Suspension<Value: Sendable>: @unchecked Sendable {
  private enum State {
    case idle
    case waiting(UnsafeContinuation<Value, any Error>)
    case over
  }

  private let loop: any EventLoop
  private var state = State.idle

  /// Something to wait for on a loop.
  public init(_ loop: any EventLoop) { self.loop = loop }

  /// Whether a task waits, and was not cancelled.
  public var isWaiting: Bool {
    if case .waiting = state { true } else { false }
  }

  /// Runs `begin` on the loop and waits until ``resume(_:)`` is called, now or later. Throws `CancellationError` once
  /// the task is cancelled. To be called once.
  public func value(_ begin: @escaping @Sendable () -> Void) async throws -> Value {
    try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { continuation in
        onLoop {
          guard case .idle = self.state else { return continuation.resume(throwing: CancellationError()) }
          self.state = .waiting(continuation)
          begin()
        }
      }
    } onCancel: {
      onLoop { self.cancel() }
    }
  }

  /// Lets the task go on. After a cancellation it does nothing.
  public func resume(_ result: Result<Value, any Error>) {
    guard case .waiting(let continuation) = state else { return }
    state = .over
    continuation.resume(with: result)
  }

  private func cancel() {
    if case .waiting(let continuation) = state { continuation.resume(throwing: CancellationError()) }
    state = .over
  }

  private func onLoop(_ body: @escaping @Sendable () -> Void) {
    if loop.inEventLoop { body() } else { loop.execute(body) }
  }
}
