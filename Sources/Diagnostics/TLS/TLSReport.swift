// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Fault
internal import JSON
internal import Sys
internal import TLS

/// What `netdiag tls` has found.
struct TLSReport: Report {
  static let command = "tls"

  /// One thing that is as it should be, or not.
  struct Finding {
    let mark: Mark
    /// The stable code; `OK` where all is well.
    let code: String
    let text: String
  }

  let endpoint: Endpoint
  /// The name that was asked for and looked for in the certificate.
  let serverName: String
  let outcome: Result<TLSFindings, Fault>
  let findings: [Finding]
  private let now: Int64

  /// A report of what was found.
  ///
  /// - Parameters:
  ///   - minimumDays: how many days the certificate must still be valid.
  ///   - needsHTTP2: whether a server that does not choose h2 is a problem.
  ///   - now: the present moment in seconds since 1970.
  init(
    endpoint: Endpoint, serverName: String, outcome: Result<TLSFindings, Fault>, minimumDays: Int, needsHTTP2: Bool,
    now: Int64
  ) {
    self.endpoint = endpoint
    self.serverName = serverName
    self.outcome = outcome
    self.now = now
    switch outcome {
    case .failure(let fault):
      findings = [Finding(mark: fault.mark, code: fault.code.diagnosis, text: fault.programReason)]
    case .success(let found):
      findings = Self.findings(found, minimumDays: minimumDays, needsHTTP2: needsHTTP2, now: now)
    }
  }

  private static func findings(
    _ found: TLSFindings, minimumDays: Int, needsHTTP2: Bool, now: Int64
  ) -> [Finding] {
    var findings: [Finding] = []
    let facts = found.facts
    let group = facts.keyExchangeGroup.map { ", \($0)" } ?? ""
    findings.append(Finding(mark: .ok, code: "OK", text: "\(facts.version.name), \(facts.cipherSuite)\(group)"))
    if facts.alpn == "h2", facts.version == .tls12, !facts.cipherSuite.isFitForHTTP2 {
      let text =
        "\(facts.cipherSuite) is forbidden for HTTP/2: strict peers end the connection with INADEQUATE_SECURITY"
      findings.append(Finding(mark: .warning, code: "INADEQUATE_SECURITY", text: text))
    }
    switch facts.alpn {
    case "h2"?: findings.append(Finding(mark: .ok, code: "OK", text: "ALPN h2"))
    case let other?:
      let mark: Mark = needsHTTP2 ? .failure : .note
      findings.append(Finding(mark: mark, code: "ALPN_MISSING", text: "ALPN \(other.safeForDisplay), not h2"))
    case nil:
      let text = "no ALPN: gRPC clients refuse a server that does not choose h2"
      findings.append(Finding(mark: needsHTTP2 ? .failure : .note, code: "ALPN_MISSING", text: text))
    }
    if let aftermath = found.aftermath {
      findings.append(Finding(mark: .failure, code: aftermath.code.diagnosis, text: aftermath.programReason))
    } else if facts.clientCertificateRequested {
      let authorities = facts.acceptableClientCAs.prefix(3).map { $0.safeForDisplay }.joined(separator: " or ")
      let text = "asks for a client certificate" + (authorities.isEmpty ? "" : " of " + authorities)
      findings.append(Finding(mark: .note, code: "OK", text: text))
    }
    for fault in found.faults {
      let one = Fault([fault], at: found.peer)
      findings.append(Finding(mark: .failure, code: one.code.diagnosis, text: one.programReason))
    }
    if let leaf = facts.chain.first, leaf.notAfter >= now {
      let days = Int((leaf.notAfter - now) / 86_400)
      let isSoon = days < minimumDays
      let text = "certificate valid until \(leaf.notAfterText), \(days) days"
      findings.append(
        Finding(mark: isSoon ? .failure : .ok, code: isSoon ? "CERT_EXPIRES_SOON" : "OK", text: text))
    }
    return findings
  }

  /// The worst of what was found.
  var worst: Mark { findings.map { $0.mark }.max() ?? .ok }

  /// The code of the worst; `OK` where all is well.
  var code: String {
    let worst = worst
    return worst <= .note ? "OK" : findings.first { $0.mark == worst }?.code ?? "OK"
  }

