// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import COpenSSL

extension TLSPeerFacts {
  /// Asks a session whose handshake is done.
  init(_ session: OpaquePointer, certificateRequested: Bool) {
    let cipher = unsafe SSL_CIPHER_standard_name(SSL_get_current_cipher(session))
    self.init(
      version: TLSVersion(UInt16(truncatingIfNeeded: unsafe SSL_version(session))),
      cipherSuite: unsafe cipher.map { unsafe String(cString: $0) } ?? "unknown")
    let group = unsafe sonde_SSL_get_negotiated_group(session)
    if group != 0 { keyExchangeGroup = unsafe SSL_group_to_name(session, group).map { unsafe String(cString: $0) } }
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    unsafe SSL_get0_alpn_selected(session, &name, &count)
    if let name = unsafe name, count > 0 {
      alpn = unsafe String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
    }
    certificates = unsafe Self.certificates(of: session)
    isResumed = unsafe SSL_session_reused(session) == 1
    var response: UnsafePointer<UInt8>?
    let size = unsafe sonde_SSL_get_tlsext_status_ocsp_resp(session, &response)
    if size > 0, let response = unsafe response {
      ocspStaple = unsafe Array(UnsafeBufferPointer(start: response, count: size))
    }
    clientCertificateRequested = certificateRequested
    if certificateRequested { acceptableClientCAs = unsafe Self.authorities(of: session) }
    if unsafe SSL_is_server(session) == 1, let name = unsafe SSL_get_servername(session, TLSEXT_NAMETYPE_host_name) {
      requestedServerName = unsafe String(cString: name).safeForDisplay
    }
  }

  /// The peer's certificates, its own first; a server's view of OpenSSL's chain lacks the client's own.
  static func certificates(of session: OpaquePointer) -> [[UInt8]] {
    let chain = unsafe X509Handle.chain(SSL_get_peer_cert_chain(session))
    guard unsafe SSL_is_server(session) == 1, let leaf = unsafe SSL_get0_peer_certificate(session) else { return chain }
    return unsafe [X509Handle.der(leaf)] + chain
  }

  /// The names of the authorities that the peer accepts, as many as a report can use.
  static func authorities(of session: OpaquePointer) -> [String] {
    guard let names = unsafe SSL_get0_peer_CA_list(session) else { return [] }
    var texts: [String] = []
    for index in 0..<min(unsafe sonde_sk_X509_NAME_num(names), Int32(CertificateFacts.maximumNames)) {
      let der = unsafe X509Handle.der(name: sonde_sk_X509_NAME_value(names, index))
      var reader = DERReader(der)
      if let name = reader.next() { texts.append(CertificateText.name(name, in: der)) }
    }
    return texts
  }
}
