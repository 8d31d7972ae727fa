// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCMethods
import GRPCServer
import InProcess
import NIOCore
import TestSupport
import Testing

@testable import GRPCClient

@Suite(.endsIfItHangs) struct InProcessTests {
  @Test("a client in the same process is a connection like any other, and can come again")
  func connection() async throws {
    let server = try await GRPCServer.start([Echo.implementation()], on: [])
    for _ in 0..<3 {
      let client = try GRPCClient(inProcess: server)
      #expect(try await client.call(Echo.one, [1]) == [1])
      #expect(server.openConnections >= 1)
      await client.close()
    }
    await server.shutdown(grace: .zero)
  }

  @Test("a server that shut down gives no connection")
  func shutDown() async throws {
    let server = try await GRPCServer.start([Echo.implementation()], on: [])
    let client = try GRPCClient(inProcess: server, configuration: quickConfiguration())
    #expect(try await client.call(Echo.one, [1]) == [1])
    await server.shutdown(grace: .zero)
    let error = try await failure { try await client.call(Echo.one, [1]) }
    #expect(error.status.code == .unavailable)
    await client.close()
  }

  @Test("a server can be shut down several times, one after another and at once")
  func shutDownAgain() async throws {
    let server = try await GRPCServer.start([Echo.implementation()], on: [])
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 { group.addTask { await server.shutdown(grace: .zero) } }
    }
    await server.shutdown(grace: .zero)
    await #expect(throws: ServerStartError.notServing) { try await server.connectInProcess() }
  }

  @Test("a server's limit of connections holds for those in the process too")
  func limit() async throws {
    try await withEcho(server: { $0.limits.connections = 0 }) { client in
      let error = try await failure { try await client.call(Echo.one, []) }
      #expect(error.status.code == .unavailable)
    }
  }
}
