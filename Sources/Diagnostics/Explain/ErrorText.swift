// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// What other programs print when something fails, and which diagnosis it means.
struct ErrorText: Equatable {
  /// The line that it was found in, from 1 on.
  let line: Int
  /// The phrase that was known. The rest of the line is not kept: it may hold secrets.
  let phrase: String
  /// The diagnosis that it means.
  let code: String

  /// How many bytes of a text are looked at.
  static let limit = 1 << 20

  /// What is known in a text, a line's most telling phrase each, the lines in order.
  static func find(in text: [UInt8]) -> [ErrorText] {
    var found: [ErrorText] = []
    for (index, line) in text.prefix(limit).split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
      let line = line.map { $0.asciiLowercased }
      for (phrase, code) in phrases where line.contains(phrase) {
        found.append(ErrorText(line: index + 1, phrase: phrase, code: code))
        break
      }
    }
    return found
  }

  /// Phrases in small letters, the more telling before the more general: of a line, the first one counts.
  private static let phrases: [(phrase: String, code: String)] = [
    // TLS against plaintext. The hexadecimal ones are the first bytes of a ClientHello and of an alert.
    ("first record does not look like a tls handshake", "TLS_TO_PLAINTEXT"),
    ("wrong version number", "TLS_TO_PLAINTEXT"),
    ("wrong_version_number", "TLS_TO_PLAINTEXT"),
    ("preface string missing or corrupt. hex dump for received bytes: 1603", "TLS_TO_PLAINTEXT"),
    ("first received frame was not settings. hex dump for first 5 bytes: 1503", "PLAINTEXT_TO_TLS"),
    ("client sent an http request to an https server", "PLAINTEXT_TO_TLS"),
    ("plain http request was sent to https port", "PLAINTEXT_TO_TLS"),
    ("first received frame was not settings", "NOT_HTTP2"),
    ("preface string missing or corrupt", "NOT_HTTP2"),
    ("http2: frame too large", "NOT_HTTP2"),
    ("unexpected http status code received from server", "NOT_HTTP2"),
    ("missing selected alpn property", "ALPN_MISSING"),
    ("no_application_protocol", "ALPN_MISSING"),
    ("no application protocol", "ALPN_MISSING"),

    // Certificates.
    ("certificate required", "CLIENT_CERT_REQUIRED"),
    ("certificate_required", "CLIENT_CERT_REQUIRED"),
    ("bad_certificate", "CLIENT_CERT_REQUIRED"),
    ("bad certificate", "CLIENT_CERT_REQUIRED"),
    ("client didn't provide a certificate", "CLIENT_CERT_REQUIRED"),
    ("no required ssl certificate was sent", "CLIENT_CERT_REQUIRED"),
    ("certificate has expired or is not yet valid: current time", "CERT_EXPIRED"),
    ("certificate is not yet valid", "CERT_NOT_YET_VALID"),
    ("certificate has expired", "CERT_EXPIRED"),
    ("certificate_expired", "CERT_EXPIRED"),
    ("certificateexpiredexception", "CERT_EXPIRED"),
    ("certificate is valid for", "CERT_HOSTNAME"),
    ("certificate is not valid for any names", "CERT_HOSTNAME"),
    ("doesn't contain any ip sans", "CERT_HOSTNAME"),
    ("relies on legacy common name", "CERT_HOSTNAME"),
    ("hostname mismatch", "CERT_HOSTNAME"),
    ("no subject alternative", "CERT_HOSTNAME"),
    ("does not match target host name", "CERT_HOSTNAME"),
    ("signed by unknown authority", "CERT_UNTRUSTED"),
    ("unable to get local issuer certificate", "CERT_UNTRUSTED"),
    ("unable to verify the first certificate", "CERT_UNTRUSTED"),
    ("self signed certificate", "CERT_UNTRUSTED"),
    ("self-signed certificate", "CERT_UNTRUSTED"),
    ("pkix path building failed", "CERT_UNTRUSTED"),
    ("certificate_verify_failed", "CERT_UNTRUSTED"),
    ("certificate verify failed", "CERT_UNTRUSTED"),
    ("insecure algorithm", "CERT_WEAK"),
    ("key too small", "CERT_WEAK"),
    ("key too weak", "CERT_WEAK"),
    ("handshake failure", "TLS_HANDSHAKE"),
    ("handshake_failure", "TLS_HANDSHAKE"),
    ("no shared cipher", "TLS_HANDSHAKE"),
    ("unsupported protocol", "TLS_HANDSHAKE"),
    ("tls handshake timeout", "TLS_TIMEOUT"),

    // HTTP/2 and gRPC.
    ("too_many_pings", "TOO_MANY_PINGS"),
    ("too many pings", "TOO_MANY_PINGS"),
    ("compression_error", "H2_COMPRESSION_ERROR"),
    ("stream terminated by rst_stream", "H2_RST_STREAM"),
    ("rst_stream closed stream", "H2_RST_STREAM"),
    ("received rst_stream", "H2_RST_STREAM"),
    ("stream was reset", "H2_RST_STREAM"),
    ("received message larger than max", "MESSAGE_TOO_LARGE"),
    ("message larger than max", "MESSAGE_TOO_LARGE"),
    ("exceeds maximum size", "MESSAGE_TOO_LARGE"),
    ("exceeds the configured maximum", "MESSAGE_TOO_LARGE"),
    ("connection closed before server preface received", "ACCEPTED_THEN_CLOSED"),
    ("unknown service", "GRPC_UNIMPLEMENTED"),
    ("unknown method", "METHOD_UNIMPLEMENTED"),
    ("method not found", "METHOD_UNIMPLEMENTED"),
    ("message too long", "MTU_BLACKHOLE"),
    ("emsgsize", "MTU_BLACKHOLE"),
    ("unimplemented", "GRPC_UNIMPLEMENTED"),
    ("not_serving", "NOT_SERVING"),
    ("goaway", "H2_GOAWAY"),

    // Names.
    ("temporary failure in name resolution", "DNS_UNREACHABLE"),
    ("eai_again", "DNS_UNREACHABLE"),
    ("server misbehaving", "DNS_SERVFAIL"),
    ("dns server returned general failure", "DNS_UNREACHABLE"),
    ("no such host", "DNS_NXDOMAIN"),
    ("name or service not known", "DNS_NXDOMAIN"),
    ("enotfound", "DNS_NXDOMAIN"),
    ("could not resolve host", "DNS_NXDOMAIN"),
    ("unknownhostexception", "DNS_NXDOMAIN"),
    ("unable to resolve host", "DNS_NXDOMAIN"),
    ("domain name not found", "DNS_NXDOMAIN"),
    ("host not found in upstream", "DNS_NXDOMAIN"),
    ("nxdomain", "DNS_NXDOMAIN"),

    // TCP, and this machine.
    ("upstream timed out", "DEADLINE_EXPIRED"),
    ("upstream request timeout", "DEADLINE_EXPIRED"),
    ("no healthy upstream", "TCP_REFUSED"),
    ("no live upstreams", "TCP_REFUSED"),
    ("connection refused", "TCP_REFUSED"),
    ("econnrefused", "TCP_REFUSED"),
    ("delayed connect error: 111", "TCP_REFUSED"),
    ("connection timed out", "TCP_TIMEOUT"),
    ("connect timed out", "TCP_TIMEOUT"),
    ("etimedout", "TCP_TIMEOUT"),
    ("i/o timeout", "TCP_TIMEOUT"),
    ("failed to connect to remote host: timeout", "TCP_TIMEOUT"),
    ("delayed connect error: 110", "TCP_TIMEOUT"),
    ("no route to host", "HOST_DOWN"),
    ("ehostunreach", "HOST_DOWN"),
    ("host is unreachable", "HOST_DOWN"),
    ("network is unreachable", "NO_ROUTE"),
    ("enetunreach", "NO_ROUTE"),
    ("too many open files", "FD_LIMIT"),
    ("emfile", "FD_LIMIT"),
    ("cannot assign requested address", "EPHEMERAL_PORTS_EXHAUSTED"),
    ("eaddrnotavail", "EPHEMERAL_PORTS_EXHAUSTED"),
    ("connection reset by peer", "CONNECTION_LOST"),
    ("econnreset", "CONNECTION_LOST"),
    ("broken pipe", "CONNECTION_LOST"),
    ("socket closed", "CONNECTION_LOST"),
    ("reset before headers", "CONNECTION_LOST"),
    ("connection termination", "CONNECTION_LOST"),

    // What many failures end in: the least telling.
    ("context deadline exceeded", "DEADLINE_EXPIRED"),
    ("deadline_exceeded", "DEADLINE_EXPIRED"),
    ("deadline exceeded", "DEADLINE_EXPIRED"),
    ("deadlineexceeded", "DEADLINE_EXPIRED"),
  ]

  /// The codes that phrases stand for; for tests.
  static var codes: Set<String> { Set(phrases.map { $0.code }) }
}

extension [UInt8] {
  /// Whether a text is part of the bytes.
  fileprivate func contains(_ text: String) -> Bool {
    let wanted = Array(text.utf8)
    guard let first = wanted.first, count >= wanted.count else { return false }
    for start in 0...(count - wanted.count) where self[start] == first {
      if self[start..<(start + wanted.count)].elementsEqual(wanted) { return true }
    }
    return false
  }
}
