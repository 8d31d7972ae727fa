// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCMethods
import GRPCServer
import InProcess
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import GRPCClient

/// Methods of all kinds with bytes for messages, so that every test says itself what they are.
enum Echo {
  static let service = "test.Echo"
  typealias Bytes = [UInt8]

  /// Answers what it got.
  static let one = Method<Unary, Bytes, Bytes>(service: service, name: "One", request: .bytes, response: .bytes)
  /// Answers as many messages as the request has bytes, each one byte.
  static let many = Method<ServerStreaming, Bytes, Bytes>(
    service: service, name: "Many", request: .bytes, response: .bytes)
  /// Answers all requests in one.
  static let sum = Method<ClientStreaming, Bytes, Bytes>(
    service: service, name: "Sum", request: .bytes, response: .bytes)
  /// Answers each request.
  static let chat = Method<Bidirectional, Bytes, Bytes>(
    service: service, name: "Chat", request: .bytes, response: .bytes)

  /// The handlers, with the unary one of the caller's choice.
  static func implementation(
    name: String = "",
    one: @escaping @Sendable (Bytes, ServerContext) async throws -> Bytes = { request, _ in request }
  ) -> Service {
    @Sendable func introduce(_ context: ServerContext) {
      if !name.isEmpty { try? context.responseHeaders.append("x-served-by", name) }
      for entry in context.metadata.entries where entry.name.hasPrefix("x-") {
        try? context.responseHeaders.append(entry.name, entry.wireValue)
        try? context.responseTrailers.append(entry.name, entry.wireValue)
      }
    }
    return Service(
      service,
      [
        handle(Self.one) { request, context in
          introduce(context)
          return try await one(request, context)
        },
        handle(Self.many) { request, writer, context in
          introduce(context)
          for byte in request { try await writer.write([byte]) }
        },
        handle(Self.sum) { requests, context in
          introduce(context)
          var all: Bytes = []
          for try await request in requests { all += request }
          return all
        },
        handle(Self.chat) { requests, writer, context in
          introduce(context)
          for try await request in requests { try await writer.write(request) }
        },
      ])
  }
}

/// A server on loopback.
func startServer(
  _ services: [Service] = [Echo.implementation()], port: Int = 0,
  _ change: (inout ServerConfiguration) -> Void = { _ in }
) async throws -> (server: GRPCServer, port: Int) {
  var configuration = ServerConfiguration()
  configuration.eventLoops = 1
  change(&configuration)
  let server = try await GRPCServer.start(
    services, on: [.tcp(host: "127.0.0.1", port: port)], configuration: configuration)
  guard case .tcp(_, let port) = server.addresses[0] else { throw TestFailure("no port") }
  return (server, port)
}

/// A client whose failures are over soon.
func quickConfiguration(_ change: (inout ClientConfiguration) -> Void = { _ in }) -> ClientConfiguration {
  var configuration = ClientConfiguration()
  configuration.connecting.backoff = Backoff(initial: .milliseconds(20), maximum: .milliseconds(100))
  configuration.resolving.minInterval = .milliseconds(5)
  configuration.resolving.backoff = Backoff(initial: .milliseconds(20), maximum: .milliseconds(100))
  change(&configuration)
  return configuration
}

/// Runs a body with a client in the same process as its server, and closes both.
func withEcho(
  _ services: [Service] = [Echo.implementation()], server change: (inout ServerConfiguration) -> Void = { _ in },
  client configure: (inout ClientConfiguration) -> Void = { _ in }, interceptors: [any ClientInterceptor] = [],
  _ body: (GRPCClient) async throws -> Void
) async throws {
  var configuration = ServerConfiguration()
  configuration.eventLoops = 1
  change(&configuration)
  let server = try await GRPCServer.start(services, on: [], configuration: configuration)
  let client = try GRPCClient(
    inProcess: server, configuration: quickConfiguration(configure), interceptors: interceptors)
  let result: Result<Void, any Error>
  do { result = .success(try await body(client)) } catch { result = .failure(error) }
  await client.close(grace: .seconds(10))
  await server.shutdown(grace: .seconds(10))
  try result.get()
}

/// Addresses that a test changes as it goes.
final class ChangingResolver: NameResolver {
  private let addresses: Mutex<Result<[Int], ResolveFailure>>
  let count = Atomic(0)

  init(_ ports: [Int]) { addresses = Mutex(.success(ports)) }

  init(failing why: String) { addresses = Mutex(.failure(ResolveFailure(why))) }

  func set(_ ports: [Int]) { addresses.withLock { $0 = .success(ports) } }

  func fail(_ why: String) { addresses.withLock { $0 = .failure(ResolveFailure(why)) } }

  func resolve() async throws -> [SocketAddress] {
    count.add(1, ordering: .relaxed)
    return try addresses.withLock { try $0.get() }.map { try SocketAddress(ipAddress: "127.0.0.1", port: $0) }
  }
}

/// A listener whose queue is full, so that nobody who connects hears a word: neither acceptance nor refusal.
final class SilentListener: Sendable {
  let port: Int
  private let group: MultiThreadedEventLoopGroup

  init() async throws {
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    // Without reading, it accepts nobody.
    let channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 0)
      .serverChannelOption(.autoRead, value: false)
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress?.port ?? 0
    // A queue of length 0 has room for one. The kernel drops what comes once it is full.
    for _ in 0..<20 {
      do {
        _ = try await ClientBootstrap(group: group).connectTimeout(.milliseconds(300))
          .connect(host: "127.0.0.1", port: port).get()
      } catch { return }
    }
    throw TestFailure("the queue never becomes full")
  }

  func stop() async { try? await group.shutdownGracefully() }
}

/// A number that tasks and handlers count up and wait for.
final class Counter: Sendable {
  private struct State {
    var value = 0
    var waiting: [(mark: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())

  var value: Int { state.withLock { $0.value } }

  @discardableResult func increment() -> Int {
    let (value, due) = state.withLock { state in
      state.value += 1
      let due = state.waiting.filter { $0.mark <= state.value }
      state.waiting.removeAll { $0.mark <= state.value }
      return (state.value, due)
    }
    for waiter in due { waiter.continuation.resume() }
    return value
  }

  /// Waits until the number is at least this.
  func reaches(_ mark: Int) async {
    await withCheckedContinuation { continuation in
      let isReached = state.withLock { state in
        if state.value < mark { state.waiting.append((mark, continuation)) }
        return state.value >= mark
      }
      if isReached { continuation.resume() }
    }
  }
}

struct TestFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// The error that a call fails with.
func failure(_ body: () async throws -> some Any) async throws -> RPCError {
  do {
    _ = try await body()
    throw TestFailure("the call went well")
  } catch let error as RPCError {
    return error
  }
}
