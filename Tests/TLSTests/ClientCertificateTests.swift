// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import TLS

@Suite struct ClientCertificateTests {
  static let versions = [TLSVersion.tls12, .tls13]

  @Test("a client shows its certificate to a server that asks, and both know it", arguments: versions)
  func shown(version: TLSVersion) throws {
    let wire = try Wire(
      Fixtures.client(identity: "client", versions: version...version),
      Fixtures.server(clients: .require(Fixtures.roots())))
    wire.run()
    #expect(wire.client.failure == nil)
    #expect(wire.server.facts?.chain.map(\.subject) == ["CN=probe"])
    #expect(wire.client.facts?.clientCertificateRequested == true)
    #expect(wire.client.facts?.acceptableClientCAs == ["CN=Test Root,O=Sonde Tests"])
  }

  @Test("a client that has none learns that one was wanted, and by whom", arguments: versions)
  func missing(version: TLSVersion) throws {
    let wire = try Wire(
      Fixtures.client(versions: version...version), Fixtures.server(clients: .require(Fixtures.roots())))
    wire.run()
    let failure = try #require(wire.client.failure)
    #expect(failure.wantsClientCertificate)
    #expect(failure.clientCertificateRequested)
    #expect(!failure.hadClientCertificate)
    #expect(failure.acceptableClientCAs == ["CN=Test Root,O=Sonde Tests"])
    // Under TLS 1.3 the client's handshake is over before the server has seen its answer.
    #expect(failure.duringHandshake == (version == .tls12))
    #expect(failure.kind == .alertReceived(version == .tls13 ? .certificateRequired : .handshakeFailure))
    #expect(wire.server.failure?.kind == .certificate([CertificateFault(code: .missing, depth: 0)]))
  }

  @Test("a client with a certificate of the wrong authority learns that it was not the right one", arguments: versions)
  func wrongAuthority(version: TLSVersion) throws {
    let wire = try Wire(
      Fixtures.client(identity: "unknown-client", versions: version...version),
      Fixtures.server(clients: .require(Fixtures.roots())))
    wire.run()
    let failure = try #require(wire.client.failure)
    #expect(failure.kind == .alertReceived(TLSAlert(48)))
    #expect(failure.wantsClientCertificate)
    #expect(failure.hadClientCertificate)
    guard case .certificate(let faults)? = wire.server.failure?.kind else {
      Issue.record("the server did not fail for the certificate")
      return
    }
    #expect(faults.map(\.code) == [.unknownIssuer])
  }

  @Test("a server that merely asks is content with none", arguments: versions)
  func requested(version: TLSVersion) throws {
    let wire = try Wire(
      Fixtures.client(versions: version...version), Fixtures.server(clients: .request(Fixtures.roots())))
    wire.run()
    #expect(wire.client.failure == nil)
    #expect(wire.client.facts?.clientCertificateRequested == true)
    #expect(wire.server.facts?.certificates == [])
  }

  @Test("a server that hangs up without an alert after asking is understood too")
  func silentHangUp() throws {
    let wire = try Wire(Fixtures.client(), Fixtures.server(clients: .request(Fixtures.roots())))
    wire.run()
    wire.client.endOfFile()
    #expect(wire.client.failure?.kind == .truncated)
    #expect(wire.client.failure?.wantsClientCertificate == true)

    let other = try Wire(Fixtures.client(), Fixtures.server())
    other.run()
    other.client.endOfFile()
    #expect(other.client.failure?.wantsClientCertificate == false)
  }

  @Test(
    "an impostor never receives the client's certificate", arguments: versions,
    [
      "unknown", "self-signed", "wrong-host", "expired", "client-only",
    ])
  func impostor(version: TLSVersion, server: String) throws {
    let wire = try Wire(
      Fixtures.client(identity: "client", versions: version...version),
      Fixtures.server(server, clients: .request(Fixtures.roots())))
    wire.run()
    guard case .certificate? = wire.client.failure?.kind else {
      Issue.record("\(server) was accepted")
      return
    }
    #expect(wire.server.facts == nil)
    // Under TLS 1.2 a client certificate travels in the clear: it is nowhere in what was sent. Under TLS 1.3 it would
    // be longer than all that was sent after the first flight, which is an alert.
    let certificate = try #require(try Fixtures.chain("client").first)
    #expect(!wire.client.sent.contains(certificate))
    let alone = try End(TLSContext(client: Fixtures.client(identity: "client", versions: version...version)))
    let hello = alone.takeOutput().count
    #expect(wire.client.sent.count < hello + 100)
  }

  @Test("what is wrong with a client's files is told apart")
  func configuration() throws {
    let pem = try Certificates.read("client.pem")
    let key = try Certificates.read("client.key")
    func error(_ certificate: [UInt8], _ key: [UInt8]) -> TLSConfigurationError? {
      do throws(TLSConfigurationError) {
        _ = try TLSIdentity(certificateChainPEM: certificate, privateKeyPEM: key)
        return nil
      } catch {
        return error
      }
    }
    #expect(error(pem, key) == nil)
    #expect(error([], key) == .noCertificateBlock(found: []))
    #expect(error(Array("hello".utf8), key) == .noCertificateBlock(found: []))
    #expect(error(key, key) == .noCertificateBlock(found: ["PRIVATE KEY"]))
    #expect(error(pem, []) == .noKeyBlock(found: []))
    #expect(error(pem, pem) == .noKeyBlock(found: ["CERTIFICATE"]))
    #expect(error(pem, try Certificates.read("encrypted.key")) == .encryptedKey)
    #expect(error(pem, try Certificates.read("server.key")) == .keyMismatch)
    #expect(error(pem, try Certificates.read("rsa-server.key")) == .keyMismatch)
    let damagedKey = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"
    #expect(error(pem, Array(damagedKey.utf8)) == .unusableKey)
    let damaged = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    #expect(error(Array(damaged.utf8), key) == .unusableCertificate)
    // Other blocks around the right one do not matter.
    #expect(error(key + pem, pem + key) == nil)
    let oldStyle =
      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMIIB\n"
      + "-----END RSA PRIVATE KEY-----\n"
    #expect(error(pem, Array(oldStyle.utf8)) == .encryptedKey)
  }

  @Test("an identity too weak to be shown is refused")
  func weakIdentity() throws {
    let identity = try Fixtures.identity("weak-key")
    var configuration = try Fixtures.client()
    configuration.identity = identity
    #expect(throws: TLSConfigurationError.weakIdentity) { try TLSContext(client: configuration) }
  }

  @Test("a chain and a key in DER make the same identity")
  func der() throws {
    var scan = PEM(try Certificates.read("spiffe-client.key"))
    let next = scan.next()
    let block = try #require(next)
    let key = try #require(scan.decode(block))
    let chain = try Fixtures.chain("spiffe-client") + Fixtures.chain("spiffe-ca")
    let identity = try TLSIdentity(certificateChainDER: chain.flatMap { $0 }, privateKeyDER: key)
    #expect(identity.chain == chain)
    #expect(throws: TLSConfigurationError.unusableCertificate) {
      try TLSIdentity(certificateChainDER: Array(chain[0].dropLast()), privateKeyDER: key)
    }
  }
}
