// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TLS

@Suite struct HandshakeTests {
  @Test(
    "client and server agree on a version, a protocol and keys, and carry data both ways",
    arguments: [
      TLSVersion.tls12, .tls13,
    ], [1, 7, Int.max])
  func agreement(version: TLSVersion, step: Int) throws {
    let wire = try Wire(Fixtures.client(versions: version...version), Fixtures.server(), step: step)
    wire.run()
    #expect(wire.client.failure == nil)
    #expect(wire.server.failure == nil)
    let facts = try #require(wire.client.facts)
    #expect(facts.version == version)
    #expect(facts.alpn == "h2")
    #expect(facts.cipherSuite.hasPrefix("TLS_"))
    #expect(facts.keyExchangeGroup == "x25519")
    #expect(!facts.isResumed)
    #expect(!facts.clientCertificateRequested)
    #expect(facts.chain.map(\.subject) == ["CN=localhost"])
    #expect(wire.server.facts?.requestedServerName == "localhost")

    let question = [UInt8](repeating: 0x3F, count: 100_000)
    let answer = Array("yes".utf8)
    #expect(wire.client.send(question))
    #expect(wire.server.send(answer))
    wire.run()
    #expect(wire.server.data == question)
    #expect(wire.client.data == answer)

    wire.client.close()
    wire.run()
    #expect(wire.server.closed)
    #expect(!wire.client.closed)
    #expect(!wire.client.send(answer))
    #expect(wire.server.send(answer))
    wire.server.close()
    wire.run()
    #expect(wire.client.closed)
    #expect(wire.client.data == answer + answer)
    wire.client.endOfFile()
    #expect(wire.client.failure == nil)
  }
}
