// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import TLS

/// Builds OCSP responses (RFC 6960 section 4.2.1), unsigned: nobody here verifies them.
enum OCSPFixture {
  static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    content.count < 128
      ? [tag, UInt8(content.count)] + content
      : [tag, 0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
  }

  static func time(_ text: String) -> [UInt8] { element(0x18, Array(text.utf8)) }

  static func response(status: [UInt8], nextUpdate: String? = "20260108000000Z") -> [UInt8] {
    let certificate = element(
      0x30, element(0x30, [0x06, 0x01, 0x2A]) + element(0x04, [1]) + element(0x04, [2]) + [2, 1, 5])
    let next = nextUpdate.map { element(0xA0, time($0)) } ?? []
    let single = element(0x30, certificate + status + time("20260101000000Z") + next)
    let responder = element(0xA2, element(0x04, [UInt8](repeating: 9, count: 20)))
    let data = element(0x30, responder + time("20260101000000Z") + element(0x30, single))
    let basic = element(0x30, data + element(0x30, [0x06, 0x01, 0x2A]) + element(0x03, [0, 1]))
    let type: [UInt8] = [0x06, 0x09, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01]
    return element(0x30, [0x0A, 1, 0] + element(0xA0, element(0x30, type + element(0x04, basic))))
  }
}

@Suite struct OCSPStatusTests {
  @Test("the three answers are told apart, with their times")
  func answers() throws {
    for (bytes, answer) in [
      ([0x80, 0], .good), ([0xA1, 0x11] + OCSPFixture.time("20251231000000Z"), .revoked), ([0x82, 0], .unknown),
    ] as [([UInt8], OCSPStatus.Answer)] {
      let status = try #require(OCSPStatus(response: OCSPFixture.response(status: bytes)))
      #expect(status.answer == answer)
      #expect(CertificateTime.text(status.thisUpdate) == "2026-01-01T00:00:00Z")
      #expect(status.nextUpdate.map { CertificateTime.text($0) } == "2026-01-08T00:00:00Z")
    }
    let endless = OCSPStatus(response: OCSPFixture.response(status: [0x80, 0], nextUpdate: nil))
    #expect(endless?.nextUpdate == nil)
    #expect(endless?.answer == .good)
  }

  @Test("a refusal of the responder, a cut-off response and garbage are none")
  func refusals() {
    #expect(OCSPStatus(response: [0x30, 3, 0x0A, 1, 6]) == nil)
    let good = OCSPFixture.response(status: [0x80, 0])
    for count in 0..<good.count { #expect(OCSPStatus(response: Array(good.prefix(count))) == nil) }
    var generator = SeededGenerator(11)
    for _ in 0..<2000 {
      var bytes = good
      for _ in 0..<3 {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      _ = OCSPStatus(response: bytes)
    }
  }
}
