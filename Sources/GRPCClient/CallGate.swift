// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Counts the calls of a client from their first step to their last, so that its threads end after them and not before.
final class CallGate: Sendable {
  private struct State {
    var calls = 0
    var isClosed = false
    var whenEmpty: (@Sendable () -> Void)?

    mutating func takeAction() -> (@Sendable () -> Void)? {
      guard isClosed, calls == 0 else { return nil }
      defer { whenEmpty = nil }
      return whenEmpty
    }
  }

  private let state = Mutex(State())

  /// Lets a call in; false once the gate is closed.
  func enter() -> Bool {
    state.withLock { state in
      if !state.isClosed { state.calls += 1 }
      return !state.isClosed
    }
  }

  /// A call that was let in is over.
  func leave() {
    let action = state.withLock { state in
      state.calls -= 1
      return state.takeAction()
    }
    action?()
  }

  /// Lets no more calls in; false where the gate was closed before.
  func close() -> Bool {
    state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
  }

  /// Does something once all calls are over; after ``close()``.
  func whenEmpty(_ action: @escaping @Sendable () -> Void) {
    let action = state.withLock { state in
      state.whenEmpty = action
      return state.takeAction()
    }
    action?()
  }
}
