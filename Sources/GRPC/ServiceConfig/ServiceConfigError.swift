// SPDX-License-Identifier: Apache-2.0

/// Why a text is no service config.
public struct ServiceConfigError: Error, Equatable, Sendable {
  /// Where: `methodConfig[0].retryPolicy.maxAttempts`; empty for the document as a whole.
  public let path: String
  /// What is wrong there, in a few words.
  public let reason: String

  init(_ path: String, _ reason: String) {
    self.path = path
    self.reason = reason
  }

  /// One line: the place, then what is wrong.
  public var message: String { path.isEmpty ? reason : path + ": " + reason }
}
