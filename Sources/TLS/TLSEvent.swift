// SPDX-License-Identifier: Apache-2.0

/// What happened in a session.
public enum TLSEvent: Sendable {
  /// Both sides can send now. Under TLS 1.3 a server may still refuse a client's certificate, or miss one, after this.
  case handshakeCompleted(TLSPeerFacts)
  /// The peer sent these bytes.
  case data([UInt8])
  /// The peer ended its side in an orderly way (`close_notify`); nothing more will come from it.
  case closed
  /// The session is over. What ``TLSSession/drain(into:)`` still gives is the alert for the peer.
  case failed(TLSFailure)
}

/// What a finished handshake says about the peer and the connection.
public struct TLSPeerFacts: Sendable {
  /// The protocol's version.
  public var version: TLSVersion
  /// The cipher suite's name in the RFCs, such as `TLS_AES_256_GCM_SHA384`.
  public var cipherSuite: String
  /// The group of the key exchange, such as `x25519` or `secp256r1`; nil where it was done without one.
  public var keyExchangeGroup: String?
  /// The protocol that the server chose by ALPN; nil where it chose none.
  public var alpn: String?
  /// The peer's certificates in DER, as sent; of an earlier handshake where the session was resumed.
  public var certificates: [[UInt8]] = []
  /// Whether keys of an earlier session were used, without a new look at certificates.
  public var isResumed = false
  /// The OCSP response that the server stapled, in DER.
  public var ocspStaple: [UInt8]?
  /// Whether the server asked for a client certificate.
  public var clientCertificateRequested = false
  /// By which authorities, as far as the server names them.
  public var acceptableClientCAs: [String] = []
  /// The name that the client asked for (SNI), in a server's session.
  public var requestedServerName: String?

  /// What the certificates say; one that cannot be read is left out.
  public var chain: [CertificateFacts] { certificates.compactMap { CertificateFacts(der: $0) } }
  /// What the stapled OCSP response says; nil where there is none or it cannot be read.
  public var ocspStatus: OCSPStatus? { ocspStaple.flatMap { OCSPStatus(response: $0) } }

  init(version: TLSVersion, cipherSuite: String) {
    self.version = version
    self.cipherSuite = cipherSuite
  }
}

/// Why a session is over.
public struct TLSFailure: Error, Equatable, Sendable {
  /// The kinds of ends.
  public enum Kind: Equatable, Sendable {
    /// The peer said why it ends the session.
    case alertReceived(TLSAlert)
    /// The peer's certificate was refused: all that is wrong with it, first cause first.
    case certificate([CertificateFault])
    /// The peer does not speak TLS at all; its first bytes.
    case notTLS(firstBytes: [UInt8])
    /// The peer speaks only versions that this side does not: the one that it chose, where it said so.
    case unsupportedVersion(TLSVersion?)
    /// The peer does not speak any of the protocols offered by ALPN.
    case alpnRejected
    /// The connection ended without an orderly end of the session.
    case truncated
    /// The peer broke the rules, or nothing suits both sides; this side told it by ``TLSFailure/alertSent``.
    case protocolViolation
    /// OpenSSL itself failed, for lack of memory or randomness.
    case library
  }

  /// What ended the session.
  public var kind: Kind
  /// OpenSSL's reason in a few words, for one line; empty where there is none.
  public var detail = ""
  /// Whether the handshake was still going on.
  public var duringHandshake: Bool
  /// How many bytes the peer had sent by then.
  public var bytesReceived = 0
  /// Whether application data had arrived by then.
  public var dataReceived = false
  /// The alert that was sent to the peer.
  public var alertSent: TLSAlert?
  /// Whether the server had asked for a client certificate.
  public var clientCertificateRequested = false
  /// Whether this side had one to show.
  public var hadClientCertificate = false
  /// By which authorities the server wanted it.
  public var acceptableClientCAs: [String] = []

  /// Whether the failure means that the server wants a client certificate, or another than the one that it was shown.
  ///
  /// A TLS 1.3 server says so by an alert after the handshake, or just hangs up before any data; a TLS 1.2 server by an
  /// alert about certificates, or by `handshake_failure`.
  public var wantsClientCertificate: Bool {
    switch kind {
    case .alertReceived(.certificateRequired): true
    case .alertReceived(.handshakeFailure): clientCertificateRequested && !hadClientCertificate
    case .alertReceived(let alert): clientCertificateRequested && alert.isAboutCertificates
    case .truncated: clientCertificateRequested && !hadClientCertificate && !dataReceived
    default: false
    }
  }

  init(kind: Kind, duringHandshake: Bool) {
    self.kind = kind
    self.duringHandshake = duringHandshake
  }
}
