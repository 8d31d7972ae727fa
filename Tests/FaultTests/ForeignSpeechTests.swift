// SPDX-License-Identifier: Apache-2.0

import Fault
import Testing

@Suite struct ForeignSpeechTests {
  @Test(
    "first bytes have their fault, where HTTP/2 was expected and where TLS was",
    arguments: [
      ([0x15, 3, 1, 0], .serverSpeaksTLS, .tlsFailed), (Array("HTTP/1.1 404".utf8), .serverSpeaksHTTP1, .serverNotTLS),
      (Array("<!DOCTYPE html>".utf8), .serverSpeaksHTTP1, .serverNotTLS),
      (Array("SSH-2.0".utf8), .serverNotHTTP2, .serverNotTLS),
      ([0, 0, 0, 4, 0, 0, 0, 0, 0], .protocolViolation, .serverNotTLS), ([0xFF], .serverNotHTTP2, .serverNotTLS),
      (
        Array("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n".utf8),
        .serverSpeaksTLS,
        .serverNotTLS
      ),
    ] as [([UInt8], FaultCode, FaultCode)])
  func faults(bytes: [UInt8], forHTTP2: FaultCode, forTLS: FaultCode) {
    #expect(Fault(insteadOfHTTP2: bytes, at: "x").code == forHTTP2)
    #expect(Fault(insteadOfTLS: bytes, at: "x").code == forTLS)
  }

  @Test(
    "what was heard is told",
    arguments: [
      (Array("HTTP/1.1 404 Not Found\r\nX: y".utf8), #"it said "HTTP/1.1 404 Not Found""#),
      ([0xFF, 0xFE], "its first bytes are fffe"),
      ([0, 0, 0, 4, 0, 0, 0, 0, 0], "it speaks HTTP/2 in the clear"),
      ([0x16, 3, 1, 1, 0, 1, 0], "it sends back what it is sent"),
    ] as [([UInt8], String)])
  func details(bytes: [UInt8], detail: String) { #expect(Fault(insteadOfTLS: bytes, at: "x").detail == detail) }

  @Test("what a peer said is quoted, short and safe")
  func quoting() {
    let bytes = Array("HTTP/1.1 \u{1B}[2J".utf8) + Array(repeating: 0x41, count: 500)
    let fault = Fault(insteadOfHTTP2: bytes, at: "x")
    #expect(!fault.reason.contains("\u{1B}"))
    #expect(fault.reason.utf8.count < 400)
  }
}
