// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCMethods
import GRPCServer
import Health
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import GRPCClient

/// Real servers that say who they are.
struct Backends {
  var servers: [(server: GRPCServer, port: Int, health: HealthService)] = []

  static func start(_ count: Int) async throws -> Backends {
    var backends = Backends()
    for _ in 0..<count { try await backends.add() }
    return backends
  }

  mutating func add() async throws {
    let name = "\(servers.count)"
    let health = HealthService(services: [Echo.service])
    let (server, port) = try await startServer([Echo.implementation(name: name), health.service])
    servers.append((server, port, health))
  }

  var ports: [Int] { servers.map(\.port) }

  func stop() async { for (server, _, _) in servers { await server.shutdown(grace: .zero) } }
}

extension GRPCClient {
  /// Who answers a call.
  func whoServes(waiting: Bool = false) async throws -> String {
    try await answer(Echo.one, [], options: CallOptions(waitsForReady: waiting)).headers.first("x-served-by") ?? ""
  }

  /// Waits until each of these has answered, and none but these answers so many calls in a row.
  func settle(on names: Set<String>) async throws {
    var seen: Set<String> = []
    var inARow = 0
    while seen != names || inARow < 3 * names.count {
      let name = try await whoServes(waiting: true)
      if names.contains(name) {
        seen.insert(name)
        inARow += 1
      } else {
        seen = []
        inARow = 0
      }
    }
  }

  /// Waits for a state.
  func reaches(_ state: ConnectivityState) async { for await each in stateChanges where each == state { return } }
}

@Suite(.endsIfItHangs) struct BalancingTests {
  @Test("round robin gives each of three servers a third of the calls")
  func roundRobin() async throws {
    let backends = try await Backends.start(3)
    try await withClient(of: backends.ports, { $0.serviceConfig.loadBalancing = .roundRobin }) { client, _ in
      try await client.settle(on: ["0", "1", "2"])
      var counts: [String: Int] = [:]
      for _ in 0..<30 { counts[try await client.whoServes(), default: 0] += 1 }
      #expect(counts == ["0": 10, "1": 10, "2": 10])
    }
    await backends.stop()
  }

  @Test("pick first keeps to one server, and goes to the next when that is gone")
  func pickFirst() async throws {
    let backends = try await Backends.start(2)
    let ports = [try await unusedPort()] + backends.ports
    // However slow the machine is, the second server is not tried beside the first.
    try await withClient(of: ports, { $0.connecting.attemptDelay = .hours(1) }) { client, _ async throws in
      for _ in 0..<10 { #expect(try await client.whoServes() == "0") }
      #expect(backends.servers[1].server.openConnections == 0)
      await backends.servers[0].server.shutdown(grace: .zero)
      #expect(try await client.whoServes(waiting: true) == "1")
    }
    await backends.stop()
  }

  @Test("pick first does not wait for an address that gives no answer")
  func silentAddress() async throws {
    let backends = try await Backends.start(1)
    let silent = try await SilentListener()
    let ports = [silent.port, silent.port, backends.ports[0]]
    // Only an attempt beside the first two can succeed: those are given far longer than the test is.
    try await withClient(of: ports, { $0.connecting.timeout = .hours(1) }) { client, _ async throws in
      for _ in 0..<3 { #expect(try await client.whoServes() == "0") }
    }
    await silent.stop()
    await backends.stop()
  }

  @Test("pick first tries the next address at once where one refuses, and waits for one that may still answer")
  func refusingAddresses() async throws {
    let backends = try await Backends.start(1)
    let silent = try await SilentListener()
    var ports: [Int] = []
    for _ in 0..<3 { ports.append(try await unusedPort()) }
    // No head start ends within the test.
    func patient(_ configuration: inout ClientConfiguration) { configuration.connecting.attemptDelay = .hours(1) }
    try await withClient(of: ports + backends.ports, patient) { client, _ async throws in
      #expect(try await client.whoServes() == "0")
    }
    try await withClient(of: [silent.port] + backends.ports, patient) { client, _ async throws in
      let options = CallOptions(timeout: .milliseconds(300))
      let error = try await failure { try await client.call(Echo.one, [], options: options) }
      #expect(error.status.code == .deadlineExceeded)
    }
    #expect(backends.servers[0].server.openConnections == 0)
    await silent.stop()
    await backends.stop()
  }

  @Test("the families of a name's addresses take turns")
  func families() throws {
    func addresses(_ texts: String...) throws -> [NIOCore.SocketAddress] {
      try texts.map { try NIOCore.SocketAddress(ipAddress: $0, port: 1) }
    }
    #expect(Balancer.interleaved([]) == [])
    #expect(
      try Balancer.interleaved(addresses("::1", "::2", "::3", "10.0.0.1"))
        == addresses("::1", "10.0.0.1", "::2", "::3"))
    #expect(
      try Balancer.interleaved(addresses("10.0.0.1", "::1", "::2", "10.0.0.2", "::3"))
        == addresses("10.0.0.1", "::1", "10.0.0.2", "::2", "::3"))
  }

