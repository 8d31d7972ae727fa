// SPDX-License-Identifier: Apache-2.0

import GRPC
import HTTP2
import NIOCore
import NIOPosix
import NIOTransport
import Synchronization

@testable import GRPCClient

/// A server on loopback that does what a test says, frame by frame: on HTTP/2 as such, below gRPC.
final class ScriptedPeer: Sendable {
  /// One connection of it; it belongs to its loop.
  final class Connection: HTTP2ConnectionDelegate, @unchecked Sendable {
    let number: Int
    let http2: HTTP2Connection
    /// Requests in the order in which they came.
    var requests: [StreamID] = []
    private let script: Script
    private let ended: @Sendable () -> Void

    init(_ number: Int, _ http2: HTTP2Connection, _ script: @escaping Script, ended: @escaping @Sendable () -> Void) {
      self.number = number
      self.http2 = http2
      self.script = script
      self.ended = ended
      http2.delegate = self
    }

    func connectionOpened(_ connection: HTTP2Connection) {}

    func connection(_ connection: HTTP2Connection, received event: HTTP2Event) {
      if case .data(let id, _, let count, endStream: _) = event { http2.session.consume(id, count) }
      if case .headers(let id, _, kind: .request, endStream: _) = event { requests.append(id) }
      script(self, event)
      http2.setNeedsFlush()
    }

    func connectionEnded(_ connection: HTTP2Connection, _ end: ConnectionEnd) { ended() }

    /// Answers a request with a message and a status.
    func answer(_ id: StreamID, _ message: [UInt8]? = [], code: Int = 0, _ trailers: HeaderFields = []) {
      let head = [HeaderField(":status", "200"), HeaderField("content-type", "application/grpc")]
      let tail = [HeaderField("grpc-status", String(code))] + trailers
      guard let message else { return (try? http2.session.submitHeaders(id, head + tail, endStream: true)) ?? () }
      try? http2.session.submitHeaders(id, head, endStream: false)
      try? http2.session.send(MessageFrame(message).bytes, on: id, endStream: false)
      try? http2.session.submitTrailers(id, tail)
    }
  }

  /// What to do about an event.
  typealias Script = @Sendable (Connection, HTTP2Event) -> Void

  let port: Int
  private let channel: any Channel
  private let group: MultiThreadedEventLoopGroup
  private let connections = Mutex<[Connection]>([])
  let openConnections = Counter()
  let endedConnections = Counter()

  init(limits: HTTP2Limits = .server, _ script: @escaping Script) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let handler = Mutex<(@Sendable (HTTP2Connection) -> Void)?>(nil)
    let channel = try await ServerBootstrap(group: group)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let http2 = HTTP2Connection(
            session: try HTTP2Session(role: .server, limits: limits), tls: nil,
            executor: LoopExecutor(channel.eventLoop))
          handler.withLock { $0 }?(http2)
          try channel.pipeline.syncOperations.addHandler(http2)
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    self.group = group
    self.channel = channel
    port = channel.localAddress?.port ?? 0
    handler.withLock { handler in
      handler = { [weak self] http2 in
        guard let self else { return }
        let number = openConnections.increment()
        let ended = endedConnections
        let connection = Connection(number, http2, script) { ended.increment() }
        connections.withLock { $0.append(connection) }
      }
    }
  }

  /// Does something with the latest connection, on its loop.
  func onLatest(_ body: @escaping @Sendable (Connection) -> Void) {
    guard let connection = connections.withLock({ $0.last }) else { return }
    group.next().execute {
      body(connection)
      connection.http2.setNeedsFlush()
    }
  }

  func stop() async {
    try? await channel.close()
    for connection in connections.withLock({ $0 }) { group.next().execute { connection.http2.abort() } }
    try? await group.shutdownGracefully()
  }
}

/// A server on loopback that says some bytes to each connection and then nothing.
final class MutePeer: Sendable {
  let port: Int
  private let channel: any Channel
  private let group: MultiThreadedEventLoopGroup

  private final class Speaker: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    let words: [UInt8]
    init(_ words: [UInt8]) { self.words = words }
    func channelActive(context: ChannelHandlerContext) {
      context.writeAndFlush(NIOAny(ByteBuffer(bytes: words)), promise: nil)
    }
  }

  init(_ words: [UInt8]) async throws {
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    channel = try await ServerBootstrap(group: group)
      .childChannelInitializer { $0.pipeline.addHandler(Speaker(words)) }
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress?.port ?? 0
  }

  func stop() async {
    try? await channel.close()
    try? await group.shutdownGracefully()
  }
}

/// An empty SETTINGS frame.
let emptySettings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]

/// A client of a port on loopback, for a while.
func withClient(
  of ports: [Int], _ change: (inout ClientConfiguration) -> Void = { _ in },
  interceptors: [any ClientInterceptor] = [], _ body: (GRPCClient, ChangingResolver) async throws -> Void
) async throws {
  let resolver = ChangingResolver(ports)
  let client = try GRPCClient(
    resolver: resolver, authority: "test:1", configuration: quickConfiguration(change), interceptors: interceptors)
  let result: Result<Void, any Error>
  do { result = .success(try await body(client, resolver)) } catch { result = .failure(error) }
  await client.close(grace: .seconds(10))
  try result.get()
}
