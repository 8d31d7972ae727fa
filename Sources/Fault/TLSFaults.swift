// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import TLS

extension Fault {
  /// A TLS session that failed, as a fault of the server at an address.
  public init(_ failure: TLSFailure, at name: String) {
    if failure.wantsClientCertificate {
      self = Self.clientCertificate(failure, at: name)
      return
    }
    switch failure.kind {
    case .certificate(let faults): self = Self.certificate(faults, at: name)
    case .notTLS(let firstBytes): self.init(insteadOfTLS: firstBytes, at: name)
    case .alertReceived(let alert): self.init(.tlsAlert, name, detail: "alert \(alert.name)")
    case .unsupportedVersion(let version):
      let spoken = version.map { "it chose \($0.name)" } ?? failure.detail
      self.init(.tlsFailed, name, detail: spoken, hint: "the server must speak TLS 1.2 or 1.3")
    case .alpnRejected: self.init(.alpnMissing, name)
    case .truncated:
      self.init(
        failure.duringHandshake ? .tlsClosed : .connectionLost, name,
        detail: failure.duringHandshake ? "" : Self.endOfFile)
    case .protocolViolation, .library:
      self.init(failure.duringHandshake ? .tlsFailed : .connectionLost, name, detail: failure.detail)
    }
  }

  private static func clientCertificate(_ failure: TLSFailure, at name: String) -> Fault {
    var seen: [String] = []
    if case .alertReceived(let alert) = failure.kind { seen.append("alert \(alert.name)") }
    if !failure.acceptableClientCAs.isEmpty {
      seen.append("it accepts those of " + failure.acceptableClientCAs.prefix(3).joined(separator: " or "))
    }
    let hint =
      failure.hadClientCertificate ? "the one that was given is not accepted: check its issuer and its dates" : ""
    return Fault(.clientCertificateWanted, name, detail: seen.joined(separator: ", "), hint: hint)
  }

  /// What is wrong with a certificate of the server at an address, as one fault.
  public init(_ faults: [CertificateFault], at name: String) { self = Self.certificate(faults, at: name) }

  /// A certificate's faults as one: the first gives the name, the others are told beside it.
  static func certificate(_ faults: [CertificateFault], at name: String) -> Fault {
    guard let first = faults.first else { return Fault(.certificateInvalid, name) }
    let subject = first.certificate.map { $0.subject.isEmpty ? "(no subject)" : $0.subject } ?? name
    var seen = [first.observation]
    for fault in faults.dropFirst() {
      let text =
        fault.code == .untrustedRoot
        ? "" : "also " + fault.words + (fault.observation.isEmpty ? "" : ": " + fault.observation)
      if !text.isEmpty, !seen.contains(text) { seen.append(text) }
    }
    return Fault(first.faultCode, subject, detail: seen.filter { !$0.isEmpty }.joined(separator: "; "))
  }
}

extension CertificateFault {
  fileprivate var faultCode: FaultCode {
    switch code {
    case .expired: .certificateExpired
    case .notYetValid: .certificateNotYetValid
    case .wrongHost: .certificateWrongHost
    case .noAlternativeName: .certificateNoNames
    case .unknownIssuer: .certificateUnknownIssuer
    case .selfSigned, .untrustedRoot: .certificateSelfSigned
    case .weakKey, .weakSignature: .certificateWeak
    case .wrongUsage: .certificateWrongUsage
    case .badSignature, .invalidAuthority, .revoked, .notSVID, .missing, .other: .certificateInvalid
    }
  }

  /// The fault in a few words, as it stands beside another.
  fileprivate var words: String {
    switch code {
    case .expired: "expired"
    case .notYetValid: "not yet valid"
    case .wrongHost: "for another name"
    case .noAlternativeName: "without a subject alternative name"
    case .unknownIssuer: "of an unknown issuer"
    case .selfSigned: "self-signed"
    case .untrustedRoot: "under an untrusted root"
    case .weakKey: "weak key"
    case .weakSignature: "weak signature"
    case .wrongUsage: "not for a server"
    case .badSignature: "badly signed"
    case .invalidAuthority: "issued by no authority"
    case .revoked: "revoked"
    case .notSVID: "no SPIFFE identity"
    case .missing: "missing"
    case .other(let number): "refused by OpenSSL (verify error \(number))"
    }
  }

  /// What the certificate says that shows the fault.
  fileprivate var observation: String {
    guard let certificate else { return "" }
    switch code {
    case .expired: return "since \(certificate.notAfterText)"
    case .notYetValid: return "before \(certificate.notBeforeText)"
    case .wrongHost:
      let names = certificate.hostNames.prefix(5).joined(separator: ", ")
      return "it names \(names), wanted \(expectedName ?? "another")"
    case .noAlternativeName: return "wanted \(expectedName ?? "one")"
    case .unknownIssuer: return "issued by \(certificate.issuer)"
    case .untrustedRoot: return "its root is not among the trusted ones"
    case .weakKey: return "key \(certificate.key)"
    case .weakSignature: return "signed with \(certificate.signatureAlgorithm)"
    case .wrongUsage: return "its usage is \((certificate.extendedKeyUsages ?? []).joined(separator: ", "))"
    case .badSignature, .invalidAuthority, .revoked, .notSVID, .missing, .other: return words
    case .selfSigned: return ""
    }
  }
}
