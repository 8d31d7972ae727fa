// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Whether the process takes calls.
public enum Readiness: Equatable, Sendable {
  /// It does.
  case ready
  /// It does not, with the reason in one line.
  case notReady(String)
}

/// The port for those who look after the process, apart from its service: HTTP/1.1 on a thread of its own.
///
/// | path | answer |
/// |---|---|
/// | `/metrics` | 200 and all metrics in Prometheus' text format |
/// | `/healthz` | 200 while the process works |
/// | `/readyz` | 200, or 503 and the reason |
///
/// It has neither encryption nor authentication and shows what the process does: it belongs on loopback or on a network
/// of its own.
public final class AdminServer: Sendable {
  /// What a client may take up.
  public struct Limits: Sendable {
    /// Connections at one time; further ones are closed at once.
    public var connections = 64
    /// Bytes of a request's header section.
    public var headerBytes = 16 << 10
    /// Fields of a request's header section.
    public var headerFields = 100
    /// Bytes of a request's body, which is read and passed over.
    public var bodyBytes = 4 << 10
    /// Seconds within which a connection's first request, or the next one after an answer, must have arrived.
    public var requestSeconds: Int64 = 30

    /// The limits that are enough for scrapers and probes.
    public init() {}
  }

  private let group: MultiThreadedEventLoopGroup
  private let channel: any Channel
  private let connections: AdminConnections

  /// The port that the server listens on.
  public let port: Int

  private init(
    group: MultiThreadedEventLoopGroup, channel: any Channel, connections: AdminConnections
  ) {
    self.group = group
    self.channel = channel
    self.connections = connections
    port = channel.localAddress?.port ?? 0
  }

  /// Starts to listen; port 0 takes a free one. `readiness` is asked for each `/readyz`, on the server's own thread: it
  /// looks at what is known and never waits.
  ///
  /// Throws the error of the operating system where the address cannot be had.
  public static func start(
    host: String, port: Int, registry: MetricsRegistry, limits: Limits = Limits(),
    readiness: @escaping @Sendable () -> Readiness
  ) async throws -> AdminServer {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let connections = AdminConnections(limit: limits.connections)
    let pages = AdminPages(registry: registry, readiness: readiness)
    do {
      let channel = try await ServerBootstrap(group: group)
        .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
          guard connections.add(channel) else { return channel.close() }
          return channel.eventLoop.makeCompletedFuture {
            var decoding = NIOHTTPDecoderLimitConfiguration()
            decoding.maxHeaderFieldSize = limits.headerBytes
            decoding.maxHeaderListSize = limits.headerBytes
            decoding.maxHeaderFieldCount = limits.headerFields
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(
              withEncoderConfiguration: HTTPResponseEncoder.Configuration(), withDecoderLimitConfiguration: decoding)
            try pipeline.addHandler(AdminHandler(pages: pages, limits: limits))
          }
        }
        .bind(host: host, port: port).get()
      return AdminServer(group: group, channel: channel, connections: connections)
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
  }

  /// Stops listening, closes what is open and gives the thread back.
  public func stop() async {
    try? await channel.close()
    connections.closeAll()
    try? await group.shutdownGracefully()
  }
}
