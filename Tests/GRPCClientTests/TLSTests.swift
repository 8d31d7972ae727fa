// SPDX-License-Identifier: Apache-2.0

import Foundation
import GRPC
import GRPCMethods
import GRPCServer
import NIOCore
import NIOTransport
import TLS
import Testing

@testable import GRPCClient

/// The certificates of scripts/make-certificates, made once for the whole run.
enum Certificates {
  private static let directory: Result<URL, any Error> = Result {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("sonde-client-\(getpid())")
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let script = Process()
    script.executableURL = root.appendingPathComponent("scripts/make-certificates")
    script.arguments = [directory.path]
    try script.run()
    script.waitUntilExit()
    guard script.terminationStatus == 0 else { throw CocoaError(.fileReadUnknown) }
    atexit { if let made = try? Certificates.directory.get() { try? FileManager.default.removeItem(at: made) } }
    return directory
  }

  static func read(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: directory.get().appendingPathComponent(name)))
  }

  static func identity(_ name: String) throws -> TLSIdentity {
    try TLSIdentity(certificateChainPEM: read(name + ".pem"), privateKeyPEM: read(name + ".key"))
  }

  static func roots(_ name: String = "ca") throws -> TrustRoots { .bundles([try read(name + ".pem")]) }
}

@Suite(.timeLimit(.minutes(15))) struct TLSTests {
  private func server(
    _ identity: String = "server", alpn: [String] = ["h2"], clients: ClientVerification = .none
  ) async throws -> (server: GRPCServer, port: Int) {
    var tls = TLSServerConfiguration(identity: try Certificates.identity(identity))
    tls.alpn = alpn
    tls.clientVerification = clients
    let security = TransportSecurity.tls(TLSContextSource(try TLSContext(server: tls)))
    let service = Echo.implementation { request, context in
      try context.responseHeaders.append("x-peer", context.peer.certificateNames.joined(separator: ","))
      return request
    }
    return try await startServer([service]) { $0.security = security }
  }

  private func withClient(
    _ target: String, identity: String? = nil, roots: String = "ca", _ body: (GRPCClient) async throws -> Void
  ) async throws {
    var tls = TLSClientConfiguration(roots: try Certificates.roots(roots))
    tls.identity = try identity.map { try Certificates.identity($0) }
    let client = try GRPCClient(
      target: target, configuration: quickConfiguration { $0.security = .tls(tls) })
    let result: Result<Void, any Error>
    do { result = .success(try await body(client)) } catch { result = .failure(error) }
    await client.close(grace: .seconds(10))
    try result.get()
  }

  @Test("calls go over TLS to a server whose certificate is for the target's host")
  func secure() async throws {
    let (server, port) = try await server()
    try await withClient("127.0.0.1:\(port)") { client async throws in
      #expect(try await client.call(Echo.one, [1]) == [1])
      #expect(try await client.call(Echo.one, [UInt8](repeating: 1, count: 1_000_000)).count == 1_000_000)
    }
    await server.shutdown(grace: .zero)
  }

  @Test("a server for another host, or of an unknown authority, gets no call", arguments: ["wrong-host", "unknown"])
  func refused(identity: String) async throws {
    let (server, port) = try await server(identity)
    try await withClient("127.0.0.1:\(port)") { client in
      let error = try await failure { try await client.call(Echo.one, [1]) }
      #expect(error.status.code == .unavailable)
      #expect(error.status.message.hasPrefix("cannot connect to 127.0.0.1:\(port): TLS: "))
    }
    await server.shutdown(grace: .zero)
  }

  @Test("a client shows its certificate where the server wants one, and gets no call through without")
  func mutual() async throws {
    let (server, port) = try await server(clients: .require(Certificates.roots()))
    try await withClient("127.0.0.1:\(port)", identity: "client") { client in
      let answer = try await client.answer(Echo.one, [1])
      #expect(answer.headers.first("x-peer") != nil)
    }
    try await withClient("127.0.0.1:\(port)") { client in
      let error = try await failure { try await client.call(Echo.one, [1]) }
      #expect(error.status.code == .unavailable)
      #expect(error.status.message.contains("TLS"))
    }
    await server.shutdown(grace: .zero)
  }

  @Test("a server that agrees to no protocol gets no call")
  func noALPN() async throws {
    let (server, port) = try await server(alpn: [])
    try await withClient("127.0.0.1:\(port)") { client in
      let error = try await failure { try await client.call(Echo.one, [1]) }
      #expect(error.status.message.hasSuffix("the server did not agree to HTTP/2 (ALPN)"))
    }
    await server.shutdown(grace: .zero)
  }

  @Test("a client that speaks plaintext to a TLS server, and one that speaks TLS to a plaintext server, fail")
  func mismatch() async throws {
    let (secure, securePort) = try await server()
    let (plain, plainPort) = try await startServer()
    let client = try GRPCClient(target: "127.0.0.1:\(securePort)", configuration: quickConfiguration())
    let error = try await failure { try await client.call(Echo.one, [1]) }
    #expect(error.status.code == .unavailable)
    await client.close()
    try await withClient("127.0.0.1:\(plainPort)") { client in
      let error = try await failure { try await client.call(Echo.one, [1]) }
      #expect(error.status.code == .unavailable)
    }
    await secure.shutdown(grace: .zero)
    await plain.shutdown(grace: .zero)
  }

  @Test("a new context counts for new connections")
  func replacedContext() async throws {
    let (server, port) = try await server()
    func context(_ roots: String) throws -> TLSContext {
      var tls = TLSClientConfiguration(roots: try Certificates.roots(roots), serverName: "localhost")
      tls.alpn = ["h2"]
      return try TLSContext(client: tls)
    }
    let source = TLSContextSource(try context("unknown-ca"))
    let client = try GRPCClient(
      target: "127.0.0.1:\(port)", configuration: quickConfiguration { $0.security = .tlsSource(source) })
    _ = try await failure { try await client.call(Echo.one, [1]) }
    source.context = try context("ca")
    #expect(try await client.call(Echo.one, [1], options: CallOptions(waitsForReady: true)) == [1])
    await client.close()
    await server.shutdown(grace: .zero)
  }
}
