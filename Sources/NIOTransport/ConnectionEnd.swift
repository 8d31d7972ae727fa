// SPDX-License-Identifier: Apache-2.0

public import HTTP2
internal import NIOCore
public import TLS

/// Why a connection is over.
public enum ConnectionEnd: Sendable {
  /// This side was done with it.
  case closedByUs
  /// The peer closed it, in an orderly way or not.
  case closedByPeer
  /// A rule or a limit of HTTP/2 was broken, or the peer speaks something else.
  case http2(HTTP2Error)
  /// TLS failed, in the handshake or after it.
  case tls(TLSFailure)
  /// The socket failed.
  case socket(any Error)

  /// One line for logs; nothing in it comes from the peer.
  public var reason: String {
    switch self {
    case .closedByUs: "closed by this side"
    case .closedByPeer: "closed by the peer"
    case .http2(let error): error.message
    case .tls(let failure): "TLS: " + (failure.detail.isEmpty ? "the session failed" : failure.detail)
    case .socket(let error): (error as? IOError)?.description ?? "the socket failed"
    }
  }

  /// The error number of a failed socket.
  public var socketErrorNumber: Int32? {
    if case .socket(let error) = self { (error as? IOError)?.errnoCode } else { nil }
  }
}
