// SPDX-License-Identifier: Apache-2.0

/// An alert: the one byte with which a peer says why it ends a connection (RFC 8446 section 6, RFC 5246 section 7.2).
public struct TLSAlert: Equatable, Sendable {
  /// The number on the wire.
  public var number: UInt8

  /// An alert of this number.
  public init(_ number: UInt8) { self.number = number }

  /// The number's name in the RFC, such as `handshake_failure`; `alert N` for one that no RFC names.
  public var name: String {
    switch number {
    case 0: "close_notify"
    case 10: "unexpected_message"
    case 20: "bad_record_mac"
    case 21: "decryption_failed"
    case 22: "record_overflow"
    case 30: "decompression_failure"
    case 40: "handshake_failure"
    case 41: "no_certificate"
    case 42: "bad_certificate"
    case 43: "unsupported_certificate"
    case 44: "certificate_revoked"
    case 45: "certificate_expired"
    case 46: "certificate_unknown"
    case 47: "illegal_parameter"
    case 48: "unknown_ca"
    case 49: "access_denied"
    case 50: "decode_error"
    case 51: "decrypt_error"
    case 70: "protocol_version"
    case 71: "insufficient_security"
    case 80: "internal_error"
    case 86: "inappropriate_fallback"
    case 90: "user_canceled"
    case 100: "no_renegotiation"
    case 109: "missing_extension"
    case 110: "unsupported_extension"
    case 112: "unrecognized_name"
    case 113: "bad_certificate_status_response"
    case 115: "unknown_psk_identity"
    case 116: "certificate_required"
    case 120: "no_application_protocol"
    default: "alert " + String(number)
    }
  }

  /// The orderly end.
  static let closeNotify = TLSAlert(0)
  /// Nothing in the peer's offer suits; a TLS 1.2 server says so too when it misses a client certificate.
  static let handshakeFailure = TLSAlert(40)
  /// A TLS 1.3 server misses a client certificate.
  static let certificateRequired = TLSAlert(116)
  /// The server speaks none of the protocols offered by ALPN (RFC 7301).
  static let noApplicationProtocol = TLSAlert(120)

  /// Whether the alert blames a certificate, or its absence.
  var isAboutCertificates: Bool { (41...46).contains(number) || number == 48 || number == 49 || number == 116 }
}

/// A version of the protocol, by its number on the wire.
public struct TLSVersion: Equatable, Comparable, Sendable {
  /// The number on the wire: 0x0303 is TLS 1.2.
  public var number: UInt16

  /// The version of this number.
  public init(_ number: UInt16) { self.number = number }

  /// RFC 5246.
  public static let tls12 = TLSVersion(0x0303)
  /// RFC 8446.
  public static let tls13 = TLSVersion(0x0304)

  /// The usual name: `TLS 1.3`, `SSL 3.0`.
  public var name: String {
    switch number {
    case 0x0300: "SSL 3.0"
    case 0x0301...0x03FF: "TLS 1." + String(number - 0x0301)
    default: "version 0x" + String(number, radix: 16)
    }
  }

  /// Whether one version is older than another.
  public static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.number < right.number }
}
