// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import TLS

@Suite struct CertificateFactsTests {
  private func facts(_ name: String) throws -> CertificateFacts {
    let der = try #require(try Fixtures.chain(name).first)
    return try #require(CertificateFacts(der: der))
  }

  @Test("a server's certificate is read in full")
  func server() throws {
    let facts = try facts("server")
    #expect(facts.subject == "CN=localhost")
    #expect(facts.issuer == "CN=Test Root,O=Sonde Tests")
    #expect(facts.notBeforeText == "2024-01-01T00:00:00Z")
    #expect(facts.notAfterText == "2049-12-31T23:59:59Z")
    #expect(facts.notAfter - facts.notBefore == 9497 * 86_400 - 1)
    #expect(facts.dnsNames == ["localhost"])
    #expect(facts.ipAddresses == ["127.0.0.1", "::1"])
    #expect(facts.hostNames == ["localhost", "127.0.0.1", "::1"])
    #expect(facts.key == "EC P-256")
    #expect(facts.signatureAlgorithm == "SHA-256 with ECDSA")
    #expect(facts.extendedKeyUsages == ["serverAuth"])
    #expect(!facts.isCA)
    #expect(!facts.maySignCertificates)
    #expect(!facts.isSelfIssued)
    #expect(!facts.mustStaple)
    #expect(facts.sha256Fingerprint.utf8.count == 64)
    #expect(!facts.serialNumber.isEmpty)
  }

  @Test("kinds of keys, signatures and names are told apart")
  func variety() throws {
    #expect(try facts("rsa-server").key == "RSA 2048")
    #expect(try facts("weak-key").key == "RSA 1024")
    #expect(try facts("sha1").signatureAlgorithm == "SHA-1 with ECDSA")
    let root = try facts("ca")
    #expect(root.isCA && root.maySignCertificates && root.isSelfIssued)
    #expect(root.extendedKeyUsages == nil)
    #expect(!root.hasAlternativeNames)
    #expect(try facts("spiffe-server").uris == ["spiffe://example.org/server"])
    #expect(try facts("no-san").hostNames == [])
    // Beyond 2049 a certificate writes its times with four digits of the year.
    #expect(try facts("not-yet-valid").notBeforeText == "2090-01-01T00:00:00Z")
  }

  @Test("the fingerprint is the one that the openssl command prints")
  func fingerprint() throws {
    let der = try #require(try Fixtures.chain("server").first)
    #expect(try facts("server").sha256Fingerprint == hexadecimal(sha256(der.span)[...]))
    let abc = Array("abc".utf8)
    #expect(hexadecimal(sha256(abc.span)[...]).hasPrefix("ba7816bf8f01cfea"))
  }

