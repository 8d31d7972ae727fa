// SPDX-License-Identifier: Apache-2.0

internal import HTTP2
internal import NIOCore
internal import NIOPosix
internal import NIOTransport
internal import Synchronization
internal import Sys
internal import TLS

/// Makes connections, as the client's configuration says.
struct Connector: Sendable {
  /// What a client gets in place of a connection that it makes itself.
  typealias Socket = @Sendable () async throws -> CInt

  private let tls: TLSContextSource?
  private let tickets = TicketStore()
  private let limits: HTTP2Limits
  private let timeout: TimeAmount
  private let socket: Socket?

  /// A connector. Throws what is wrong with the TLS configuration.
  init(_ configuration: ClientConfiguration, hostName: String, socket: Socket?) throws(TLSConfigurationError) {
    switch configuration.security {
    case .plaintext: tls = nil
    case .tlsSource(let source): tls = source
    case .tls(var tls):
      if tls.serverName == nil { tls.serverName = hostName }
      if tls.alpn.isEmpty { tls.alpn = ["h2"] }
      self.tls = TLSContextSource(try TLSContext(client: tls))
    }
    limits = configuration.limits.http2
    timeout = configuration.connecting.timeout
    self.socket = socket
  }

  /// Begins to connect; on the loop's thread. What comes of it the connection tells its owner.
  func connect(
    to address: NIOCore.SocketAddress, name: String, on loop: ClientLoop, keepaliveTime: TimeAmount?,
    owner: any ClientConnectionOwner
  ) throws -> ClientConnection {
    let session = try HTTP2Session(role: .client, limits: limits)
    let security: TLSSession? =
      switch tls {
      case nil: nil
      case let source?: try TLSSession(source.context, resuming: tickets.take(for: name))
      }
    let http2 = HTTP2Connection(session: session, tls: security, executor: loop.executor)
    let connection = ClientConnection(
      http2, name: name, loop: loop, keepaliveTime: keepaliveTime, owner: owner)
    let bootstrap = ClientBootstrap(group: loop.eventLoop)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .connectTimeout(timeout)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          // It may have been given up meanwhile.
          guard !http2.isEnded else { throw ChannelError.ioOnClosedChannel }
          if address.port != nil { try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1) }
          try channel.pipeline.syncOperations.addHandler(http2)
        }
      }
    start(bootstrap, address, loop.eventLoop).whenFailure { error in
      // Never before the owner has the connection.
      loop.eventLoop.execute { http2.abort(.socket(error)) }
    }
    loop.eventLoop.scheduleTask(in: timeout) { [weak connection] in
      guard let connection, connection.phase == .connecting else { return }
      connection.end("\(connection.progress) within \(timeout.nanoseconds / 1_000_000) ms")
    }
    return connection
  }

  /// Keeps what the server of a connection gave to resume its session with.
  func keepTicket(of http2: HTTP2Connection, name: String) {
    if let ticket = http2.takeResumptionTicket() { tickets.keep(ticket, from: name) }
  }

  private func start(
    _ bootstrap: ClientBootstrap, _ address: NIOCore.SocketAddress, _ loop: any EventLoop
  ) -> EventLoopFuture<any Channel> {
    guard let socket else { return bootstrap.connect(to: address) }
    return loop.makeFutureWithTask { try await socket() }.assumeIsolated()
      .flatMap { bootstrap.withConnectedSocket($0) }.nonisolated()
  }
}

/// What went wrong with a socket, in words.
enum ErrorText {
  /// The system's text for an error number.
  static func describe(_ number: Int32) -> String { SystemError("connect", errno: number).text }

  /// The text for any error.
  static func describe(_ error: any Error) -> String {
    switch error {
    case let error as IOError: describe(error.errnoCode)
    case ChannelError.connectTimeout: "no answer to connecting in time"
    default: "the socket failed"
    }
  }
}

extension ClientLimits {
  /// The limits of a connection.
  var http2: HTTP2Limits {
    var limits = HTTP2Limits.client
    limits.announcesNoPush = true
    limits.announcesMaxHeaderListSize = true
    limits.maxHeaderListSize = headerListSize
    limits.initialWindowSize = streamWindow
    limits.connectionWindowSize = max(65_535, connectionWindow)
    return limits
  }
}
