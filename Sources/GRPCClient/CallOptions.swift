// SPDX-License-Identifier: Apache-2.0

public import GRPC
public import NIOCore

/// What one call does otherwise than its client.
public struct CallOptions: Sendable {
  /// The longest time of the call. The earlier of it, the method's configured timeout and the deadline of the call that
  /// the current task handles counts.
  public var timeout: TimeAmount?
  /// Entries that go out with the call, beside those that the current `CallScope` lends.
  public var metadata: Metadata
  /// Whether the call waits while no server can be reached, and does not fail with UNAVAILABLE; nil leaves it to the
  /// method's configuration.
  public var waitsForReady: Bool?
  /// Whether request messages are compressed; nil leaves it to the client.
  public var compressesRequests: Bool?
  /// The name that the request calls the server by; nil leaves it to the client.
  public var authority: String?

  /// Options; nil leaves a choice to the client.
  public init(
    timeout: TimeAmount? = nil, metadata: Metadata = Metadata(), waitsForReady: Bool? = nil,
    compressesRequests: Bool? = nil, authority: String? = nil
  ) {
    self.timeout = timeout
    self.metadata = metadata
    self.waitsForReady = waitsForReady
    self.compressesRequests = compressesRequests
    self.authority = authority
  }
}

/// A response with what came before and after it.
public struct Answer<Message: Sendable>: Sendable {
  /// The response.
  public let message: Message
  /// The server's leading metadata.
  public let headers: Metadata
  /// The server's trailing metadata.
  public let trailers: Metadata
}
