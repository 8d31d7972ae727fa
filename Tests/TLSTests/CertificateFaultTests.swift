// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TLS

/// What a handshake with a server of this certificate ends with; nil where it succeeds.
private func faults(
  _ server: String, client: TLSClientConfiguration? = nil
) throws -> (list: [CertificateFault.Code], failure: TLSFailure?) {
  let wire = try Wire(client ?? Fixtures.client(), Fixtures.server(server))
  wire.run()
  guard case .certificate(let faults)? = wire.client.failure?.kind else { return ([], wire.client.failure) }
  return (faults.map(\.code), wire.client.failure)
}

@Suite struct CertificateFaultTests {
  @Test(
    "every bad certificate is refused with the full list of its faults, first cause first",
    arguments: [
      ("expired", [.expired]),
      ("not-yet-valid", [.notYetValid]),
      ("wrong-host", [.wrongHost]),
      ("no-san", [.noAlternativeName]),
      ("client-only", [.wrongUsage]),
      ("weak-key", [.weakKey]),
      ("sha1", [.weakSignature]),
      ("self-signed", [.selfSigned]),
      ("unknown", [.unknownIssuer]),
      ("missing-intermediate", [.unknownIssuer]),
      ("many-faults", [.wrongUsage, .wrongHost, .expired]),
    ] as [(String, [CertificateFault.Code])])
  func moods(server: String, expected: [CertificateFault.Code]) throws {
    let (list, failure) = try faults(server)
    #expect(list == expected)
    #expect(failure?.duringHandshake == true)
    #expect(failure?.alertSent != nil)
    // The same list comes without any connection.
    let offline = try OfflineVerification.faults(chain: Fixtures.chain(server), configuration: Fixtures.client())
    #expect(offline.map(\.code) == expected)
  }

  @Test("good certificates have no fault", arguments: ["server", "rsa-server", "full-chain"])
  func good(server: String) throws {
    let (list, failure) = try faults(server)
    #expect(list == [])
    #expect(failure == nil)
    #expect(try OfflineVerification.faults(chain: Fixtures.chain(server), configuration: Fixtures.client()) == [])
  }

  @Test("a fault carries what a reader needs: the certificate, its dates and names, the name that was wanted")
  func details() throws {
    let wire = try Wire(Fixtures.client(), Fixtures.server("many-faults"))
    wire.run()
    guard case .certificate(let faults)? = wire.client.failure?.kind else {
      Issue.record("the handshake did not fail for the certificate")
      return
    }
    let host = try #require(faults.first { $0.code == .wrongHost })
    #expect(host.depth == 0)
    #expect(host.expectedName == "localhost")
    #expect(host.certificate?.dnsNames == ["other.example.org"])
    let expired = try #require(faults.first { $0.code == .expired })
    #expect(expired.certificate?.notAfterText == "2021-01-01T00:00:00Z")
    #expect(expired.expectedName == nil)
  }

  @Test("a missing intermediate is named as the issuer that nobody knows")
  func missingIntermediate() throws {
    let found = try OfflineVerification.faults(
      chain: Fixtures.chain("missing-intermediate"), configuration: Fixtures.client())
    #expect(found.first?.certificate?.issuer == "CN=Test Intermediate,O=Sonde Tests")
  }

  @Test("a chain that brings its own unknown root is told from one whose issuer is missing")
  func untrustedRoot() throws {
    let chain = try Fixtures.chain("unknown") + Fixtures.chain("unknown-ca")
    let found = try OfflineVerification.faults(chain: chain, configuration: Fixtures.client())
    #expect(found.map(\.code) == [.untrustedRoot])
    #expect(found.first?.certificate?.subject == "CN=Other Root,O=Sonde Tests")
    #expect(found.first?.depth == 1)
  }

