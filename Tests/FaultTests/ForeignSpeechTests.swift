// SPDX-License-Identifier: Apache-2.0

import Fault
import Testing

@Suite struct ForeignSpeechTests {
  @Test(
    "first bytes tell what a peer speaks",
    arguments: [
      ([0x15, 3, 1, 0, 2, 2, 70], ForeignSpeech.tls), ([0x16, 3, 3, 0, 0], .tls),
      (Array("HTTP/1.1 400 Bad Request\r\nX: y".utf8), .http1("HTTP/1.1 400 Bad Request")),
      (Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), .text("SSH-2.0-OpenSSH_9.2")),
      (Array("220 mail ESMTP".utf8), .text("220 mail ESMTP")), ([0, 0, 0, 4, 0, 0, 0, 0, 0], .http2),
      ([0, 0, 6, 4, 0, 0, 0, 0, 0, 0], .http2), ([0xFF, 0xFE, 0x00, 0x01], .binary("fffe0001")), ([], .binary("")),
      ([0x15, 3, 9, 0, 2], .binary("1503090002")),
    ] as [([UInt8], ForeignSpeech)])
  func classification(bytes: [UInt8], speech: ForeignSpeech) { #expect(ForeignSpeech(bytes) == speech) }

  @Test("each has its fault, where HTTP/2 was expected and where TLS was")
  func faults() {
    func codes(_ bytes: [UInt8]) -> [FaultCode] {
      [ForeignSpeech(bytes).faultForHTTP2(at: "x").code, ForeignSpeech(bytes).faultForTLS(at: "x").code]
    }
    #expect(codes([0x15, 3, 1, 0]) == [.serverSpeaksTLS, .tlsFailed])
    #expect(codes(Array("HTTP/1.1 400".utf8)) == [.serverSpeaksHTTP1, .serverNotTLS])
    #expect(codes(Array("SSH-2.0".utf8)) == [.serverNotHTTP2, .serverNotTLS])
    #expect(codes([0, 0, 0, 4, 0, 0, 0, 0, 0]) == [.protocolViolation, .serverNotTLS])
    #expect(codes([0xFF]) == [.serverNotHTTP2, .serverNotTLS])
  }

  @Test("what a peer said is quoted, short and safe")
  func quoting() {
    let fault = ForeignSpeech(Array("HTTP/1.1 \u{1B}[2J".utf8) + Array(repeating: 0x41, count: 500))
      .faultForHTTP2(at: "x")
    #expect(!fault.reason.contains("\u{1B}"))
    #expect(fault.reason.utf8.count < 400)
  }
}
