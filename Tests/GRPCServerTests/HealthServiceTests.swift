// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCClient
import GRPCMethods
import Health
import InProcess
import NIOCore
import TestSupport
import Testing

@testable import GRPCServer

@Suite(.endsIfItHangs) struct HealthServiceTests {
  @Test("a shutdown says NOT_SERVING for all but the exempt, and what is set meanwhile counts afterwards")
  func shutdown() {
    let health = HealthService(services: ["a", "b"], exempt: ["liveness"])
    #expect(health.status(of: "") == .serving)
    #expect(health.status(of: "unknown") == nil)
    health.shutdown()
    for service in ["", "a", "b"] { #expect(health.status(of: service) == .notServing) }
    #expect(health.status(of: "liveness") == .serving)
    health.set(.serving, for: "a")
    health.set(.notServing, for: "b")
    #expect(health.status(of: "a") == .notServing)
    health.resume()
    #expect(health.status(of: "a") == .serving)
    #expect(health.status(of: "b") == .notServing)
  }

  @Test("a watcher hears the status at once and then each other one, also of a service that comes to be")
  func watch() async throws {
    let health = HealthService()
    let server = try await GRPCServer.start([health.service], on: [])
    let client = try GRPCClient(inProcess: server)
    try await client.call(HealthMethods.watch, HealthCheckRequest(service: "late")) { responses in
      var heard = [try await responses.next()?.status]
      health.set(.serving, for: "other")
      health.set(.notServing, for: "late")
      heard.append(try await responses.next()?.status)
      health.set(.notServing, for: "late")
      health.set(.serving, for: "late")
      heard.append(try await responses.next()?.status)
      #expect(heard == [.serviceUnknown, .notServing, .serving])
    }
    await client.close()
    await server.shutdown(grace: .seconds(5))
  }

  @Test("List names every service, up to its limit; an unknown one is NOT_FOUND")
  func list() async throws {
    let health = HealthService(services: ["a"], exempt: ["liveness"])
    let server = try await GRPCServer.start([health.service], on: [])
    let client = try GRPCClient(inProcess: server)
    let listed = try await client.call(HealthMethods.list, [])
    #expect(listed.statuses == ["": .serving, "a": .serving, "liveness": .serving])
    let unknown = await #expect(throws: RPCError.self) {
      try await client.call(HealthMethods.check, HealthCheckRequest(service: "b"))
    }
    #expect(unknown?.status.code == .notFound)
    for number in 0..<HealthService.maxListedServices { health.set(.serving, for: "s\(number)") }
    let tooMany = await #expect(throws: RPCError.self) { try await client.call(HealthMethods.list, []) }
    #expect(tooMany?.status.code == .resourceExhausted)
    await client.close()
    await server.shutdown(grace: .seconds(5))
  }

  @Test("a watch does not hold up a drain")
  func drain() async throws {
    let server = try await GRPCServer.start([HealthService().service], on: [])
    let client = try GRPCClient(inProcess: server)
    let end = await #expect(throws: RPCError.self) {
      try await client.call(HealthMethods.watch, HealthCheckRequest(service: "")) { responses in
        let first = try await responses.next()
        #expect(first?.status == .serving)
        Task { await server.shutdown(grace: .seconds(60)) }
        while try await responses.next() != nil {}
      }
    }
    #expect(end?.status.code == .unavailable)
    await client.close()
  }
}
