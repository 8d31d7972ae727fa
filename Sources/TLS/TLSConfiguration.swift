// SPDX-License-Identifier: Apache-2.0

/// What a client demands of a server's certificate.
public enum ServerVerification: Sendable {
  /// Anything goes. The chain is still reported, and can be judged afterwards.
  case none
  /// A chain to a trusted root, and ``TLSClientConfiguration/serverName`` among the certificate's alternative names.
  case full
  /// A chain to a trusted root, whatever name it is for.
  case chainOnly
  /// An X.509-SVID of any workload in these trust domains, each judged by its own domain's roots; host names and
  /// ``TLSClientConfiguration/roots`` play no part.
  case spiffe([SPIFFEBundle])
}

/// The roots of one SPIFFE trust domain.
public struct SPIFFEBundle: Sendable {
  /// The domain's name, without the scheme: `example.org`.
  public var trustDomain: String
  /// Its roots in DER, one after another, as the Workload API hands them out.
  public var certificates: [UInt8]

  /// The roots of a trust domain.
  public init(trustDomain: String, certificates: [UInt8]) {
    self.trustDomain = trustDomain
    self.certificates = certificates
  }
}

/// How a client shakes hands.
public struct TLSClientConfiguration: Sendable {
  /// What is demanded of the server's certificate.
  public var verification: ServerVerification
  /// Whom to believe.
  public var roots: TrustRoots
  /// The DNS name to send (SNI) and to verify. An IP literal, with or without zone, is verified as an address and never
  /// sent (RFC 6066 section 3).
  public var serverName: String?
  /// The protocols to offer by ALPN, best first (RFC 7301); none where empty. Whether the choice suits is the caller's
  /// decision.
  public var alpn: [String] = []
  /// The certificate to show where the server asks for one.
  public var identity: TLSIdentity?
  /// The oldest version to speak.
  public var minimumVersion = TLSVersion.tls12
  /// The newest version to speak.
  public var maximumVersion = TLSVersion.tls13
  /// Whether to ask for a stapled OCSP response (RFC 6066 section 8).
  public var requestsOCSPStaple = false

  /// A client that verifies fully, against these roots.
  public init(verification: ServerVerification = .full, roots: TrustRoots = .none, serverName: String? = nil) {
    self.verification = verification
    self.roots = roots
    self.serverName = serverName
  }
}

/// What a server demands of its clients.
public enum ClientVerification: Sendable {
  /// Clients are not asked for a certificate.
  case none
  /// Clients are asked for one; whoever shows one needs a chain to these roots.
  case request(TrustRoots)
  /// Clients without a certificate that leads to these roots are turned away.
  case require(TrustRoots)
}

/// How a server shakes hands.
public struct TLSServerConfiguration: Sendable {
  /// The certificate to show.
  public var identity: TLSIdentity
  /// The protocols spoken, best first; a client that offers only others is refused (RFC 7301 section 3.2).
  public var alpn: [String] = []
  /// What is demanded of clients.
  public var clientVerification = ClientVerification.none
  /// The oldest version to speak.
  public var minimumVersion = TLSVersion.tls12
  /// The newest version to speak.
  public var maximumVersion = TLSVersion.tls13
  /// An OCSP response in DER to staple for clients that ask for one.
  public var ocspStaple: [UInt8]?
  /// OpenSSL's security level. Tests lower it, to play a server with a certificate that nobody should accept.
  var securityLevel = TLSContext.securityLevel

  /// A server that shows this certificate.
  public init(identity: TLSIdentity) { self.identity = identity }
}

/// Why a context or a session could not be made: what is wrong with what the caller gave.
public enum TLSConfigurationError: Error, Equatable, Sendable {
  /// The certificate's text holds no `CERTIFICATE` block, but blocks with these labels.
  case noCertificateBlock(found: [String])
  /// The key's text holds no `… PRIVATE KEY` block, but blocks with these labels.
  case noKeyBlock(found: [String])
  /// The private key is behind a pass phrase.
  case encryptedKey
  /// The private key is of no known kind, or damaged.
  case unusableKey
  /// A certificate is damaged.
  case unusableCertificate
  /// The private key is not the one of the first certificate.
  case keyMismatch
  /// The certificate's key or signature is too weak to be shown to anybody.
  case weakIdentity
  /// The name can be neither a DNS name nor an IP address.
  case invalidServerName(String)
  /// A protocol for ALPN is empty or longer than 255 bytes.
  case invalidALPN(String)
  /// Full verification needs a name to verify.
  case missingServerName
  /// OpenSSL refused, for the reason in its words or numbers.
  case library(String)
}
