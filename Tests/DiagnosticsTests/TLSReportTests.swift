// SPDX-License-Identifier: Apache-2.0

import Fault
import JSON
import Testing

@testable import Diagnostics
@testable import TLS

@Suite struct TLSReportTests {
  private func facts(alpn: String? = "h2", requested: Bool = false) -> TLSPeerFacts {
    var facts = TLSPeerFacts(version: .tls13, cipherSuite: "TLS_AES_128_GCM_SHA256")
    facts.alpn = alpn
    facts.clientCertificateRequested = requested
    return facts
  }

  private func report(
    _ facts: TLSPeerFacts, faults: [CertificateFault.Code] = [], aftermath: Fault? = nil, needsHTTP2: Bool = true
  ) throws -> TLSReport {
    let found = TLSFindings(
      peer: "127.0.0.1:443", facts: facts, faults: faults.map { CertificateFault(code: $0, depth: 0) },
      aftermath: aftermath, isResumable: true, handshakeTime: 1_500_000)
    return TLSReport(
      endpoint: try Endpoint(["a:443"]), serverName: "a", outcome: .success(found), minimumDays: 14,
      needsHTTP2: needsHTTP2, now: 0)
  }

  @Test("the code is that of the worst finding, the first of several")
  func codes() throws {
    #expect(try report(facts()).code == "OK")
    #expect(try report(facts(alpn: nil)).code == "ALPN_MISSING")
    #expect(try report(facts(alpn: "http/1.1")).code == "ALPN_MISSING")
    #expect(try report(facts(alpn: nil), needsHTTP2: false).code == "OK")
    #expect(try report(facts(), faults: [.expired, .wrongHost]).code == "CERT_EXPIRED")
    #expect(try report(facts(), faults: [.wrongHost]).code == "CERT_HOSTNAME")
    #expect(try report(facts(), faults: [.unknownIssuer]).code == "CERT_UNTRUSTED")
    let wanted = Fault(.clientCertificateWanted, "127.0.0.1:443")
    #expect(try report(facts(requested: true), aftermath: wanted).code == "CLIENT_CERT_REQUIRED")
    // Asking for a certificate is no problem where the handshake, and what follows, goes well without.
    #expect(try report(facts(requested: true)).worst == .note)
  }

  @Test("every fault is told, and the document's keys are the same without a handshake")
  func forms() throws {
    let several = try report(facts(), faults: [.expired, .wrongHost, .weakKey])
    #expect(several.findings.filter { $0.mark == .failure }.count == 3)
    let failed = TLSReport(
      endpoint: try Endpoint(["a:443"]), serverName: "a", outcome: .failure(Fault(.serverNotTLS, "a:443")),
      minimumDays: 14, needsHTTP2: true, now: 0)
    #expect(failed.code == "TLS_TO_PLAINTEXT" && failed.worst == .failure)
    func keys(_ report: TLSReport) throws -> [String] {
      guard case .object(let members) = try JSONValue(parsing: report.json.bytes) else { return [] }
      return members.map(\.name)
    }
    #expect(try keys(failed) == keys(several))
    #expect(try keys(failed).first == "schema")
  }

  @Test("no advice names a flag of another tool")
  func advice() {
    for code in FaultCode.allCases {
      #expect(!Fault(code, "x").programReason.contains(" -"), "\(code)")
    }
  }
}
