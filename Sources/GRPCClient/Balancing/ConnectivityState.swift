// SPDX-License-Identifier: Apache-2.0

/// Whether calls can be made, as far as a client knows.
public enum ConnectivityState: Equatable, Sendable {
  /// There is no connection, because no call has asked for one.
  case idle
  /// Connections are being made; calls wait for them.
  case connecting
  /// There is a server for calls.
  case ready
  /// No server could be reached lately; calls fail unless they wait for one.
  case transientFailure
  /// The client is closed.
  case shutdown

  /// The best of the states of several event loops.
  static func best(of states: [ConnectivityState]) -> ConnectivityState {
    for state in [ready, connecting, idle, transientFailure] where states.contains(state) { return state }
    return .shutdown
  }
}
