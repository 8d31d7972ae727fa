// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// One TLS connection as a pure state machine: ciphertext in, events out, ciphertext out. It has no socket and no
/// clock.
///
///                     handshake done                   close_notify
///     handshaking ─────────────────────▶ open ─────────────────────────▶ closed
///          │                              │
///          │ refusal, alert, garbage,     │ alert, garbage,
///          │ end of the transport         │ end of the transport
///          ▼                              ▼
///        failed ◀─────────────────────────┘
///
/// A client's first flight is ready to drain at once. After every call, drain: even a failure leaves an alert for the
/// peer. In `closed` the peer has ended its side alone; this side can still send, and ends its own by ``close()``.
@safe public struct TLSSession: ~Copyable {
  private enum State { case handshaking, open, closed, failed }

  private let context: TLSContext
  private let inbox: SessionInbox
  /// An `SSL`, which owns both memory BIOs and points to the inbox; the deinit frees it before the inbox goes.
  private let handle: OpaquePointer
  private let input: OpaquePointer
  private let output: OpaquePointer

  private var state = State.handshaking
  private var events: [TLSEvent] = []
  private var nextEventIndex = 0
  private var firstBytes: [UInt8] = []
  private var bytesReceived = 0
  private var dataReceived = false
  private var sentClose = false

  /// What the handshake agreed on; nil before its end.
  public private(set) var negotiated: TLSPeerFacts?

  /// So many of the peer's first bytes are kept, to name a peer that does not speak TLS.
  private static let firstBytesKept = 64
  /// A record holds so much at most (RFC 8446 section 5.1).
  private static let recordSize = 16_384

  /// A session of the context's role.
  ///
  /// `ticket` shortens a client's handshake where the server agrees; one that another context gave is ignored, since
  /// that context may have verified less.
  ///
  /// - Throws: ``TLSConfigurationError/library(_:)`` where memory or randomness is short.
  public init(_ context: TLSContext, resuming ticket: TLSResumptionTicket? = nil) throws(TLSConfigurationError) {
    TLSLibrary.clearErrors()
    guard let handle = unsafe SSL_new(context.handle) else { throw .library(TLSLibrary.takeErrorText()) }
    let inbox = SessionInbox()
    guard let input = unsafe BIO_new(BIO_s_mem()), let output = unsafe BIO_new(BIO_s_mem()),
      unsafe TLSCallbacks.attach(inbox, to: handle), unsafe Self.prepare(handle, context, ticket)
    else {
      unsafe SSL_free(handle)
      throw .library(TLSLibrary.takeErrorText())
    }
    unsafe SSL_set_bio(handle, input, output)
    self.context = context
    self.inbox = inbox
    unsafe self.handle = handle
    unsafe self.input = input
    unsafe self.output = output
    if case .client = context.role { advance() }
  }

  deinit { unsafe SSL_free(handle) }

  /// Takes bytes that the transport received, as many as there are; afterwards look for events and drain.
  public mutating func receive(_ ciphertext: Span<UInt8>) {
    guard state != .failed, !ciphertext.isEmpty else { return }
    for index in 0..<min(ciphertext.count, Self.firstBytesKept - firstBytes.count) {
      firstBytes.append(ciphertext[index])
    }
    bytesReceived &+= ciphertext.count
    var start = 0
    while start < ciphertext.count {
      // A memory BIO takes everything, or nothing where memory is short. Counts beyond Int32 go in parts.
      let count = min(ciphertext.count - start, 1 << 20)
      let written = unsafe ciphertext.extracting(start..<start + count).withUnsafeBufferPointer {
        unsafe BIO_write(input, $0.baseAddress, Int32($0.count))
      }
      guard written == Int32(count) else {
        fail(.library)
        return
      }
      start += count
      advance()
      if state == .failed { return }
    }
  }

  /// Takes note that the transport has ended: without an orderly end of the session before it, that is a truncation.
  public mutating func receiveEndOfFile() {
    switch state {
    case .handshaking where bytesReceived > 0 && !looksLikeTLS: fail(.notTLS(firstBytes: firstBytes))
    case .handshaking, .open: fail(.truncated)
    case .closed, .failed: return
    }
  }

