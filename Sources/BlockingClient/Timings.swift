// SPDX-License-Identifier: Apache-2.0

internal import Sys

/// How long each step of a connection took, in nanoseconds; nil for a step that did not happen or end.
public struct Timings: Equatable, Sendable {
  /// Name to addresses.
  public var resolve: Int64?
  /// Addresses to a connection.
  public var connect: Int64?
  /// The proxy's tunnel.
  public var proxy: Int64?
  /// The TLS handshake.
  public var tls: Int64?
  /// From there to the server's SETTINGS.
  public var settings: Int64?

  /// No step yet.
  public init() {}

  /// Runs a step and says how long it took, whether it succeeded or not.
  static func measure<T: ~Copyable, E: Error>(_ time: inout Int64?, _ step: () throws(E) -> T) throws(E) -> T {
    let start = Instant.now
    defer { time = Instant.now.nanoseconds(since: start) }
    return try step()
  }
}
