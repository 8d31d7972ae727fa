// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import TLS

@Suite struct SessionTests {
  static let versions = [TLSVersion.tls12, .tls13]

  @Test("ALPN picks the server's favourite among the client's offers")
  func alpnChoice() throws {
    for (offer, spoken, chosen) in [
      (["h2", "http/1.1"], ["http/1.1", "h2"], "http/1.1"), (["http/1.1", "h2"], ["h2"], "h2"), (["h2"], [], nil),
      ([], ["h2"], nil), (["h2c", "h"], ["h"], "h"),
    ] as [([String], [String], String?)] {
      let wire = try Wire(Fixtures.client(alpn: offer), Fixtures.server(alpn: spoken))
      wire.run()
      #expect(wire.client.failure == nil)
      #expect(wire.client.facts != nil)
      #expect(wire.client.facts?.alpn == chosen)
      #expect(wire.server.facts?.alpn == chosen)
    }
  }

  @Test("a server that speaks none of the offered protocols says so", arguments: versions)
  func alpnMismatch(version: TLSVersion) throws {
    let wire = try Wire(Fixtures.client(versions: version...version), Fixtures.server(alpn: ["http/1.1", "h3"]))
    wire.run()
    #expect(wire.client.failure?.kind == .alpnRejected)
    #expect(wire.server.failure?.kind == .alpnRejected)
    #expect(wire.server.failure?.alertSent == .noApplicationProtocol)
    #expect(wire.client.failure?.duringHandshake == true)
  }

  @Test("a session resumes with the ticket that the server gave, and only in its own context", arguments: versions)
  func resumption(version: TLSVersion) throws {
    let client = try TLSContext(client: Fixtures.client(versions: version...version))
    let server = try TLSContext(server: Fixtures.server())
    let first = try Wire(client: client, server: server)
    first.run()
    let ticket = try #require(first.client.ticket)
    #expect(first.client.facts?.isResumed == false)
    #expect(ticket.isReusable == (version == .tls12))

    let second = try Wire(client: client, server: server, resuming: ticket)
    second.run()
    #expect(second.client.facts?.isResumed == true)
    #expect(second.server.facts?.isResumed == true)
    #expect(second.client.facts?.chain.map(\.subject) == ["CN=localhost"])
    second.client.send([1, 2, 3])
    second.run()
    #expect(second.server.data == [1, 2, 3])

    let other = try TLSContext(client: Fixtures.client(versions: version...version))
    let third = try Wire(client: other, server: server, resuming: ticket)
    third.run()
    #expect(third.client.facts?.isResumed == false)
  }

  @Test("a server that asks for client certificates resumes sessions too", arguments: versions)
  func resumptionWithClientCertificate(version: TLSVersion) throws {
    let client = try TLSContext(client: Fixtures.client(identity: "client", versions: version...version))
    let server = try TLSContext(server: Fixtures.server(clients: .require(Fixtures.roots())))
    let first = try Wire(client: client, server: server)
    first.run()
    let second = try Wire(client: client, server: server, resuming: first.client.ticket)
    second.run()
    #expect(second.client.facts?.isResumed == true)
    #expect(second.server.facts?.chain.map(\.subject) == ["CN=probe"])
  }

  @Test("the end of the transport without close_notify is a truncation, with what came before it kept")
  func truncation() throws {
    let wire = try Wire(Fixtures.client(), Fixtures.server())
    wire.run()
    wire.server.send([1, 2, 3])
    let bytes = wire.server.takeOutput()
    wire.client.receive(bytes)
    wire.client.endOfFile()
    #expect(wire.client.data == [1, 2, 3])
    #expect(wire.client.failure?.kind == .truncated)
    #expect(wire.client.failure?.duringHandshake == false)
    #expect(wire.client.failure?.dataReceived == true)
  }

  @Test("data and the orderly end in one piece come out in that order")
  func dataThenEnd() throws {
    let wire = try Wire(Fixtures.client(), Fixtures.server())
    wire.run()
    wire.server.send([4, 5])
    wire.server.close()
    wire.client.receive(wire.server.takeOutput())
    #expect(wire.client.data == [4, 5])
    #expect(wire.client.closed)
    wire.client.endOfFile()
    #expect(wire.client.failure == nil)
  }

