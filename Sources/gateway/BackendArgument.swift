// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import GRPCClient

/// A backend on the command line: `user-service:50051`, or with a name of its own, `users=dns:///user-service:50051`.
struct BackendArgument: ExpressibleByArgument, Sendable {
  /// The name in logs and messages.
  let name: String
  /// Where its servers are, as `GRPCClient` understands it.
  let target: String

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    target = parts.last ?? ""
    name = parts.count == 2 ? parts[0] : target
    guard !name.isEmpty, !target.isEmpty else { return nil }
  }
}
