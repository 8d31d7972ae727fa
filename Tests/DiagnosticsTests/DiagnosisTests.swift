// SPDX-License-Identifier: Apache-2.0

import Fault
import Sys
import TestSupport
import Testing

@testable import Diagnostics

@Suite struct DiagnosisTests {
  @Test("every code that a command prints is explained, once")
  func complete() {
    let codes = Diagnosis.all.map(\.code)
    #expect(Set(codes).count == codes.count)
    for fault in FaultCode.allCases { #expect(codes.contains(fault.diagnosis), "\(fault)") }
    let outcomes: [TCPOutcome] = [
      .open, .closedAtOnce(isReset: true), .refused, .hostDown(by: nil), .noRoute, .silence,
      .rejected(NetworkError(origin: .icmp, errno: 0, type: 3, code: 13, sender: nil)),
      .forbidden(SystemError("connect", errno: Errno.permissionDenied)),
      .failed(SystemError("socket", errno: Errno.tooManyFiles)),
      .failed(SystemError("connect", errno: Errno.addressNotAvailable)),
      .failed(SystemError("connect", errno: Errno.fileTooLarge)),
    ]
    for outcome in outcomes { #expect(codes.contains(outcome.code), "\(outcome)") }
    for code in ["OK", "NOT_LISTENING", "LOCALHOST_ONLY", "ACCEPT_QUEUE_FULL", "UNDETERMINED"] {
      #expect(codes.contains(code))
    }
    for code in [
      "SAME_NETWORK", "NOT_SAME_NETWORK", "NO_ADDRESS", "NO_DEFAULT_ROUTE", "MTU_LOWER", "NO_NAMESERVER", "NO_CA_STORE",
    ] {
      #expect(codes.contains(code))
    }
    for code in ["DNS_NXDOMAIN", "DNS_NO_ADDRESS", "DNS_UNREACHABLE", "DNS_FAILED", "DNS_TIMEOUT"] {
      #expect(codes.contains(code))
    }
  }

  @Test("every explanation has causes and a cure, and names only commands that there are")
  func sound() {
    let commands = Set(Netdiag.commands.map(\.name))
    for diagnosis in Diagnosis.all {
      #expect(!diagnosis.causes.isEmpty && !diagnosis.cure.isEmpty && !diagnosis.meaning.hasSuffix("."))
      let words = diagnosis.next.split(separator: " ")
      if words.count > 1 { #expect(words[0] == "netdiag" && commands.contains(String(words[1])), "\(diagnosis.code)") }
    }
  }

  @Test("a code is found however it is written")
  func names() {
    #expect(Diagnosis.named("cert-expired")?.code == "CERT_EXPIRED")
    #expect(Diagnosis.named("CERT_EXPIRED")?.code == "CERT_EXPIRED")
    #expect(Diagnosis.named("CERT") == nil && Diagnosis.named("") == nil)
  }
}
