// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Fault
internal import JSON
internal import Sys
internal import TLS

/// What `netdiag tls` has found.
struct TLSReport {
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
      findings = [Finding(mark: .failure, code: fault.code.diagnosis, text: fault.programReason)]
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
    output.line(.note, "handshake with \(found.peer) in \(TCPReport.duration(found.handshakeTime))")
  }

  // MARK: - JSON

  /// The report as one document.
  var json: JSONWriter {
    var json = JSONWriter()
    json.beginObject()
    json.key("schema")
    json.integer(1)
    json.key("command")
    json.string("tls")
    json.key("ok")
    json.boolean(worst <= .warning)
    json.key("code")
    json.string(code)
    json.key("error")
    if case .failure(let fault) = outcome { json.string(fault.programReason) } else { json.null() }
    json.key("target")
    json.string(endpoint.text)
    json.key("serverName")
    json.string(serverName.safeForDisplay)
    let found = try? outcome.get()
    json.key("peer")
    json.optional(found?.peer)
    json.key("version")
    json.optional(found?.facts.version.name)
    json.key("cipherSuite")
    json.optional(found?.facts.cipherSuite)
    json.key("group")
    json.optional(found?.facts.keyExchangeGroup)
    json.key("alpn")
    json.optional(found?.facts.alpn?.safeForDisplay)
    json.key("resumable")
    json.optional(found?.isResumable)
    json.key("clientCertificateRequested")
    json.optional(found?.facts.clientCertificateRequested)
    json.key("acceptableClientCAs")
    json.beginArray()
    for name in found?.facts.acceptableClientCAs ?? [] { json.string(name.safeForDisplay) }
    json.endArray()
    json.key("ocsp")
    json.optional(found?.facts.ocspStatus?.answer.text)
    json.key("handshakeMilliseconds")
    if let found { json.thousandths(found.handshakeTime / 1_000) } else { json.null() }
    json.key("findings")
    json.beginArray()
    for finding in findings {
      json.beginObject()
      json.key("mark")
      json.string(finding.mark.word)
      json.key("code")
      json.string(finding.code)
      json.key("text")
      json.string(finding.text)
      json.endObject()
    }
    json.endArray()
    json.key("certificates")
    json.beginArray()
    for certificate in found?.facts.chain ?? [] { append(certificate, to: &json) }
    json.endArray()
    json.endObject()
    return json
  }

  private func append(_ certificate: CertificateFacts, to json: inout JSONWriter) {
    json.beginObject()
    json.key("subject")
    json.string(certificate.subject.safeForDisplay)
    json.key("issuer")
    json.string(certificate.issuer.safeForDisplay)
    json.key("serialNumber")
    json.string(certificate.serialNumber)
    json.key("notBefore")
    json.string(certificate.notBeforeText)
    json.key("notAfter")
    json.string(certificate.notAfterText)
    json.key("daysLeft")
    json.integer((certificate.notAfter - now) / 86_400)
    json.key("names")
    json.beginArray()
    for name in certificate.hostNames { json.string(name.safeForDisplay) }
    json.endArray()
    json.key("key")
    json.string(certificate.key)
    json.key("signatureAlgorithm")
    json.string(certificate.signatureAlgorithm)
    json.key("isCA")
    json.boolean(certificate.isCA)
    json.key("sha256")
    json.string(certificate.sha256Fingerprint)
    json.endObject()
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

extension JSONWriter {
  /// Writes a truth, or null.
  mutating func optional(_ value: Bool?) {
    if let value { boolean(value) } else { null() }
  }
}
