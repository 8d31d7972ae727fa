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
    for code in ["H2_UNANSWERED", "HTTP_STATUS", "NOT_HTTP1", "HTTP1_PROTOCOL_ERROR"] { #expect(codes.contains(code)) }
    for code in [
      "SAME_NETWORK", "NOT_SAME_NETWORK", "NO_ADDRESS", "NO_DEFAULT_ROUTE", "MTU_LOWER", "NO_NAMESERVER", "NO_CA_STORE",
    ] {
      #expect(codes.contains(code))
    }
    for code in [
      "DNS_NXDOMAIN", "DNS_NO_ADDRESS", "DNS_UNREACHABLE", "DNS_FAILED", "DNS_TIMEOUT", "DNS_SERVFAIL", "DNS_REFUSED",
      "DNS_DISAGREE",
    ] {
      #expect(codes.contains(code))
    }
  }

  @Test("every explanation has causes and a cure, and names only commands that there are")
  func sound() {
    let commands = Set(Netdiag.commands.map(\.name))
    for diagnosis in Diagnosis.all {
      #expect(!diagnosis.causes.isEmpty && !diagnosis.cure.isEmpty && !diagnosis.meaning.hasSuffix("."))
      let words = diagnosis.next.split(separator: " ").map(String.init)
      guard words.count > 1 else { continue }
      let name = words[1] == "grpc" ? words[1...2].joined(separator: " ") : words[1]
      #expect(words[0] == "netdiag" && commands.contains(name), "\(diagnosis.code)")
    }
  }

  @Test("what other programs print is known, by a line's most telling phrase")
  func errorTexts() {
    let known = [
      "transport: authentication handshake failed: tls: first record does not look like a TLS handshake":
        "TLS_TO_PLAINTEXT",
      "desc = error reading server preface: http2: frame too large": "NOT_HTTP2",
      "connection error: desc = \"transport: Error while dialing: dial tcp 10.0.0.1:80: connect: connection refused\"":
        "TCP_REFUSED",
      "rpc error: code = DeadlineExceeded desc = context deadline exceeded": "DEADLINE_EXPIRED",
      "dial tcp: lookup user-service on 127.0.0.11:53: no such host": "DNS_NXDOMAIN",
      "x509: certificate signed by unknown authority": "CERT_UNTRUSTED",
      "credentials: cannot check peer: missing selected ALPN property": "ALPN_MISSING",
      "SSL routines::tlsv13 alert certificate required": "CLIENT_CERT_REQUIRED",
      "io.grpc.StatusRuntimeException: UNIMPLEMENTED: unknown service a.B": "GRPC_UNIMPLEMENTED",
      "upstream connect error or disconnect/reset before headers. reset reason: connection failure, transport failure "
        + "reason: delayed connect error: 111": "TCP_REFUSED",
      "connect() failed (111: Connection refused) while connecting to upstream": "TCP_REFUSED",
      "upstream timed out (110: Connection timed out) while reading response header": "DEADLINE_EXPIRED",
      "curl: (6) Could not resolve host: x": "DNS_NXDOMAIN",
      "grpc: received message larger than max (5000000 vs. 4194304)": "MESSAGE_TOO_LARGE",
      "GOAWAY received, ENHANCE_YOUR_CALM, debug data: too_many_pings": "TOO_MANY_PINGS",
      "code = Internal desc = stream terminated by RST_STREAM with error code: PROTOCOL_ERROR": "H2_RST_STREAM",
      "Received RST_STREAM with error code 2": "H2_RST_STREAM",
      "connection error: COMPRESSION_ERROR": "H2_COMPRESSION_ERROR",
      "code = Unavailable desc = closing transport due to: GOAWAY, code: NO_ERROR": "H2_GOAWAY",
      "all is well": nil,
    ]
    for (line, code) in known { #expect(ErrorText.find(in: Array(line.utf8)).first?.code == code, "\(line)") }
    let text = "fine\n\nECONNREFUSED token=secret\nNo Such Host\n"
    let found = ErrorText.find(in: Array(text.utf8))
    #expect(found.map(\.line) == [3, 4] && found.map(\.code) == ["TCP_REFUSED", "DNS_NXDOMAIN"])
    #expect(found[0].phrase == "econnrefused")
    #expect(ErrorText.codes.isSubset(of: Set(Diagnosis.all.map(\.code))))
  }

  @Test("a code is found however it is written")
  func names() {
    #expect(Diagnosis.named("cert-expired")?.code == "CERT_EXPIRED")
    #expect(Diagnosis.named("CERT_EXPIRED")?.code == "CERT_EXPIRED")
    #expect(Diagnosis.named("CERT") == nil && Diagnosis.named("") == nil)
  }
}
