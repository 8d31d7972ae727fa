// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TLS

@Suite struct SPIFFETests {
  private func client(trusting domain: String = "example.org", roots: String = "spiffe-ca") throws
    -> TLSClientConfiguration
  {
    let bundle = SPIFFEBundle(trustDomain: domain, certificates: try Fixtures.chain(roots).flatMap { $0 })
    // No name: a workload's identity is its ID.
    var configuration = TLSClientConfiguration(verification: .spiffe([bundle]))
    configuration.identity = try Fixtures.identity("spiffe-client")
    configuration.alpn = ["h2"]
    return configuration
  }

  private func codes(_ server: String, _ client: TLSClientConfiguration) throws -> [CertificateFault.Code] {
    let wire = try Wire(client, Fixtures.server(server, clients: .require(Fixtures.roots("spiffe-ca"))))
    wire.run()
    guard case .certificate(let faults)? = wire.client.failure?.kind else {
      #expect(wire.client.failure == nil)
      #expect(wire.server.facts?.chain.first?.uris == ["spiffe://example.org/probe"])
      return []
    }
    return faults.map(\.code)
  }

  @Test("workloads of one trust domain accept each other, whatever host they run on")
  func mutual() throws {
    #expect(try codes("spiffe-server", client()) == [])
  }

  @Test("a workload of a domain without roots, or with other roots, is refused")
  func otherDomains() throws {
    #expect(try codes("spiffe-server", client(trusting: "example.com")) == [.notSVID])
    #expect(try codes("spiffe-server", client(roots: "ca")) == [.unknownIssuer])
  }

  @Test("a certificate that is no SVID is refused although its chain is good", arguments: ["server", "spiffe-two-ids"])
  func noSVID(server: String) throws {
    let roots = server == "server" ? "ca" : "spiffe-ca"
    #expect(try codes(server, client(roots: roots)) == [.notSVID])
  }

  @Test("each domain is judged by its own roots alone")
  func federation() throws {
    var configuration = try client()
    let mine = try Fixtures.chain("spiffe-ca").flatMap { $0 }
    let theirs = try Fixtures.chain("ca").flatMap { $0 }
    configuration.verification = .spiffe([
      SPIFFEBundle(trustDomain: "example.com", certificates: theirs),
      SPIFFEBundle(trustDomain: "example.org", certificates: mine),
    ])
    #expect(try codes("spiffe-server", configuration) == [])
    configuration.verification = .spiffe([
      SPIFFEBundle(trustDomain: "example.com", certificates: mine),
      SPIFFEBundle(trustDomain: "example.org", certificates: theirs),
    ])
    #expect(try codes("spiffe-server", configuration) == [.unknownIssuer])
  }

  @Test(
    "an ID has a trust domain and a plain path, or it is none",
    arguments: [
      ("spiffe://example.org", "example.org"), ("spiffe://example.org/a/b", "example.org"),
      ("SPIFFE://example.org/a", "example.org"), ("spiffe://a_b-c.1/X", "a_b-c.1"), ("spiffe://", nil),
      ("spiffe:///a", nil),
      ("http://example.org", nil), ("spiffe://Example.org", nil), ("spiffe://example.org/", nil),
      ("spiffe://example.org//a", nil), ("spiffe://example.org/..", nil), ("spiffe://example.org/.", nil),
      ("spiffe://user@example.org/a", nil), ("spiffe://example.org:80/a", nil), ("spiffe://example.org/a?b", nil),
      ("spiffe://example.org/a#b", nil), ("spiffe://example.org/%61", nil), ("spiffe://exämple.org/a", nil), ("", nil),
    ] as [(String, String?)])
  func ids(id: String, domain: String?) {
    #expect(SPIFFE.trustDomain(ofID: id) == domain)
  }

  @Test("an ID as long as the rules allow is an ID, a longer one is none")
  func length() {
    let stem = "spiffe://example.org/"
    let longest = stem + String(repeating: "a", count: SPIFFE.maximumID - stem.utf8.count)
    #expect(SPIFFE.trustDomain(ofID: longest) == "example.org")
    #expect(SPIFFE.trustDomain(ofID: longest + "a") == nil)
  }
}