  @Test("what is no certificate gives nil, at every length and with any byte changed nothing traps")
  func garbage() throws {
    let der = try #require(try Fixtures.chain("rsa-server").first)
    for count in 0..<der.count { #expect(CertificateFacts(der: Array(der.prefix(count))) == nil) }
    for count in 0..<der.count { _ = CertificateFacts.subject(ofHead: Array(der.prefix(count))) }
    var generator = SeededGenerator(3)
    for position in der.indices {
      var changed = der
      changed[position] = UInt8.random(in: 0...255, using: &generator)
      _ = CertificateFacts(der: changed)
      changed[Int.random(in: 0..<der.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      _ = CertificateFacts(der: changed)
    }
    for _ in 0..<2000 {
      let bytes = (0..<Int.random(in: 0...80, using: &generator)).map { _ in
        [0x30, 0x31, 0x02, 0x82, 0x84, 0xA0, 0xFF, 0x00, 0x03].randomElement(using: &generator) ?? UInt8(0)
      }
      _ = CertificateFacts(der: bytes)
    }
  }

  @Test("names read most specific part first; what has a meaning or moves a cursor is escaped")
  func names() {
    func attribute(_ type: UInt8, _ tag: UInt8, _ value: [UInt8]) -> [UInt8] {
      OCSPFixture.element(0x31, OCSPFixture.element(0x30, [6, 3, 0x55, 4, type] + OCSPFixture.element(tag, value)))
    }
    func text(_ parts: [UInt8]) -> String {
      let der = OCSPFixture.element(0x30, parts)
      var reader = DERReader(der)
      guard let element = reader.next() else { return "" }
      return CertificateText.name(element, in: der)
    }
    #expect(text(attribute(6, 0x13, Array("DE".utf8)) + attribute(3, 0x0C, Array("é, x".utf8))) == "CN=é\\, x,C=DE")
    #expect(text(attribute(3, 0x1E, [0, 0x41, 0x20, 0xAC])) == "CN=A€")
    #expect(text(attribute(3, 0x1C, [0, 1, 0xF6, 0x42])) == "CN=🙂")
    #expect(text(attribute(3, 0x14, [0xE9])) == "CN=é")
    #expect(text(attribute(3, 0x0C, Array("a\u{1B}[2J\n".utf8))) == #"CN=a\x1b[2J\n"#)
    #expect(text(attribute(99, 0x0C, Array("x".utf8))) == "2.5.4.99=x")
    #expect(text([]) == "")
    let long = text((0..<200).flatMap { _ in attribute(10, 0x0C, Array("0123456789".utf8)) })
    #expect(long.utf8.count <= CertificateFacts.maximumText)
  }

  @Test(
    "addresses are written as people write them",
    arguments: [
      ([127, 0, 0, 1], "127.0.0.1"), ([UInt8](repeating: 0, count: 16), "::"),
      ([UInt8](repeating: 0, count: 15) + [1], "::1"),
      ([0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 8) + [0, 1, 0, 0], "2001:db8::1:0"),
      ([0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0, 5], "1:0:2::3:4:5"),
      ([0xFE, 0x80] + [UInt8](repeating: 0, count: 14), "fe80::"),
      ([0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0], "1:2:3:4:5:6:7:0"),
      ([1, 2, 3], "010203"),
    ] as [([UInt8], String)])
  func addresses(bytes: [UInt8], text: String) {
    #expect(AddressText.text(bytes[...]) == text)
  }

  @Test(
    "times of certificates become seconds and back",
    arguments: [
      (0x17, "700101000000Z", 0, "1970-01-01T00:00:00Z"),
      (0x17, "491231235959Z", 2_524_607_999, "2049-12-31T23:59:59Z"),
      (0x17, "500101000000Z", -631_152_000, "1950-01-01T00:00:00Z"),
      (0x18, "20000229120000Z", 951_825_600, "2000-02-29T12:00:00Z"),
      (0x18, "99991231235959Z", 253_402_300_799, "9999-12-31T23:59:59Z"),
      (0x18, "00010101000000Z", -62_135_596_800, "0001-01-01T00:00:00Z"),
    ] as [(UInt8, String, Int64, String)])
  func times(tag: UInt8, text: String, seconds: Int64, iso: String) {
    let bytes = [tag, UInt8(text.utf8.count)] + Array(text.utf8)
    let element = DERElement(tag: tag, whole: 0..<bytes.count, content: 2..<bytes.count)
    #expect(CertificateTime.seconds(of: element, in: bytes) == seconds)
    #expect(CertificateTime.text(seconds) == iso)
  }

  @Test(
    "what is no time is nil",
    arguments: [
      "", "7001010000Z", "700101000000", "701301000000Z", "700132000000Z", "700100000000Z", "700101240000Z",
      "7001010000-1Z", "70010100000000Z", "700101000000z",
    ])
  func noTimes(text: String) {
    let bytes = [0x17, UInt8(text.utf8.count)] + Array(text.utf8)
    let element = DERElement(tag: 0x17, whole: 0..<bytes.count, content: 2..<bytes.count)
    #expect(CertificateTime.seconds(of: element, in: bytes) == nil)
  }
}