  @Test("time is a parameter of the second look: the same chain is fine in its own time")
  func timeTravel() throws {
    let configuration = try Fixtures.client()
    let expired = try Fixtures.chain("expired")
    let from2024: Int64 = 1_704_067_200
    #expect(
      try OfflineVerification.faults(chain: expired, configuration: configuration, at: from2024).map(\.code) == [
        .expired
      ])
    // The authority itself begins in 2024, so that in 2020 it is the one that is not valid yet.
    let in2020 = try OfflineVerification.faults(chain: expired, configuration: configuration, at: 1_590_000_000)
    #expect(in2020.map(\.code) == [.notYetValid])
    #expect(in2020.first?.depth == 1)
  }

  @Test(
    "addresses are verified as addresses, and never sent as names",
    arguments: [
      ("127.0.0.1", true), ("::1", true), ("0:0:0:0:0:0:0:1", true), ("::1%lo", true), ("127.0.0.2", false),
      ("::2", false),
    ])
  func addresses(name: String, isGood: Bool) throws {
    let wire = try Wire(Fixtures.client(name: name), Fixtures.server())
    wire.run()
    if isGood {
      #expect(wire.client.failure == nil)
      #expect(wire.server.facts != nil)
      #expect(wire.server.facts?.requestedServerName == nil)
    } else {
      guard case .certificate(let faults)? = wire.client.failure?.kind else {
        Issue.record("\(name) was accepted")
        return
      }
      #expect(faults.map(\.code) == [.wrongHost])
      #expect(faults.first?.expectedName == name)
    }
  }

  @Test(
    "wildcards cover one label",
    arguments: [
      ("a.example.net", true), ("A.Example.NET", true), ("a.example.net.", true), ("other.example.org", true),
      ("a.b.example.net", false), ("example.net", false), ("localhost", false),
    ])
  func wildcards(name: String, isGood: Bool) throws {
    let (list, failure) = try faults("wrong-host", client: Fixtures.client(name: name))
    #expect(list == (isGood ? [] : [.wrongHost]))
    #expect((failure == nil) == isGood)
  }

  @Test("the chain alone is verified where that is what was asked for")
  func chainOnly() throws {
    #expect(try faults("wrong-host", client: Fixtures.client(.chainOnly)).failure == nil)
    #expect(try faults("no-san", client: Fixtures.client(.chainOnly)).failure == nil)
    #expect(try faults("unknown", client: Fixtures.client(.chainOnly)).list == [.unknownIssuer])
  }

  @Test("what is given as trusted is trusted: an intermediate, or the server's own certificate")
  func partialChains() throws {
    #expect(try faults("missing-intermediate", client: Fixtures.client(roots: "intermediate")).failure == nil)
    #expect(try faults("self-signed", client: Fixtures.client(roots: "self-signed")).failure == nil)
    #expect(try faults("server", client: Fixtures.client(roots: "self-signed")).list == [.unknownIssuer])
  }

  @Test("without verification every server is accepted, its facts are kept, and its faults can still be listed")
  func unverified() throws {
    let context = try TLSContext(client: Fixtures.client(.none))
    for (server, expected) in [
      ("server", []), ("unknown", [.unknownIssuer]), ("expired", [.expired]), ("weak-key", [.weakKey]),
    ] as [(String, [CertificateFault.Code])] {
      let wire = try Wire(client: context, server: TLSContext(server: Fixtures.server(server)))
      wire.run()
      #expect(wire.client.failure == nil)
      let facts = try #require(wire.client.facts)
      #expect(facts.chain.map(\.subject) == ["CN=localhost"])
      #expect(context.faults(of: facts.certificates).map(\.code) == expected)
    }
  }

  @Test("an empty chain and garbage in it are faults, not traps")
  func garbage() throws {
    let configuration = try Fixtures.client()
    #expect(try OfflineVerification.faults(chain: [], configuration: configuration).map(\.code) == [.missing])
    #expect(try !OfflineVerification.faults(chain: [[1, 2, 3]], configuration: configuration).isEmpty)
    let leaf = try Fixtures.chain("server")
    #expect(try OfflineVerification.faults(chain: leaf + [[0x30]], configuration: configuration) == [])
  }
}