  @Test("an end before the server's first byte, or in the middle of its answer, is a truncated handshake")
  func truncatedHandshake() throws {
    let silent = try End(TLSContext(client: Fixtures.client()))
    silent.endOfFile()
    #expect(silent.failure?.kind == .truncated)
    #expect(silent.failure?.duringHandshake == true)
    #expect(silent.failure?.bytesReceived == 0)

    let wire = try Wire(Fixtures.client(), Fixtures.server())
    wire.server.receive(wire.client.takeOutput())
    wire.client.receive(Array(wire.server.takeOutput().prefix(200)))
    #expect(wire.client.failure == nil)
    wire.client.endOfFile()
    #expect(wire.client.failure?.kind == .truncated)
    #expect(wire.client.failure?.bytesReceived == 200)
  }

  @Test(
    "a server that does not speak TLS is known by its first bytes",
    arguments: [
      Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), Array("SSH-2.0-OpenSSH_9.2p1\r\n".utf8),
      Array("220 mail ESMTP\r\n".utf8), [0, 0, 24, 4, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 24),
      [UInt8](repeating: 0xFF, count: 64),
    ])
  func notTLS(answer: [UInt8]) throws {
    for step in [1, Int.max] {
      let client = try End(TLSContext(client: Fixtures.client()))
      client.receive(answer, step: step)
      #expect(client.failure?.kind == .notTLS(firstBytes: step == 1 ? Array(answer.prefix(5)) : answer))
      #expect(client.failure?.duringHandshake == true)
    }
    let short = try End(TLSContext(client: Fixtures.client()))
    short.receive(Array(answer.prefix(3)))
    #expect(short.failure == nil)
    short.endOfFile()
    #expect(short.failure?.kind == .notTLS(firstBytes: Array(answer.prefix(3))))
  }

  @Test(
    "a client that does not speak TLS is known by its first bytes",
    arguments: [
      Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8),
      Array("CONNECT x:443 HTTP/1.1\r\n\r\n".utf8), Array("SSH-2.0-x\r\n".utf8) + [UInt8](repeating: 13, count: 20),
    ])
  func plaintextClient(question: [UInt8]) throws {
    let server = try End(TLSContext(server: Fixtures.server()))
    server.receive(question)
    #expect(server.failure?.kind == .notTLS(firstBytes: question))
  }

  @Test("a client and a server without a version in common know it")
  func noVersionInCommon() throws {
    var server = try Fixtures.server()
    server.maximumVersion = .tls12
    let wire = try Wire(Fixtures.client(versions: .tls13 ... .tls13), server)
    wire.run()
    #expect(wire.client.failure?.kind == .unsupportedVersion(nil))
    #expect(wire.server.failure?.kind == .unsupportedVersion(.tls12))
  }

  @Test("a server that chooses TLS 1.1 is named with it")
  func oldServer() throws {
    let client = try End(TLSContext(client: Fixtures.client()))
    // A ServerHello of TLS 1.1: record header, message header, version, random, no session, a cipher, no compression.
    let hello: [UInt8] =
      [22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2] + [UInt8](repeating: 7, count: 32) + [0, 0xC0, 0x13, 0]
    client.receive(hello)
    #expect(client.failure?.kind == .unsupportedVersion(TLSVersion(0x0302)))
    #expect(TLSVersion(0x0302).name == "TLS 1.1")
    #expect(client.failure?.alertSent == TLSAlert(70))
  }

  @Test("nothing is sent before the handshake is over, nor after the end")
  func sendingOutOfTurn() throws {
    let wire = try Wire(Fixtures.client(), Fixtures.server())
    #expect(!wire.client.send([1]))
    wire.client.close()  // nothing to end yet
    wire.run()
    #expect(wire.client.send([1]))
    #expect(wire.client.send([]))
    wire.client.close()
    wire.client.close()
    #expect(!wire.client.send([2]))
    wire.run()
    #expect(wire.server.data == [1])
    #expect(wire.server.closed)
  }

  @Test("garbage never traps: it fails the session or is waited on, at every stage")
  func garbage() throws {
    var generator = SeededGenerator(0x5EED)
    let client = try TLSContext(client: Fixtures.client())
    let server = try TLSContext(server: Fixtures.server())
    for round in 0..<300 {
      let wire = try Wire(client: client, server: server)
      // A good connection up to some point, then a changed, a cut or an invented piece.
      if round % 3 == 2 { wire.run() }
      if round % 3 == 2 {
        wire.server.send([UInt8](repeating: 1, count: 100))
      } else {
        wire.server.receive(wire.client.takeOutput())
      }
      var bytes = wire.server.takeOutput()
      switch Int.random(in: 0..<3, using: &generator) {
      case 0:
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
          bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
        }
      case 1: bytes.removeSubrange(Int.random(in: 0..<bytes.count, using: &generator)...)
      default: bytes = (0..<200).map { _ in UInt8.random(in: 0...255, using: &generator) }
      }
      wire.client.receive(bytes, step: Int.random(in: 1...bytes.count + 1, using: &generator))
      wire.client.endOfFile()
      #expect(wire.client.failure != nil)
      wire.client.receive(bytes)
      #expect(!wire.client.send([1]))
    }
  }

  @Test("every byte of the server's flight matters: any change is refused")
  func tampering() throws {
    let client = try TLSContext(client: Fixtures.client())
    let server = try TLSContext(server: Fixtures.server())
    var position = 0
    while true {
      let wire = try Wire(client: client, server: server)
      wire.server.receive(wire.client.takeOutput())
      var flight = wire.server.takeOutput()
      guard position < flight.count else { break }
      // The version in a record's header is to be ignored (RFC 8446 section 5.1): its low byte may change freely.
      flight[position] ^= 0x40
      wire.client.receive(flight)
      wire.server.receive(wire.client.takeOutput())
      wire.client.endOfFile()
      wire.server.endOfFile()
      #expect(wire.client.facts == nil || wire.server.facts == nil || wire.client.failure != nil, "byte \(position)")
      position += 37
    }
    #expect(position > 37)
  }

  @Test("a stapled OCSP response arrives where it was asked for")
  func ocspStaple() throws {
    var server = try Fixtures.server()
    let staple = OCSPFixture.response(status: [0x80, 0x00])
    server.ocspStaple = staple
    for asks in [true, false] {
      for version in Self.versions {
        var client = try Fixtures.client(versions: version...version)
        client.requestsOCSPStaple = asks
        let wire = try Wire(client, server)
        wire.run()
        #expect(wire.client.failure == nil)
        #expect(wire.client.facts != nil)
        #expect(wire.client.facts?.ocspStaple == (asks ? staple : nil))
        #expect(wire.client.facts?.ocspStatus?.answer == (asks ? .good : nil))
      }
    }
  }

  @Test("what a configuration cannot be is refused with the reason")
  func configurationErrors() throws {
    func error(_ change: (inout TLSClientConfiguration) -> Void) throws -> TLSConfigurationError? {
      var configuration = try Fixtures.client()
      change(&configuration)
      do throws(TLSConfigurationError) {
        _ = try TLSContext(client: configuration)
        return nil
      } catch {
        return error
      }
    }
    #expect(try error { _ in } == nil)
    #expect(try error { $0.serverName = nil } == .missingServerName)
    for name in ["", ".", ".example.org", "a..b", "exämple", "a b", "1:2:3", ":::", String(repeating: "a", count: 64)] {
      #expect(try error { $0.serverName = name } == .invalidServerName(name))
    }
    #expect(try error { $0.alpn = ["h2", ""] } == .invalidALPN(""))
    let long = String(repeating: "x", count: 256)
    #expect(try error { $0.alpn = [long] } == .invalidALPN(long))
    #expect(try error { $0.roots = .der([[1, 2, 3]]) } == .unusableCertificate)
  }

  @Test("roots in DER are believed like those in PEM")
  func derRoots() throws {
    var client = try Fixtures.client()
    client.roots = .der([try Fixtures.chain("unknown-ca").flatMap { $0 } + Fixtures.chain("ca").flatMap { $0 }])
    let wire = try Wire(client, Fixtures.server())
    wire.run()
    #expect(wire.client.failure == nil)
    #expect(wire.client.facts != nil)
  }
}
