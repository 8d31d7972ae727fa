// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import HTTP2
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOTransport
internal import TLS

/// A socket that listens, and hands its connections to the loops in turn.
///
/// One listener and not one a loop (SO_REUSEPORT): the kernel spreads connections over those by a hash, so that few
/// long-lived ones often meet on one loop, and a connection that waits in the queue of a listener that closes is reset.
/// Measured, it accepts no faster: see docs/threading.md.
struct Listener {
  let channel: any Channel
  let address: ListenAddress

  /// Connections that wait to be accepted.
  private static let backlog: Int32 = 1_024

  static func open(
    _ address: ListenAddress, loops: [ServerLoop], group: MultiThreadedEventLoopGroup
  ) async throws(ServerStartError) -> Listener {
    let byLoop = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0.executor.loop), $0) })
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: backlog)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let loop = byLoop[ObjectIdentifier(channel.eventLoop)] else {
            throw ChannelError.inappropriateOperationForState
          }
          try accept(channel, on: loop)
        }
      }
    do {
      switch address {
      case .tcp(let host, let port):
        let channel = try await bind(bootstrap, host: host, port: port)
        return Listener(channel: channel, address: .tcp(host: host, port: channel.localAddress?.port ?? port))
      case .unix(let path):
        let channel = try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        return Listener(channel: channel, address: address)
      }
    } catch {
      throw .cannotListen(address, reason: reason(error))
    }
  }

  /// Literal addresses are not looked up: a resolver may hold back a family of which the machine has no address yet.
  private static func bind(_ bootstrap: ServerBootstrap, host: String, port: Int) async throws -> any Channel {
    guard let address = try? SocketAddress(ipAddress: host, port: port) else {
      return try await bootstrap.bind(host: host, port: port).get()
    }
    do { return try await bootstrap.bind(to: address).get() } catch let error as IOError
      where host == "::" && [EAFNOSUPPORT, EADDRNOTAVAIL].contains(error.errnoCode)
    {
      // Every address of a machine without IPv6.
      return try await bootstrap.bind(host: "0.0.0.0", port: port).get()
    }
  }

  private static func reason(_ error: any Error) -> String {
    if let error = error as? IOError { String(cString: strerror(error.errnoCode)) } else { "\(error)" }
  }

  /// Makes a connection of an accepted channel, on its loop's thread. Throwing closes the channel.
  static func accept(_ channel: any Channel, on loop: ServerLoop) throws {
    let server = loop.server
    guard server.admitConnection() else {
      server.logger.warning("a connection was refused: there are as many as the server takes")
      throw ChannelError.operationUnsupported
    }
    do {
      if channel.localAddress?.port != nil {
        try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
      }
      let tls: TLSSession? =
        switch server.configuration.security {
        case .plaintext: nil
        case .tls(let source): try TLSSession(source.context)
        }
      guard server.translator != nil else { return loop.add(try addHTTP2(to: channel, tls, .last, loop)) }
      let choice = ProtocolSwitch(
        owner: loop, http1: { channel, choice in try addHTTP1(to: channel, after: choice, loop) },
        http2: { channel, choice in try addHTTP2(to: channel, nil, .after(choice), loop, choice.securityFacts) })
      if let tls { try channel.pipeline.syncOperations.addHandler(TLSHandler(tls)) }
      try channel.pipeline.syncOperations.addHandler(choice)
      loop.add(choice)
    } catch {
      server.connectionEnded()
      throw error
    }
  }

  private static func addHTTP2(
    to channel: any Channel, _ tls: consuming TLSSession?,
    _ position: ChannelPipeline.SynchronousOperations.Position, _ loop: ServerLoop,
    _ securityFacts: TLSPeerFacts? = nil
  ) throws -> ServerConnection {
    let session = try HTTP2Session(role: .server, limits: loop.server.configuration.limits.http2)
    let http2 = HTTP2Connection(session: session, tls: tls, executor: loop.executor, securityFacts: securityFacts)
    let connection = ServerConnection(http2, remoteAddress: describe(channel.remoteAddress), owner: loop)
    try channel.pipeline.syncOperations.addHandler(http2, position: position)
    return connection
  }

  private static func addHTTP1(
    to channel: any Channel, after choice: ProtocolSwitch, _ loop: ServerLoop
  ) throws -> HTTP1Connection {
    let peer = Peer(address: describe(channel.remoteAddress), security: choice.securityFacts)
    let connection = HTTP1Connection(peer: peer, owner: loop)
    try channel.pipeline.syncOperations.addHandlers(connection.handlers, position: .after(choice))
    return connection
  }

  /// A peer's address in the form that gRPC's libraries log.
  private static func describe(_ address: SocketAddress?) -> String {
    switch address {
    case .v4: "ipv4:\(address?.ipAddress ?? ""):\(address?.port ?? 0)"
    case .v6: "ipv6:[\(address?.ipAddress ?? "")]:\(address?.port ?? 0)"
    case .unixDomainSocket: "unix:"
    case nil: "unknown"
    }
  }
}
