// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCMethods
import GRPCServer
import NIOCore
import NIOTransport
import TLS
import TestSupport
import Testing

@testable import GRPCClient

extension Certificates {
  static func identity(_ name: String) throws -> TLSIdentity {
    try TLSIdentity(certificateChainPEM: read(name + ".pem"), privateKeyPEM: read(name + ".key"))
  }

  static func roots(_ name: String = "ca") throws -> TrustRoots { .bundles([try read(name + ".pem")]) }
}

@Suite(.endsIfItHangs) struct TLSTests {
  private func server(
    _ identity: String = "server", alpn: [String] = ["h2"], clients: ClientVerification = .none
  ) async throws -> (server: GRPCServer, port: Int) {
    try await server(TLSContextSource(try context(identity, alpn: alpn, clients: clients)))
  }

  private func context(
    _ identity: String = "server", alpn: [String] = ["h2"], clients: ClientVerification = .none,
    version: TLSVersion = .tls13
  ) throws -> TLSContext {
    var tls = TLSServerConfiguration(identity: try Certificates.identity(identity))
    tls.alpn = alpn
    tls.clientVerification = clients
    tls.maximumVersion = version
    return try TLSContext(server: tls)
  }

  private func server(
    _ source: TLSContextSource, port: Int = 0
  ) async throws -> (server: GRPCServer, port: Int) {
    let security = TransportSecurity.tls(source)
    let service = Echo.implementation { request, context in
      try context.responseHeaders.append("x-peer", context.peer.certificateNames.joined(separator: ","))
      try context.responseHeaders.append("x-resumed", "\(context.peer.security?.isResumed ?? false)")
      return request
    }
    return try await startServer([service], port: port) { $0.security = security }
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

  @Test(
    "a certificate that is refused is refused in plain words, with what to do",
    arguments: [
      ("expired", "certificate expired: CN=localhost (since 2021-01-01", "; renew the server's certificate"),
      ("not-yet-valid", "certificate not yet valid: CN=localhost (before 2090-01-01", "; check both machines' clocks"),
      (
        "wrong-host", "certificate is for another name: CN=localhost (it names other.example.org",
        "wanted 127.0.0.1); use one of its names as the target or as the TLS server name"
      ),
      (
        "unknown", "certificate issuer unknown: CN=localhost (issued by ",
        "; trust its issuer, or let the server send its intermediate certificates"
      ),
      (
        "self-signed", "certificate is self-signed: CN=localhost",
        "; add that certificate to the roots, if it is to be trusted"
      ),
      (
        "client-only", "certificate is not for a server: CN=localhost",
        "; issue a certificate whose extended key usage has serverAuth"
      ),
    ])
  func refused(identity: String, beginning: String, end: String) async throws {
    let (server, port) = try await server(identity)
    try await withClient("127.0.0.1:\(port)") { client in
      let error = try await failure { try await client.call(Echo.one, [1]) }
      #expect(error.status.code == .unavailable)
      let message = error.status.message
      #expect(message.hasPrefix("cannot connect to 127.0.0.1:\(port): \(beginning)"), "\(message)")
      #expect(message.hasSuffix(end), "\(message)")
    }
    await server.shutdown(grace: .zero)
  }

  @Test("a server that wants a certificate says so, and so does one that wants another")
  func wantedCertificate() async throws {
    let (server, port) = try await server(clients: .require(Certificates.roots()))
    for (identity, end) in [
      (nil, "; show one that the server trusts"),
      ("unknown-client", "; the one that was given is not accepted: check its issuer and its dates"),
    ] {
      try await withClient("127.0.0.1:\(port)", identity: identity) { client in
        let message = try await failure { try await client.call(Echo.one, [1]) }.status.message
        #expect(message.contains("client certificate wanted by 127.0.0.1:\(port)"), "\(message)")
        #expect(message.contains("it accepts those of "), "\(message)")
        #expect(message.hasSuffix(end), "\(message)")
      }
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
    }
    await server.shutdown(grace: .zero)
  }

  @Test("a server that agrees to no protocol gets no call")
  func noALPN() async throws {
    let (server, port) = try await server(alpn: [])
    try await withClient("127.0.0.1:\(port)") { client in
      let message = try await failure { try await client.call(Echo.one, [1]) }.status.message
      let reason = "ALPN: no h2 from 127.0.0.1:\(port) (it chose nothing); the server must offer h2 by ALPN"
      #expect(message == "cannot connect to 127.0.0.1:\(port): " + reason)
    }
    await server.shutdown(grace: .zero)
  }

  @Test("a client that speaks plaintext to a TLS server, and one that speaks TLS to a plaintext server, fail")
  func mismatch() async throws {
    let (secure, securePort) = try await server()
    let (plain, plainPort) = try await startServer()
    let client = try GRPCClient(target: "127.0.0.1:\(securePort)", configuration: quickConfiguration())
    let message = try await failure { try await client.call(Echo.one, [1]) }.status.message
    let reason =
      "connected, then closed before HTTP/2 began by 127.0.0.1:\(securePort); the server refuses this client, is going "
      + "down, or speaks something else, such as TLS"
    #expect(message == "cannot connect to 127.0.0.1:\(securePort): " + reason)
    await client.close()
    try await withClient("127.0.0.1:\(plainPort)") { client in
      let message = try await failure { try await client.call(Echo.one, [1]) }.status.message
      let reason =
        "connection closed in the TLS handshake by 127.0.0.1:\(plainPort); the server may not speak TLS, or refuse "
        + "this client"
      #expect(message == "cannot connect to 127.0.0.1:\(plainPort): " + reason)
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

  @Test(
    "a later connection resumes the session, and makes a full handshake where the server does not know it any more",
    arguments: [TLSVersion.tls12, .tls13])
  func resumption(version: TLSVersion) async throws {
    let source = TLSContextSource(try context(clients: .require(Certificates.roots()), version: version))
    var (server, port) = try await server(source)
    var outcomes: [Bool] = []
    var tls = TLSClientConfiguration(roots: try Certificates.roots())
    tls.identity = try Certificates.identity("client")
    let client = try GRPCClient(
      target: "127.0.0.1:\(port)", configuration: quickConfiguration { $0.security = .tls(tls) })
    for connection in 0..<5 {
      let headers = try await client.answer(Echo.one, [1], options: CallOptions(waitsForReady: true)).headers
      #expect(headers.first("x-peer") == "probe.example.org", "what is known of the client stays known")
      outcomes.append(headers.first("x-resumed") == "true")
      // The next connection goes to the same server, which has forgotten its keys once.
      await server.shutdown(grace: .zero)
      if connection == 2 { source.context = try context(clients: .require(Certificates.roots()), version: version) }
      (server, port) = try await self.server(source, port: port)
    }
    #expect(outcomes == [false, true, true, false, true])
    await client.close()
    await server.shutdown(grace: .zero)
  }

  @Test("tickets are used once, newest first, and the oldest make room")
  func tickets() throws {
    let server = try context()
    var configuration = TLSClientConfiguration(roots: try Certificates.roots(), serverName: "localhost")
    configuration.alpn = ["h2"]
    let client = try TLSContext(client: configuration)
    func ticket() throws -> TLSResumptionTicket { try #require(try handshake(client, server)) }
    let store = TicketStore()
    #expect(store.take(for: "a") == nil)
    let ours = try (0...TicketStore.addressLimit).map { _ in try ticket() }
    for each in ours { store.keep(each, from: "a") }
    let other = try ticket()
    store.keep(other, from: "b")
    for each in ours.dropFirst().reversed() { #expect(store.take(for: "a") === each) }
    #expect(store.take(for: "a") == nil)
    for index in 0..<TicketStore.limit { store.keep(other, from: "\(index)") }
    #expect(store.take(for: "b") == nil)
    #expect(store.take(for: "0") === other)
  }

  /// Joins two sessions in memory and gives the client's ticket.
  private func handshake(_ client: TLSContext, _ server: TLSContext) throws -> TLSResumptionTicket? {
    var client = try TLSSession(client)
    var server = try TLSSession(server)
    for _ in 0..<4 {
      var bytes: [UInt8] = []
      client.drain(into: &bytes)
      server.receive(bytes.span)
      bytes = []
      server.drain(into: &bytes)
      client.receive(bytes.span)
    }
    return client.resumptionTicket()
  }
}