  @Test("least request avoids the server that is busy")
  func leastRequest() async throws {
    let go = Counter()
    let held = Counter()
    func service(_ name: String) -> Service {
      Echo.implementation(name: name) { request, _ in
        if request == [1] {
          held.increment()
          await go.reaches(1)
        }
        return request
      }
    }
    let first = try await startServer([service("0")])
    let second = try await startServer([service("1")])
    try await withClient(
      of: [first.port, second.port], { $0.serviceConfig.loadBalancing = .leastRequest(choices: 10) }
    ) { client, _ in
      try await client.settle(on: ["0", "1"])
      async let slow = client.answer(Echo.one, [1])
      await held.reaches(1)
      var names: Set<String> = []
      for _ in 0..<30 { names.insert(try await client.whoServes()) }
      go.increment()
      let busy = try await slow.headers.first("x-served-by")
      // Of ten choices out of two, one in a thousand names the busy one alone.
      #expect(names.count == 1 || names.count == 2)
      #expect(names.contains(busy == "0" ? "1" : "0"))
    }
    await first.server.shutdown(grace: .zero)
    await second.server.shutdown(grace: .zero)
  }

  @Test("servers that come and go get calls and lose them, and no call fails")
  func changingAddresses() async throws {
    var backends = try await Backends.start(2)
    try await withClient(of: backends.ports, { $0.serviceConfig.loadBalancing = .roundRobin }) { client, resolver in
      try await client.settle(on: ["0", "1"])
      try await withThrowingTaskGroup(of: Void.self) { group in
        let stop = Counter()
        for _ in 0..<3 {
          group.addTask { while stop.value == 0 { _ = try await client.whoServes() } }
        }
        try await backends.add()
        resolver.set(backends.ports)
        await client.refreshAddresses()
        try await client.settle(on: ["0", "1", "2"])
        resolver.set([backends.ports[1], backends.ports[2]])
        await client.refreshAddresses()
        try await client.settle(on: ["1", "2"])
        stop.increment()
        try await group.waitForAll()
      }
    }
    await backends.stop()
  }

  @Test("a call that runs on a removed server ends there")
  func removedServer() async throws {
    let backends = try await Backends.start(2)
    try await withClient(of: [backends.ports[0]], { $0.serviceConfig.loadBalancing = .roundRobin }) {
      client, resolver in
      try await client.call(Echo.chat) { writer, responses in
        try await writer.write([1])
        let first = try await responses.next()
        #expect(first == [1])
        resolver.set([backends.ports[1]])
        await client.refreshAddresses()
        try await client.settle(on: ["1"])
        try await writer.write([2])
        let second = try await responses.next()
        #expect(second == [2])
        writer.finish()
        let end = try await responses.next()
        #expect(end == nil)
      }
    }
    await backends.stop()
  }

