// SPDX-License-Identifier: Apache-2.0

// GRPCServer: serves typed methods over the shared HTTP/2 core.

internal import GRPC
internal import GRPCMethods
internal import HTTP2
public import NIOCore
public import NIOPosix
internal import NIOTransport
internal import Synchronization
internal import TLS

/// A gRPC server.
///
/// ```swift
/// let server = try await GRPCServer.start([greeter], on: [.tcp(host: "127.0.0.1", port: 50051)])
/// await server.shutdown(grace: .seconds(30))
/// ```
///
/// ```
/// listener ──connections, in turn──► loop 1: connections, their calls and handlers, one write a batch
///                              └───► loop 2: …
/// ```
public final class GRPCServer: Sendable {
  private enum Phase { case serving, draining, stopped }

  private struct State {
    var phase = Phase.serving
    var listeners: [any Channel] = []
    /// Calls of ``GRPCServer/shutdown(grace:)`` that need the event loops.
    var shutdowns = 0
  }

  /// Where it listens, with the ports that the system chose.
  public let addresses: [ListenAddress]

  private let core: ServerCore
  private let group: MultiThreadedEventLoopGroup
  private let ownsGroup: Bool
  private let loops: [ServerLoop]
  private let state: Mutex<State>
  private let turn = Atomic(0)

  private init(
    core: ServerCore, group: MultiThreadedEventLoopGroup, ownsGroup: Bool, loops: [ServerLoop], listeners: [Listener]
  ) {
    self.core = core
    self.group = group
    self.ownsGroup = ownsGroup
    self.loops = loops
    addresses = listeners.map(\.address)
    state = Mutex(State(listeners: listeners.map(\.channel)))
  }

  /// Starts to serve. Calls that no service has a handler for are the `fallback`'s; requests in other forms than
  /// gRPC's are the `translator`'s. `group` lends the event loops, all of them; nil makes threads of the server's own.
  /// Throws ``ServerStartError`` where it cannot listen, or a method has two handlers.
  public static func start(
    _ services: [Service], fallback: Fallback? = nil, translator: (any CallTranslator)? = nil,
    on addresses: [ListenAddress], interceptors: [any ServerInterceptor] = [],
    configuration: ServerConfiguration = ServerConfiguration(), group lent: MultiThreadedEventLoopGroup? = nil
  ) async throws -> GRPCServer {
    try check(services)
    let core = ServerCore(
      services: services, fallback: fallback, translator: translator, interceptors: interceptors,
      configuration: configuration)
    let group =
      lent ?? MultiThreadedEventLoopGroup(numberOfThreads: max(1, configuration.eventLoops ?? System.coreCount))
    let loops = group.makeIterator().map { ServerLoop($0, server: core) }
    var listeners: [Listener] = []
    do {
      for address in addresses { listeners.append(try await Listener.open(address, loops: loops, group: group)) }
    } catch {
      for listener in listeners { try? await listener.channel.close() }
      if lent == nil { try? await group.shutdownGracefully() }
      throw error
    }
    return GRPCServer(core: core, group: group, ownsGroup: lent == nil, loops: loops, listeners: listeners)
  }

  /// Calls whose handlers run.
  public var callsInFlight: Int { core.callsInFlight }

  /// Connections that are open.
  public var openConnections: Int { core.openConnections }

  /// The loop for the next connection that comes without a listener; nil once the server shuts down.
  var nextLoop: ServerLoop? {
    guard state.withLock({ $0.phase == .serving }) else { return nil }
    let turn = turn.add(1, ordering: .relaxed).newValue
    return loops[Int(turn.magnitude % UInt(loops.count))]
  }

  /// Ends the server: stops listening, asks every client to close, lets running calls finish, and cuts off what is left
  /// when the grace is over. A second call with less grace shortens the first one.
  ///
  /// No call is lost whose headers were read before its connection's last GOAWAY, as long as it ends within the grace.
  public func shutdown(grace: TimeAmount) async {
    let listeners = state.withLock { state -> [any Channel]? in
      guard state.phase != .stopped else { return nil }
      defer { state.listeners = [] }
      state.phase = .draining
      state.shutdowns += 1
      return state.listeners
    }
    guard let listeners else { return }
    for channel in listeners { try? await channel.close() }
    let drained = loops.map { loop in loop.executor.loop.flatSubmit { loop.drain() } }
    let timer = group.next().scheduleTask(in: grace) { [loops] in
      for loop in loops { loop.executor.loop.execute { loop.stop() } }
    }
    for future in drained { try? await future.get() }
    timer.cancel()
    let isLast = state.withLock { state in
      state.shutdowns -= 1
      if state.shutdowns == 0 { state.phase = .stopped }
      return state.phase == .stopped
    }
    if isLast, ownsGroup { try? await group.shutdownGracefully() }
  }

  private static func check(_ services: [Service]) throws(ServerStartError) {
    var paths: Set<String> = []
    for service in services {
      for handler in service.handlers {
        guard handler.method.service == service.name else {
          throw .foreignMethod(handler.method.fullName, service: service.name)
        }
        guard paths.insert(handler.method.path).inserted else { throw .duplicateMethod(handler.method.fullName) }
      }
    }
  }
}

/// Why a server cannot start.
public enum ServerStartError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The address cannot be listened on.
  case cannotListen(ListenAddress, reason: String)
  /// Two handlers for one method.
  case duplicateMethod(String)
  /// A handler of a service is for another's method.
  case foreignMethod(String, service: String)
  /// The server is shutting down.
  case notServing

  /// One line for a log or a terminal.
  public var description: String {
    switch self {
    case .cannotListen(let address, let reason): "cannot listen on \(address): \(reason)"
    case .duplicateMethod(let name): "the method \(name) has two handlers"
    case .foreignMethod(let name, let service): "the service \(service) has a handler for \(name)"
    case .notServing: "the server is shutting down"
    }
  }
}
