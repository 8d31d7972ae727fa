// SPDX-License-Identifier: Apache-2.0

// GRPCClient: calls typed methods over the shared HTTP/2 core.

internal import GRPC
internal import GRPCMethods
internal import HTTP2
internal import Logging
public import NIOCore
internal import NIOPosix
internal import Synchronization

/// A gRPC client: it finds the servers behind a name, connects to them, and spreads calls over them.
///
/// ```swift
/// let client = try GRPCClient(target: "dns:///user-service:50051")
/// let user = try await client.call(UserService.getUser, request, options: CallOptions(timeout: .seconds(2)))
/// await client.close(grace: .seconds(5))
/// ```
///
/// ```
///         ┌─ loop 1: balancer ─► subchannel (address) ─► connection ─► streams of calls
/// call ───┤                  └─► subchannel …
///         └─ loop 2: …           names: looked up once for all loops
/// ```
///
/// Connections are made when the first call comes. A client should live as long as its process: it is made to be
/// shared.
public final class GRPCClient: Sendable {
  let core: ClientCore
  private let loops: [ClientLoop]
  private let ownGroup: MultiThreadedEventLoopGroup?
  private let turn = Atomic(0)
  let gate = CallGate()

  /// A client of the servers behind a target: `dns:///host:port`, `host:port`, `static:host1:port,host2:port`,
  /// `ipv4:1.2.3.4:port`, `ipv6:[::1]:port`, `unix:/path`.
  ///
  /// `group` lends the event loops; nil makes threads of the client's own. Throws ``ClientTargetError``, or what is
  /// wrong with the TLS configuration.
  public convenience init(
    target: String, configuration: ClientConfiguration = ClientConfiguration(),
    interceptors: [any ClientInterceptor] = [], group: (any EventLoopGroup)? = nil
  ) throws {
    let target = try ClientTarget(target)
    try self.init(
      resolver: SystemResolver(target), authority: target.authority, hostName: target.hostName,
      configuration: configuration, interceptors: interceptors, group: group)
  }

  /// A client of the servers that a resolver finds. `authority` is what requests call the server by, and its host what
  /// a certificate is checked for.
  public convenience init(
    resolver: any NameResolver, authority: String, configuration: ClientConfiguration = ClientConfiguration(),
    interceptors: [any ClientInterceptor] = [], group: (any EventLoopGroup)? = nil
  ) throws {
    try self.init(
      resolver: resolver, authority: authority, hostName: try ClientTarget(authority).hostName,
      configuration: configuration, interceptors: interceptors, group: group)
  }

  /// A client of one server, to which `socket` gives connected sockets; each becomes the client's to close.
  package convenience init(
    connectedBy socket: @escaping @Sendable () async throws -> CInt, authority: String,
    configuration: ClientConfiguration, interceptors: [any ClientInterceptor]
  ) throws {
    try self.init(
      resolver: StaticResolver([try SocketAddress(unixDomainSocketPath: "/in-process")]), authority: authority,
      hostName: authority, configuration: configuration, interceptors: interceptors, group: nil, socket: socket)
  }

  private init(
    resolver: any NameResolver, authority: String, hostName: String, configuration: ClientConfiguration,
    interceptors: [any ClientInterceptor], group: (any EventLoopGroup)?, socket: Connector.Socket? = nil
  ) throws {
    core = ClientCore(
      configuration, authority: authority,
      connector: try Connector(configuration, hostName: hostName, socket: socket),
      resolution: Resolution(resolver, policy: configuration.resolving, logger: configuration.logger),
      interceptors: interceptors)
    let count = max(1, configuration.eventLoops)
    ownGroup = group == nil ? MultiThreadedEventLoopGroup(numberOfThreads: count) : nil
    let eventLoops: [any EventLoop] = (group ?? ownGroup).map { Array($0.makeIterator().prefix(count)) } ?? []
    loops = eventLoops.map { [core] in ClientLoop($0, core: core) }
    for loop in loops { core.stateChanged(.idle, of: loop) }
    core.resolution.onOutcome { [loops] outcome in
      for loop in loops {
        loop.eventLoop.execute {
          switch outcome {
          case .success(let addresses): loop.balancer.update(addresses)
          case .failure(let failure): loop.balancer.failedToResolve(failure.description)
          }
        }
      }
    }
  }

  // MARK: - State

  /// Whether calls can be made, as far as is known.
  public var state: ConnectivityState { core.state }

  /// The state now and every later one, until the client is closed. A slow reader misses what is overtaken.
  public var stateChanges: AsyncStream<ConnectivityState> { core.observe() }

  /// Begins to connect without a call.
  public func connect() {
    guard gate.enter() else { return }
    defer { gate.leave() }
    for loop in loops { loop.eventLoop.execute { if !loop.isClosed { loop.balancer.wakeUp() } } }
  }

  /// Looks the servers' addresses up now, and connects accordingly.
  public func refreshAddresses() async {
    guard gate.enter() else { return }
    await core.resolution.refresh()
    gate.leave()
  }

  // MARK: - The end

  /// Closes the client: calls are taken no more, those that run may end within the grace, and what is left then is cut
  /// off.
  public func close(grace: TimeAmount = .zero) async {
    guard gate.close() else { return }
    core.resolution.close()
    let closed = loops.map { loop in loop.eventLoop.flatSubmit { loop.close() } }
    let timer = loops.first?.eventLoop.scheduleTask(in: grace) { [loops] in
      for loop in loops { loop.eventLoop.execute { loop.stop() } }
    }
    for future in closed { try? await future.get() }
    timer?.cancel()
    endThreads()
  }

  deinit {
    // A client that nobody closed: its calls are over, for they hold it.
    guard gate.close() else { return }
    core.resolution.close()
    for loop in loops { loop.eventLoop.execute { loop.stop() } }
    endThreads()
  }

  /// Ends the client's own threads, as soon as no caller needs them any more.
  private func endThreads() {
    guard let ownGroup else { return }
    gate.whenEmpty { ownGroup.shutdownGracefully { _ in } }
  }

  // MARK: - Calls

  /// The loop for a call: the caller's own, or else each in turn.
  var nextLoop: ClientLoop {
    if loops.count > 1 {
      for loop in loops where loop.eventLoop.inEventLoop { return loop }
      let turn = turn.add(1, ordering: .relaxed).newValue
      return loops[Int(turn.magnitude % UInt(loops.count))]
    }
    return loops[0]
  }
}
