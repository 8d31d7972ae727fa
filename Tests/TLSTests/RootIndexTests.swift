// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import TLS

@Suite struct RootIndexTests {
  static let systemBundle = SystemRoots.bundlePaths.first { FileManager.default.fileExists(atPath: $0) }

  @Test("every root of the system's bundle is found by its own subject", .enabled(if: systemBundle != nil))
  func systemRoots() throws {
    let path = try #require(Self.systemBundle)
    let bundle = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    let roots = PEM.certificates(in: bundle)
    #expect(roots.count > 50)
    var configuration = TLSClientConfiguration(verification: .chainOnly, roots: .bundles([bundle]))
    configuration.alpn = ["h2"]
    let context = try TLSContext(client: configuration)
    for root in roots {
      let facts = try #require(CertificateFacts(der: root))
      // A root judged as a leaf: its issuer is found. Usage and age may speak against it, trust must not.
      let codes = context.faults(of: [root]).map(\.code)
      #expect(
        !codes.contains(.unknownIssuer) && !codes.contains(.selfSigned) && !codes.contains(.untrustedRoot),
        "\(facts.subject)")
    }
    // The same chain without the bundle is not trusted, so the test above can fail.
    let first = try #require(roots.first)
    let none = TLSClientConfiguration(verification: .chainOnly)
    #expect(try OfflineVerification.faults(chain: [first], configuration: none).map(\.code).first == .selfSigned)
  }

  @Test("a root is found among many others, in any bundle, and twice is no harm")
  func several() throws {
    let system = try Self.systemBundle.map { Array(try Data(contentsOf: URL(fileURLWithPath: $0))) } ?? []
    let mine = try Certificates.read("ca.pem")
    var configuration = try Fixtures.client()
    for bundles in [[system, mine], [mine, system], [mine + system + mine], [mine, mine], [[], mine]] {
      configuration.roots = .bundles(bundles)
      let context = try TLSContext(client: configuration)
      for _ in 0..<2 {
        let wire = try Wire(client: context, server: TLSContext(server: Fixtures.server("full-chain")))
        wire.run()
        #expect(wire.client.failure == nil)
        #expect(wire.client.facts != nil)
      }
    }
    configuration.roots = .bundles([system])
    let stranger = try Wire(configuration, Fixtures.server())
    stranger.run()
    #expect(stranger.client.facts == nil)
  }

  @Test("two roots of one name are told apart by their keys")
  func sameName() throws {
    // The self-signed server has the subject of the good one's leaf; both are offered as roots for one name.
    let both =
      try Certificates.read("self-signed.pem") + Certificates.read("expired.pem") + Certificates.read("server.pem")
    var configuration = try Fixtures.client()
    configuration.roots = .bundles([both])
    for server in ["self-signed", "server"] {
      let wire = try Wire(configuration, Fixtures.server(server))
      wire.run()
      #expect(wire.client.failure == nil, "\(server)")
    }
  }

  @Test("names that differ in case or string type alone are the same name (RFC 5280 section 7.1)")
  func nameComparison() throws {
    // The authority's certificate with its subject's "Test Root" turned into "TEST  ROOT" would have another signature,
    // but a trusted certificate's own signature is not looked at.
    let ca = try #require(try Fixtures.chain("ca").first)
    var changed = ca
    let name = Array("Test Root".utf8)
    let positions = ca.indices.filter { ca[$0...].starts(with: name) }
    #expect(positions.count == 2)
    for position in positions {
      changed.replaceSubrange(position..<position + name.count, with: Array("TEST ROOT".utf8))
    }
    let coded = Data(changed).base64EncodedString(options: .lineLength64Characters)
    var configuration = try Fixtures.client()
    configuration.roots = .bundles([
      Array("-----BEGIN CERTIFICATE-----\n\(coded)\n-----END CERTIFICATE-----\n".utf8)
    ])
    let wire = try Wire(configuration, Fixtures.server())
    wire.run()
    #expect(wire.client.failure == nil)
    #expect(wire.client.facts != nil)
  }

  @Test("a damaged root among good ones does no harm")
  func damaged() throws {
    let ca = try #require(String(bytes: try Certificates.read("ca.pem"), encoding: .utf8))
    let truncated = ca.replacingOccurrences(of: "\n-----END", with: "AAAA\n-----END")
    var configuration = try Fixtures.client()
    configuration.roots = .bundles([
      Array((truncated + "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n" + ca).utf8)
    ])
    let wire = try Wire(configuration, Fixtures.server())
    wire.run()
    #expect(wire.client.failure == nil)
    #expect(wire.client.facts != nil)
  }
}
