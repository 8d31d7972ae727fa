// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// One thing that is wrong with a certificate of a chain.
public struct CertificateFault: Equatable, Sendable {
  /// What can be wrong.
  public enum Code: Equatable, Sendable {
    /// Its time is over.
    case expired
    /// Its time has not come; or this machine's clock is behind.
    case notYetValid
    /// It is for other names than the one that was asked for.
    case wrongHost
    /// It has no subject alternative name for hosts at all; the common name no longer counts (RFC 9525 section 2).
    case noAlternativeName
    /// Its issuer is neither in the chain nor among the roots: an unknown authority, or a missing intermediate.
    case unknownIssuer
    /// It signed itself and is not among the roots.
    case selfSigned
    /// The chain ends in a root that is not trusted.
    case untrustedRoot
    /// Its key is too small (less than 112 bits of security: RSA below 2048, elliptic curves below 224).
    case weakKey
    /// It is signed with a broken digest: MD5 or SHA-1.
    case weakSignature
    /// It may not be used for this: the extended key usage names other purposes.
    case wrongUsage
    /// Its signature does not fit its issuer's key.
    case badSignature
    /// It issued a certificate, but is no authority, or not for so long a chain or such a name.
    case invalidAuthority
    /// It was revoked.
    case revoked
    /// It is no X.509-SVID, which is a leaf with exactly one SPIFFE ID (SPIFFE X509-SVID section 2), or one of a trust
    /// domain without roots here: its URIs tell which.
    case notSVID
    /// None was sent.
    case missing
    /// Another of OpenSSL's findings, by its number (`X509_V_ERR_…`).
    case other(Int)
  }

  /// What is wrong.
  public var code: Code
  /// Where in the chain: 0 is the peer's own certificate.
  public var depth: Int
  /// What the certificate says; nil where there is none, or it cannot be read.
  public var certificate: CertificateFacts?
  /// The name that was to be found in it, for ``Code-swift.enum/wrongHost`` and ``Code-swift.enum/noAlternativeName``.
  public var expectedName: String?
}

extension CertificateFault.Code {
  /// The meaning of one of OpenSSL's verify codes.
  init(verifyCode: Int32, leafHasHostNames: Bool) {
    switch verifyCode {
    case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
    case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
      self = leafHasHostNames ? .wrongHost : .noAlternativeName
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      self = .unknownIssuer
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: self = .selfSigned
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_CERT_UNTRUSTED, X509_V_ERR_CERT_REJECTED:
      self = .untrustedRoot
    case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL: self = .weakKey
    case X509_V_ERR_CA_MD_TOO_WEAK: self = .weakSignature
    case X509_V_ERR_INVALID_PURPOSE: self = .wrongUsage
    case X509_V_ERR_CERT_SIGNATURE_FAILURE, X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE: self = .badSignature
    case X509_V_ERR_INVALID_CA, X509_V_ERR_PATH_LENGTH_EXCEEDED, X509_V_ERR_KEYUSAGE_NO_CERTSIGN,
      X509_V_ERR_PERMITTED_VIOLATION, X509_V_ERR_EXCLUDED_VIOLATION:
      self = .invalidAuthority
    case X509_V_ERR_CERT_REVOKED: self = .revoked
    case X509_V_ERR_APPLICATION_VERIFICATION: self = .notSVID
    default: self = .other(Int(verifyCode))
    }
  }
}