  var error: String? {
    if case .failure(let fault) = outcome { fault.programReason } else { nil }
  }

  // MARK: - Text

  /// The report for people.
  func write(to output: inout TextOutput) {
    for finding in findings { output.line(finding.mark, finding.text) }
    guard case .success(let found) = outcome else { return }
    for (depth, certificate) in found.facts.chain.enumerated() {
      output.line(.note, "certificate \(depth): \(certificate.subject.safeForDisplay)")
      output.detail("issued by \(certificate.issuer.safeForDisplay)")
      output.detail(
        "\(certificate.notBeforeText) to \(certificate.notAfterText), \(certificate.key), "
          + certificate.signatureAlgorithm)
      if depth == 0 {
        let names = certificate.hostNames.map { $0.safeForDisplay }
        let shown = names.prefix(8).joined(separator: ", ")
        output.detail(
          "names " + (names.isEmpty ? "no host" : shown + (names.count > 8 ? " and \(names.count - 8) more" : "")))
        output.detail("SHA-256 " + certificate.sha256Fingerprint)
      }
    }
    if let status = found.facts.ocspStatus {
      output.line(status.answer == .good ? .note : .warning, "OCSP response stapled: \(status.answer.text)")
    } else if found.facts.chain.first?.mustStaple == true {
      output.line(.warning, "the certificate demands a stapled OCSP response, and there is none")
    }
    if let isResumable = found.isResumable {
      output.line(.note, isResumable ? "sessions can be resumed" : "sessions are not resumed")
    }
    output.line(.note, "handshake with \(found.peer) in \(shownDuration(found.handshakeTime))")
  }

  // MARK: - JSON

  func appendMembers(to json: inout JSONWriter) {
    let found = try? outcome.get()
    json.member("target", endpoint.text)
    json.member("serverName", serverName.safeForDisplay)
    json.member("peer", found?.peer)
    json.member("version", found?.facts.version.name)
    json.member("cipherSuite", found?.facts.cipherSuite)
    json.member("group", found?.facts.keyExchangeGroup)
    json.member("alpn", found?.facts.alpn?.safeForDisplay)
    json.member("resumable", found?.isResumable)
    json.member("clientCertificateRequested", found?.facts.clientCertificateRequested)
    json.member("acceptableClientCAs", (found?.facts.acceptableClientCAs ?? []).map { $0.safeForDisplay })
    json.member("ocsp", found?.facts.ocspStatus?.answer.text)
    json.milliseconds("handshakeMilliseconds", found?.handshakeTime)
    json.members("findings", findings) { finding, json in
      json.member("mark", finding.mark.word)
      json.member("code", finding.code)
      json.member("text", finding.text)
    }
    json.members("certificates", found?.facts.chain ?? []) { certificate, json in
      json.member("subject", certificate.subject.safeForDisplay)
      json.member("issuer", certificate.issuer.safeForDisplay)
      json.member("serialNumber", certificate.serialNumber)
      json.member("notBefore", certificate.notBeforeText)
      json.member("notAfter", certificate.notAfterText)
      json.member("daysLeft", (certificate.notAfter - now) / 86_400)
      json.member("names", certificate.hostNames.map { $0.safeForDisplay })
      json.member("key", certificate.key)
      json.member("signatureAlgorithm", certificate.signatureAlgorithm)
      json.member("isCA", certificate.isCA)
      json.member("sha256", certificate.sha256Fingerprint)
    }
  }
}

extension OCSPStatus.Answer {
  fileprivate var text: String {
    switch self {
    case .good: "good"
    case .revoked: "revoked"
    case .unknown: "unknown"
    }
  }
}

extension String {
  /// Whether a cipher suite of TLS 1.2, by its standard name, is one that HTTP/2 does not forbid (RFC 9113 appendix A):
  /// a key exchange of its own for each connection, and authenticated encryption.
  fileprivate var isFitForHTTP2: Bool {
    let isEphemeral = hasPrefix("TLS_ECDHE_") || hasPrefix("TLS_DHE_")
    return isEphemeral && !["_CBC_", "_RC4_", "_NULL_"].contains { contains($0) }
  }

  private func contains(_ part: String) -> Bool {
    let (text, part) = (Array(utf8), Array(part.utf8))
    return text.indices.contains { text[$0...].starts(with: part) }
  }
}
