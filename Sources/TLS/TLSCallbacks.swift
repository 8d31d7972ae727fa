// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// A peer's chain that did not pass, and the number of the first fault.
struct Refusal {
  var chain: [[UInt8]]
  var verifyCode: Int32
}

/// What OpenSSL tells a session while one of its calls runs. Callbacks write here and do nothing else.
@safe final class SessionInbox {
  /// The server asked for a client certificate.
  var certificateRequested = false
  /// The peer's chain, if it was refused.
  var refusal: Refusal?
  /// The last alert that the peer sent, other than the orderly end.
  var alertReceived: TLSAlert?
  /// The last alert that was sent to the peer, other than the orderly end.
  var alertSent: TLSAlert?
  /// The newest session that the server gave a ticket for: an `SSL_SESSION` that this object owns.
  private var session: OpaquePointer?

  func keep(session newest: OpaquePointer?) {
    unsafe SSL_SESSION_free(session)
    unsafe session = unsafe newest
  }

  /// Hands the newest session over to the caller.
  func takeSession() -> OpaquePointer? {
    defer { unsafe session = nil }
    return unsafe session
  }

  deinit { unsafe SSL_SESSION_free(session) }
}

/// Every function that OpenSSL calls back. None calls into the session that is running, and none can fail.
enum TLSCallbacks {
  static func installClient(in context: OpaquePointer) {
    unsafe SSL_CTX_set_info_callback(context, takeDownAlert)
    unsafe SSL_CTX_set_cert_cb(context, takeDownCertificateRequest, nil)
    unsafe SSL_CTX_sess_set_new_cb(context, keepSession)
  }

  static func installServer(in context: OpaquePointer, for owner: UnsafeMutableRawPointer) {
    unsafe SSL_CTX_set_info_callback(context, takeDownAlert)
    unsafe SSL_CTX_set_alpn_select_cb(context, selectProtocol, owner)
    unsafe sonde_SSL_CTX_set_tlsext_status_cb(context, staple)
    unsafe sonde_SSL_CTX_set_tlsext_status_arg(context, owner)
  }

  /// The session's first slot for extra data holds its inbox, which lives longer than the session.
  static func attach(_ inbox: SessionInbox, to session: OpaquePointer) -> Bool {
    unsafe SSL_set_ex_data(session, 0, Unmanaged.passUnretained(inbox).toOpaque()) == 1
  }

  private static func inbox(of session: OpaquePointer?) -> SessionInbox? {
    guard let session = unsafe session, let data = unsafe SSL_get_ex_data(session, 0) else { return nil }
    return unsafe Unmanaged<SessionInbox>.fromOpaque(data).takeUnretainedValue()
  }

  private static let takeDownAlert: @convention(c) (OpaquePointer?, Int32, Int32) -> Void = { session, place, value in
    guard place & SSL_CB_ALERT != 0, let inbox = unsafe inbox(of: session) else { return }
    let alert = TLSAlert(UInt8(truncatingIfNeeded: value))
    guard alert != .closeNotify else { return }
    if place & SSL_CB_READ != 0 { inbox.alertReceived = alert } else { inbox.alertSent = alert }
  }

  /// Runs when a server asks for a certificate; 1 goes on with what is configured.
  private static let takeDownCertificateRequest: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = {
    session, _ in
    unsafe inbox(of: session)?.certificateRequested = true
    return 1
  }

  /// 1 takes the session over.
  private static let keepSession: @convention(c) (OpaquePointer?, OpaquePointer?) -> Int32 = { session, ticket in
    guard let inbox = unsafe inbox(of: session) else { return 0 }
    unsafe inbox.keep(session: ticket)
    return 1
  }

  /// Accepts what a configuration without verification accepts. It is installed for ``ServerVerification/none`` alone.
  static let acceptUnverified: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = { _, _ in 1 }

  /// Verifies the peer's chain, and takes down one that is refused: a server's session drops it.
  static let verifyPeer: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = { context, owner in
    guard let context = unsafe context, let owner = unsafe owner else { return 0 }
    let verdict = unsafe Unmanaged<ChainVerifier>.fromOpaque(owner).takeUnretainedValue().verify(context)
    if verdict != 1 {
      let session = unsafe X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx())
      unsafe inbox(of: session.map { OpaquePointer($0) })?.refusal = unsafe Refusal(
        chain: X509Handle.chain(X509_STORE_CTX_get0_untrusted(context)), verifyCode: X509_STORE_CTX_get_error(context))
    }
    return verdict
  }

  /// Picks the server's most preferred protocol among the client's (RFC 7301 section 3.2).
  private static let selectProtocol:
    @convention(c) (
      OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?, UnsafePointer<UInt8>?,
      UInt32, UnsafeMutableRawPointer?
    ) -> Int32 = { _, chosen, chosenCount, offer, offerCount, owner in
      guard let offer = unsafe offer, let owner = unsafe owner else { return SSL_TLSEXT_ERR_NOACK }
      let mine = unsafe Unmanaged<TLSContext>.fromOpaque(owner).takeUnretainedValue().protocols
      guard !mine.isEmpty else { return SSL_TLSEXT_ERR_NOACK }
      let theirs = unsafe UnsafeBufferPointer(start: offer, count: Int(offerCount))
      var start = 0
      while start < mine.count {
        let end = start + 1 + Int(mine[start])
        var cursor = 0
        while cursor < theirs.count {
          let next = unsafe cursor + 1 + Int(theirs[cursor])
          guard next <= theirs.count else { break }
          if unsafe mine[start..<end].elementsEqual(theirs[cursor..<next]) {
            // The answer points into the client's offer, which OpenSSL keeps until it has copied the answer.
            unsafe chosen?.pointee = unsafe offer + cursor + 1
            unsafe chosenCount?.pointee = UInt8(truncatingIfNeeded: next - cursor - 1)
            return SSL_TLSEXT_ERR_OK
          }
          cursor = next
        }
        start = end
      }
      return SSL_TLSEXT_ERR_ALERT_FATAL
    }

  /// Staples the configured OCSP response for a client that asks.
  private static let staple: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = { session, owner in
    guard let session = unsafe session, let owner = unsafe owner,
      case .server(let configuration) = unsafe Unmanaged<TLSContext>.fromOpaque(owner).takeUnretainedValue().role,
      let response = configuration.ocspStaple, !response.isEmpty
    else { return SSL_TLSEXT_ERR_NOACK }
    // The session takes the memory over and frees it, hence OpenSSL's own allocator.
    guard let memory = unsafe sonde_OPENSSL_malloc(response.count) else { return SSL_TLSEXT_ERR_NOACK }
    let bytes = unsafe memory.bindMemory(to: UInt8.self, capacity: response.count)
    unsafe bytes.initialize(from: response, count: response.count)
    guard unsafe sonde_SSL_set0_tlsext_status_ocsp_resp(session, bytes, response.count) == 1 else {
      unsafe CRYPTO_free(memory, "", 0)
      return SSL_TLSEXT_ERR_NOACK
    }
    return SSL_TLSEXT_ERR_OK
  }
}