  /// The next event, oldest first.
  public mutating func nextEvent() -> TLSEvent? {
    guard nextEventIndex < events.count else { return nil }
    let event = events[nextEventIndex]
    nextEventIndex += 1
    if nextEventIndex == events.count {
      events.removeAll(keepingCapacity: true)
      nextEventIndex = 0
    }
    return event
  }

  /// Encrypts bytes for the peer, ready to drain.
  ///
  /// False where nothing could be sent: before the handshake ended, after ``close()``, after a failure.
  @discardableResult public mutating func send(_ plaintext: Span<UInt8>) -> Bool {
    guard state == .open || state == .closed, !sentClose else { return false }
    var start = 0
    while start < plaintext.count {
      let count = min(plaintext.count - start, 1 << 20)
      TLSLibrary.clearErrors()
      var written = 0
      let result = unsafe plaintext.extracting(start..<start + count).withUnsafeBufferPointer {
        unsafe SSL_write_ex(handle, $0.baseAddress, $0.count, &written)
      }
      guard result == 1, written > 0 else {
        fail(result: result)
        return false
      }
      start += written
    }
    return true
  }

  /// Ends this side in an orderly way: `close_notify` is ready to drain. Before the end of the handshake there is
  /// nothing to end.
  public mutating func close() {
    guard state == .open || state == .closed, !sentClose else { return }
    sentClose = true
    TLSLibrary.clearErrors()
    _ = unsafe SSL_shutdown(handle)
    TLSLibrary.clearErrors()
  }

  /// Appends what is to be sent to the peer, and gives the count of bytes.
  @discardableResult public mutating func drain(into ciphertext: inout [UInt8]) -> Int {
    var data: UnsafeMutablePointer<CChar>?
    let count = unsafe sonde_BIO_get_mem_data(output, &data)
    guard count > 0, let data = unsafe data else { return 0 }
    // The memory belongs to the BIO and stays until the reset.
    unsafe ciphertext.append(contentsOf: UnsafeRawBufferPointer(start: data, count: count))
    unsafe sonde_BIO_reset(output)
    return count
  }

  /// The newest ticket that the server gave, once: under TLS 1.3 it arrives some time after the handshake.
  public mutating func resumptionTicket() -> TLSResumptionTicket? {
    guard let session = unsafe inbox.takeSession() else { return nil }
    return unsafe TLSResumptionTicket(session, of: context)
  }

  // MARK: - The machine

  /// Tells a fresh session its role, and what a client asks for.
  private static func prepare(_ handle: OpaquePointer, _ context: TLSContext, _ ticket: TLSResumptionTicket?) -> Bool {
    guard case .client(let configuration) = context.role else {
      unsafe SSL_set_accept_state(handle)
      return true
    }
    unsafe SSL_set_connect_state(handle)
    if configuration.requestsOCSPStaple { _ = unsafe sonde_SSL_set_tlsext_status_type_ocsp(handle) }
    if let ticket, ticket.context === context { _ = unsafe SSL_set_session(handle, ticket.handle) }
    guard case .dns(let name)? = configuration.serverName.flatMap({ ServerName($0) }) else { return true }
    return unsafe sonde_SSL_set_tlsext_host_name(handle, name) == 1
  }

  /// Goes on with the handshake and with reading, as far as the bytes at hand reach.
  private mutating func advance() {
    if state == .handshaking {
      TLSLibrary.clearErrors()
      let result = unsafe SSL_do_handshake(handle)
      guard result == 1 else {
        fail(result: result)
        return
      }
      state = .open
      let facts = unsafe TLSPeerFacts(handle, certificateRequested: inbox.certificateRequested)
      negotiated = facts
      events.append(.handshakeCompleted(facts))
    }
    guard state == .open else { return }
    var data: [UInt8] = []
    defer { if !data.isEmpty { insertData(data) } }
    while true {
      TLSLibrary.clearErrors()
      var result: Int32 = 0
      let record = unsafe [UInt8](unsafeUninitializedCapacity: Self.recordSize) { buffer, initialized in
        result = unsafe SSL_read_ex(handle, buffer.baseAddress, buffer.count, &initialized)
      }
      guard result == 1 else {
        if !data.isEmpty { dataReceived = true }
        finishReading(result, data: &data)
        return
      }
      if data.isEmpty { data = record } else { data += record }
    }
  }

