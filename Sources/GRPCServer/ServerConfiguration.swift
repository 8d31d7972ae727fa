// SPDX-License-Identifier: Apache-2.0

public import GRPC
public import Logging
public import NIOTransport

/// Where a server listens.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
  /// A TCP port of a local address or name; port 0 lets the system choose one.
  case tcp(host: String, port: Int)
  /// A Unix socket. A stale file of an earlier run is replaced.
  case unix(path: String)

  /// The address as clients write it: `127.0.0.1:50051`, `[::]:50051`, `unix:/run/app.sock`.
  public var description: String {
    switch self {
    case .tcp(let host, let port) where host.utf8.contains(0x3A): "[\(host)]:\(port)"
    case .tcp(let host, let port): "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}

/// How a server works; the defaults suit a service that anybody can reach.
public struct ServerConfiguration: Sendable {
  /// What it takes upon itself for its clients.
  public var limits = ServerLimits()
  /// How long connections live.
  public var connections = ConnectionPolicy()
  /// How bytes are protected.
  public var security = TransportSecurity.plaintext
  /// Threads that move bytes and run handlers; nil for one a core.
  public var eventLoops: Int?
  /// Leading metadata of every answer, such as the name of this instance.
  public var responseHeaders = Metadata()
  /// Whose reasons failures have: where it is set, each that has no details of its own carries a
  /// `google.rpc.ErrorInfo` with this domain. The reason is a `ServerFailure` where the server itself failed the call,
  /// and the name of the status code where a handler did.
  public var errorDomain: String?
  /// Whether responses are compressed with gzip for clients that understand it.
  public var compressesResponses = false
  /// The least size of a message worth compressing, in bytes.
  public var compressionThreshold = 1_024
  /// Where the server says what happens to it and its connections; calls are an interceptor's to log.
  public var logger = Logger(label: "grpc.server", factory: { _ in SwiftLogNoOpLogHandler() })

  /// The configuration with its defaults.
  public init() {}
}