  @Test("a drained server loses no call, and a killed one only those that ran there")
  func drainAndKill() async throws {
    let backends = try await Backends.start(3)
    try await withClient(of: backends.ports, { $0.serviceConfig.loadBalancing = .roundRobin }) { client, _ in
      try await client.settle(on: ["0", "1", "2"])
      let failures = Counter()
      let stop = Counter()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<3 {
          group.addTask {
            while stop.value == 0 {
              do { _ = try await client.whoServes() } catch let error as RPCError {
                #expect(error.status.code == .unavailable)
                failures.increment()
              }
            }
          }
        }
        await backends.servers[0].server.shutdown(grace: .seconds(10))
        #expect(failures.value == 0)
        try await client.settle(on: ["1", "2"])
        await backends.servers[1].server.shutdown(grace: .zero)
        try await client.settle(on: ["2"])
        #expect(failures.value <= 3)
        stop.increment()
        try await group.waitForAll()
      }
    }
    await backends.stop()
  }

  @Test("a failed look-up keeps the addresses of the one before")
  func failedLookUp() async throws {
    let backends = try await Backends.start(1)
    try await withClient(of: backends.ports) { client, resolver async throws in
      #expect(try await client.whoServes() == "0")
      resolver.fail("no server answered")
      await client.refreshAddresses()
      #expect(try await client.whoServes() == "0")
    }
    await backends.stop()
  }

  @Test("a failed connection makes the client look its name up again")
  func lookUpOnFailure() async throws {
    let backends = try await Backends.start(1)
    try await withClient(
      of: [try await unusedPort()],
      {
        $0.serviceConfig.loadBalancing = .roundRobin
        $0.resolving.interval = nil
      }
    ) { client, resolver async throws in
      resolver.set(backends.ports)
      #expect(try await client.whoServes(waiting: true) == "0")
      #expect(resolver.count.load(ordering: .relaxed) >= 1)
    }
    await backends.stop()
  }

  @Test("names are looked up again from time to time")
  func interval() async throws {
    let backends = try await Backends.start(2)
    try await withClient(
      of: [backends.ports[0]],
      {
        $0.serviceConfig.loadBalancing = .roundRobin
        $0.resolving.interval = .milliseconds(10)
      }
    ) { client, resolver in
      #expect(try await client.whoServes() == "0")
      resolver.set(backends.ports)
      try await client.settle(on: ["0", "1"])
    }
    await backends.stop()
  }

  // MARK: - Health

  private func health(_ configuration: inout ClientConfiguration) {
    configuration.serviceConfig.loadBalancing = .roundRobin
    configuration.serviceConfig.healthCheckService = Echo.service
  }

  @Test("a server that is not SERVING gets no calls until it is")
  func unhealthy() async throws {
    let backends = try await Backends.start(2)
    backends.servers[0].health.set(.notServing, for: Echo.service)
    try await withClient(of: backends.ports, health) { client, _ in
      try await client.settle(on: ["1"])
      for _ in 0..<10 { #expect(try await client.whoServes() == "1") }
      backends.servers[0].health.set(.serving, for: Echo.service)
      try await client.settle(on: ["0", "1"])
      backends.servers[1].health.set(.notServing, for: Echo.service)
      try await client.settle(on: ["0"])
    }
    await backends.stop()
  }

  @Test("where no server is healthy, calls fail and say so")
  func noneHealthy() async throws {
    let backends = try await Backends.start(1)
    backends.servers[0].health.set(.notServing, for: Echo.service)
    try await withClient(of: backends.ports, health) { client, _ in
      let error = try await failure { try await client.whoServes() }
      #expect(
        error.status
          == Status(.unavailable, "127.0.0.1:\(backends.ports[0]) is not healthy: NOT_SERVING"))
      backends.servers[0].health.set(.serving, for: Echo.service)
      #expect(try await client.whoServes(waiting: true) == "0")
    }
    await backends.stop()
  }

  @Test("a server without a health service is taken for healthy")
  func noHealthService() async throws {
    let (server, port) = try await startServer([Echo.implementation(name: "0")])
    try await withClient(of: [port], health) { client, _ in
      let name = try await client.whoServes()
      #expect(name == "0")
    }
    await server.shutdown(grace: .zero)
  }

  // MARK: - State

  @Test("a client tells its states as they come")
  func states() async throws {
    let backends = try await Backends.start(1)
    let client = try GRPCClient(
      resolver: ChangingResolver(backends.ports), authority: "test:1", configuration: quickConfiguration())
    let changes = client.stateChanges
    #expect(client.state == .idle)
    client.connect()
    await client.reaches(.ready)
    await client.close()
    var states: [ConnectivityState] = []
    for await state in changes { states.append(state) }
    #expect(states == [.idle, .connecting, .ready, .shutdown])
    await backends.stop()
  }
}
