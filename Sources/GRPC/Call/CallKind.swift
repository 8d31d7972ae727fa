// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The four kinds of call: how many messages go each way.
public enum CallKind: Equatable, Sendable {
  /// One request, one response.
  case unary
  /// One request, any number of responses.
  case serverStreaming
  /// Any number of requests, one response.
  case clientStreaming
  /// Any number of both, independent of each other.
  case bidirectional

  /// The kind of a method by what its schema says of either side.
  public init(isClientStreaming: Bool, isServerStreaming: Bool) {
    switch (isClientStreaming, isServerStreaming) {
    case (false, false): self = .unary
    case (false, true): self = .serverStreaming
    case (true, false): self = .clientStreaming
    case (true, true): self = .bidirectional
    }
  }

  /// Whether the server answers with exactly one message.
  public var hasOneResponse: Bool { self == .unary || self == .clientStreaming }
}

/// The largest message that is accepted unless the user says otherwise: the 4 MiB that gRPC's implementations share.
public let defaultReceiveLimit = 4 << 20

/// Whether a content type is gRPC's: `application/grpc`, alone or followed by `+` and a codec or `;` and parameters.
public func isGRPC(contentType: String) -> Bool {
  if contentType == "application/grpc" { return true }
  guard let rest = contentType.asciiLowercased.after("application/grpc") else { return false }
  return rest.isEmpty || rest.utf8.first == 0x2B || rest.utf8.first == 0x3B
}