  /// Data that was read before the end of the session comes before the event about the end.
  private mutating func finishReading(_ result: Int32, data: inout [UInt8]) {
    if !data.isEmpty {
      insertData(data)
      data = []
    }
    if unsafe SSL_get_error(handle, result) == SSL_ERROR_ZERO_RETURN {
      state = .closed
      events.append(.closed)
      return
    }
    fail(result: result)
  }

  private mutating func insertData(_ data: [UInt8]) { events.append(.data(data)) }

  /// Whether the peer's first bytes are the head of a TLS record: a content type, and the protocol's major version.
  private var looksLikeTLS: Bool {
    guard let type = firstBytes.first, (20...24).contains(type) else { return false }
    return firstBytes.count < 2 || firstBytes[1] == 3
  }

  /// Reads the outcome of a call that did not succeed; wanting more bytes is no failure.
  private mutating func fail(result: Int32) {
    let outcome = unsafe SSL_get_error(handle, result)
    if outcome == SSL_ERROR_WANT_READ { return }
    let error = TLSLibrary.takeError()
    fail(kind(of: error), detail: error?.text ?? "")
  }

  private mutating func fail(_ kind: TLSFailure.Kind, detail: String = "") {
    guard state != .failed else { return }
    var failure = TLSFailure(kind: kind, duringHandshake: state == .handshaking)
    failure.detail = detail
    failure.bytesReceived = bytesReceived
    failure.dataReceived = dataReceived
    failure.alertSent = inbox.alertSent
    failure.clientCertificateRequested = inbox.certificateRequested
    if case .client(let configuration) = context.role { failure.hadClientCertificate = configuration.identity != nil }
    if inbox.certificateRequested { failure.acceptableClientCAs = unsafe TLSPeerFacts.authorities(of: handle) }
    state = .failed
    events.append(.failed(failure))
  }

  private func kind(of error: LibraryError?) -> TLSFailure.Kind {
    if let alert = inbox.alertReceived {
      switch alert {
      case .noApplicationProtocol: return .alpnRejected
      case TLSAlert(70): return .unsupportedVersion(nil)
      default: return .alertReceived(alert)
      }
    }
    if !looksLikeTLS, state == .handshaking, bytesReceived > 0 { return .notTLS(firstBytes: firstBytes) }
    guard let error, error.library == ERR_LIB_SSL else { return bytesReceived > 0 ? .protocolViolation : .library }
    switch error.reason {
    case SSL_R_CERTIFICATE_VERIFY_FAILED: return .certificate(certificateFaults())
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return .certificate([CertificateFault(code: .missing, depth: 0)])
    case SSL_R_NO_APPLICATION_PROTOCOL: return .alpnRejected
    case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH:
      return .unsupportedVersion(versionOfHello)
    default: return .protocolViolation
    }
  }

  /// The full list; should the second look find nothing, which only a change of time between the two can bring about,
  /// the fault that ended the handshake.
  private func certificateFaults() -> [CertificateFault] {
    guard let refusal = inbox.refusal else { return [] }
    let faults = context.faults(of: refusal.chain)
    guard faults.isEmpty else { return faults }
    let leaf = refusal.chain.first.flatMap { CertificateFacts(der: $0) }
    let hasHostNames = leaf.map { !$0.hostNames.isEmpty } ?? false
    let code = CertificateFault.Code(verifyCode: refusal.verifyCode, leafHasHostNames: hasHostNames)
    return [CertificateFault(code: code, depth: 0, certificate: leaf)]
  }

  /// The version in a ServerHello or ClientHello that came first: a record header, a message header, then the version.
  private var versionOfHello: TLSVersion? {
    guard firstBytes.count >= 11, firstBytes[0] == 22, firstBytes[5] == 1 || firstBytes[5] == 2 else { return nil }
    return TLSVersion(UInt16(firstBytes[9]) << 8 | UInt16(firstBytes[10]))
  }
}
