// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// The library as a whole: starting it, and reading its queue of errors.
public enum TLSLibrary {
  /// OpenSSL's version, such as `3.0.19`.
  public static var version: String { unsafe String(cString: OpenSSL_version(OPENSSL_VERSION_STRING)) }

  /// Starts OpenSSL, once; every entry point of this module calls it first.
  ///
  /// Without the machine's openssl.cnf, which shall not steer us, and without the texts of errors, which cost time and
  /// memory; nothing is cleaned up at exit, as the process ends anyway.
  static func start() { _ = OPENSSL_init_ssl(sonde_OPENSSL_INIT_LEAN | sonde_OPENSSL_INIT_LEAN_SSL, nil) }

  /// Empties the queue, before a call whose errors matter.
  static func clearErrors() { ERR_clear_error() }

  /// Empties the queue and gives its first, deepest entry.
  static func takeError() -> LibraryError? {
    let code = ERR_get_error()
    guard code != 0 else { return nil }
    ERR_clear_error()
    return LibraryError(library: ERR_GET_LIB(code), reason: ERR_GET_REASON(code))
  }

  /// The first error as text, for configuration that fails.
  static func takeErrorText() -> String { takeError()?.text ?? "no reason given" }
}

/// One entry of OpenSSL's queue of errors.
struct LibraryError: Equatable, Sendable {
  var library: Int32
  var reason: Int32

  /// The reason in words where it is one that peers and configurations cause; else OpenSSL's numbers.
  var text: String {
    if library == ERR_LIB_SSL, reason >= SSL_AD_REASON_OFFSET, reason < SSL_AD_REASON_OFFSET + 256 {
      return "alert " + TLSAlert(UInt8(truncatingIfNeeded: reason - SSL_AD_REASON_OFFSET)).name
    }
    if library == ERR_LIB_SSL, let text = sslText { return text }
    return "OpenSSL library " + String(library) + ", reason " + String(reason)
  }

  private var sslText: String? {
    switch reason {
    case SSL_R_BAD_EXTENSION: "bad extension"
    case SSL_R_BAD_LENGTH: "bad length"
    case SSL_R_BAD_RECORD_TYPE: "bad record type"
    case SSL_R_BAD_SIGNATURE: "bad signature"
    case SSL_R_CA_KEY_TOO_SMALL: "the issuer's key is too small"
    case SSL_R_CA_MD_TOO_WEAK: "a signature in the chain is too weak"
    case SSL_R_CERTIFICATE_VERIFY_FAILED: "certificate verify failed"
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: "a record cannot be decrypted"
    case SSL_R_DH_KEY_TOO_SMALL: "the Diffie-Hellman key is too small"
    case SSL_R_EE_KEY_TOO_SMALL: "the certificate's key is too small"
    case SSL_R_ENCRYPTED_LENGTH_TOO_LONG: "a record is too long"
    case SSL_R_EXCESSIVE_MESSAGE_SIZE: "a message is too long"
    case SSL_R_HTTP_REQUEST: "an HTTP request"
    case SSL_R_HTTPS_PROXY_REQUEST: "an HTTP CONNECT request"
    case SSL_R_INAPPROPRIATE_FALLBACK: "inappropriate fallback"
    case SSL_R_LENGTH_MISMATCH: "length mismatch"
    case SSL_R_LENGTH_TOO_SHORT: "length too short"
    case SSL_R_LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED: "the server signs only with algorithms that are too old"
    case SSL_R_NO_APPLICATION_PROTOCOL: "no application protocol in common"
    case SSL_R_NO_CIPHERS_AVAILABLE: "no ciphers available"
    case SSL_R_NO_PROTOCOLS_AVAILABLE: "no protocol version available"
    case SSL_R_NO_RENEGOTIATION: "renegotiation refused"
    case SSL_R_NO_SHARED_CIPHER: "no cipher in common"
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS: "no signature algorithm in common"
    case SSL_R_NO_SUITABLE_KEY_SHARE: "no key exchange group in common"
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM: "no suitable signature algorithm"
    case SSL_R_PACKET_LENGTH_TOO_LONG: "a record is too long"
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: "the peer sent no certificate"
    case SSL_R_RECORD_LENGTH_MISMATCH: "record length mismatch"
    case SSL_R_RECORD_TOO_SMALL: "a record is too small"
    case SSL_R_TOO_MANY_WARN_ALERTS: "too many warnings"
    case SSL_R_UNEXPECTED_MESSAGE: "unexpected message"
    case SSL_R_UNEXPECTED_RECORD: "unexpected record"
    case SSL_R_UNKNOWN_CIPHER_RETURNED, SSL_R_WRONG_CIPHER_RETURNED: "the server chose a cipher that was not offered"
    case SSL_R_UNKNOWN_PROTOCOL: "unknown protocol"
    case SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED: "the peer lacks secure renegotiation"
    case SSL_R_UNSUPPORTED_PROTOCOL: "unsupported protocol version"
    case SSL_R_UNSUPPORTED_SSL_VERSION, SSL_R_WRONG_SSL_VERSION, SSL_R_WRONG_VERSION_NUMBER: "wrong version number"
    case SSL_R_WRONG_SIGNATURE_TYPE: "wrong signature type"
    default: nil
    }
  }
}
