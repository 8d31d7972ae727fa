// SPDX-License-Identifier: Apache-2.0

public import GRPCClient
internal import Synchronization

/// A server, or several behind one name, that calls are passed on to.
public final class Backend: Sendable {
  /// What is known of a backend.
  struct State {
    /// What it serves; nil until it has told.
    var schema: BackendSchema?
    /// What is wrong with it; nil where nothing is.
    var problem: String? = "has not answered yet"
  }

  /// The name in logs and messages.
  public let name: String
  let client: GRPCClient
  private let state = Mutex(State())

  /// A backend behind a client, which becomes the gateway's to close.
  public init(name: String, client: GRPCClient) {
    self.name = name
    self.client = client
  }

  /// What it serves, as far as it has told.
  var schema: BackendSchema? { state.withLock { $0.schema } }

  /// What is wrong with it, in one line that names it; nil where nothing is.
  var problem: String? { state.withLock { $0.problem }.map { "backend \(name): \($0)" } }

  /// Takes note of what it told; true where that is something else than before.
  func told(_ schema: BackendSchema) -> Bool {
    state.withLock { state in
      defer { state = State(schema: schema, problem: nil) }
      return state.schema != schema
    }
  }

  /// Takes note of a failure; what was told before goes on counting. True where it is another failure than before.
  func failed(_ problem: String) -> Bool {
    state.withLock { state in
      defer { state.problem = problem }
      return state.problem != problem
    }
  }
}
