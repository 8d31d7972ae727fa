// SPDX-License-Identifier: Apache-2.0

import Fault
import Testing

@Suite struct FaultTests {
  @Test("every code has a stable name in lower case, a step and one printable line", arguments: FaultCode.allCases)
  func table(code: FaultCode) {
    #expect(code.rawValue.utf8.allSatisfy { $0 == 0x2D || (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) })
    let fault = Fault(code, "there", detail: "seen")
    #expect(fault.summary.contains("there"))
    #expect(fault.summary.contains("seen"))
    #expect(fault.reason.hasPrefix(fault.summary))
    #expect(!fault.reason.hasSuffix("."))
    #expect(fault.reason.utf8.allSatisfy { $0 >= 0x20 })
  }

  @Test("what a program says of a fault names no flag of the probe's", arguments: FaultCode.allCases)
  func programs(code: FaultCode) {
    let fault = Fault(code, "there", detail: "seen")
    #expect(fault.programReason.hasPrefix(fault.summary))
    guard code != .noIdentity, code.step != .proxy else { return }
    #expect(!code.programAdvice.split(separator: " ").contains { $0.hasPrefix("-") }, "\(code.programAdvice)")
    #expect(Fault(code, "there", hint: "mine").programReason.hasSuffix("; mine"))
  }

  @Test("what may pass by itself is transient, what somebody has to change is permanent")
  func permanence() {
    let transient = FaultCode.allCases.filter { !$0.isPermanent }
    for code: FaultCode in [.connectionRefused, .nameNotFound, .tlsClosed, .closedBeforeSettings, .noSettings] {
      #expect(transient.contains(code))
    }
    for code: FaultCode in [
      .badTarget, .alpnMissing, .serverSpeaksHTTP1, .serverSpeaksTLS, .serverNotTLS, .certificateExpired,
      .certificateUnknownIssuer, .clientCertificateWanted,
    ] {
      #expect(code.isPermanent)
    }
  }

  @Test("names are unique, and each step has a fault of its own")
  func steps() {
    #expect(Set(FaultCode.allCases.map(\.rawValue)).count == FaultCode.allCases.count)
    #expect(Set(FaultCode.allCases.map(\.step)) == Set(FaultStep.allCases))
  }

  @Test("a summary reads as a line, and a hint of the case's own takes the place of the general advice")
  func wording() {
    let refused = Fault(.connectionRefused, "127.0.0.1:7001")
    #expect(refused.summary == "connection refused by 127.0.0.1:7001")
    #expect(
      refused.reason
        == "connection refused by 127.0.0.1:7001; nothing listens there: check the port, and that the server has "
        + "started on this address")
    #expect(
      Fault(.badTarget, "", detail: "missing port in address", hint: "write localhost:PORT").reason
        == "not a target (missing port in address); write localhost:PORT")
    #expect(
      Fault(.serverNotTLS, "", detail: "it said \"HTTP/1.1 400\"").summary
        == "server speaks no TLS: it said \"HTTP/1.1 400\"")
  }

  @Test("what a peer put into a fault cannot reach a terminal or flood a log")
  func hostile() {
    let fault = Fault(
      .goAway, "a\u{1B}[2J", detail: String(repeating: "x\n", count: 5_000), hint: String(repeating: "é", count: 5_000))
    #expect(fault.reason.utf8.count < 2_000)
    #expect(!fault.reason.contains("\n"))
    #expect(!fault.reason.contains("\u{1B}"))
  }
}
