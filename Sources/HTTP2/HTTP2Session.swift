// SPDX-License-Identifier: Apache-2.0

import CNghttp2

/// One end of an HTTP/2 connection (RFC 9113): bytes in, events out, bytes out. It knows no socket and no clock.
///
///     receive(bytes) ─▶ ┌─────────────┐ ─▶ nextEvent()     until nil; also after a drain, which closes streams
///                       │ HTTP2Session│
///     submit…, send ──▶ └─────────────┘ ─▶ drain(into:)    whenever wantsWrite
///
///     open ──▶ closing           a GOAWAY was sent or came; open streams go on
///       │         │
///       │         ▼
///       │       over             neither wantsRead nor wantsWrite: close the transport
///       └──────▶ failed          .failed was the last event; drain() once more, then close
///
/// The session is driven by one thread at a time.
@safe public struct HTTP2Session: ~Copyable {
  let session: OpaquePointer
  private let contextAddress: UnsafeMutablePointer<SessionContext>
  private var preface: Preface?
  private var outbox: [UInt8] = []
  private(set) var hasFailed = false
  private var backlog = 0
  var fieldBytes: [UInt8] = []
  var fieldVectors: [nghttp2_nv] = unsafe []

  /// A session with its first bytes queued: SETTINGS, in the client's role after the preface.
  ///
  /// Throws where memory runs out or a limit is out of the range that RFC 9113 allows.
  public init(role: HTTP2Role, limits: HTTP2Limits) throws(HTTP2Error) {
    let context = UnsafeMutablePointer<SessionContext>.allocate(capacity: 1)
    unsafe context.initialize(to: SessionContext(role: role, limits: limits))
    do throws(HTTP2Error) {
      unsafe session = try SessionOptions.makeSession(role: role, limits: limits, context: context)
    } catch {
      unsafe context.deinitialize(count: 1)
      unsafe context.deallocate()
      throw error
    }
    unsafe contextAddress = context
    preface = Preface(expectedBy: role)
  }

  deinit {
    // The library's half goes first: it holds the context's address.
    unsafe nghttp2_session_del(session)
    unsafe contextAddress.deinitialize(count: 1)
    unsafe contextAddress.deallocate()
  }

  // MARK: In

  /// Takes bytes from the peer. Never throws: what goes wrong is an event. After `.failed` bytes are ignored.
  public mutating func receive(_ bytes: Span<UInt8>) {
    guard !hasFailed, !bytes.isEmpty else { return }
    guard var preface else { return feed(bytes) }
    let (verdict, taken) = preface.take(bytes)
    switch verdict {
    case .waiting:
      self.preface = preface
    case .accepted:
      self.preface = nil
      feed(preface.held.span)
      if !hasFailed, taken < bytes.count { feed(bytes.extracting(droppingFirst: taken)) }
    case .refused:
      self.preface = nil
      failForeign(preface.held)
    }
  }

  /// Takes note that the peer sends nothing more. A session that still waited for it fails with
  /// ``HTTP2Error/Code/endOfInput``, or ``HTTP2Error/Code/notHTTP2`` where the few bytes that came are not HTTP/2's.
  public mutating func receiveEnd() {
    guard !hasFailed, wantsRead else { return }
    if let preface, !preface.held.isEmpty { return failForeign(preface.held) }
    hasFailed = true
    context.inbox.append(.failed(HTTP2Error(.endOfInput, by: .peer, "the peer closed the connection")))
  }

  /// The oldest event that was not yet taken; nil where there is none.
  public mutating func nextEvent() -> HTTP2Event? { context.inbox.next() }

  // MARK: Out

  /// Appends the bytes to send to `output` and returns how many. Stops at a frame's end once `atMost` bytes are
  /// reached, so that up to one frame more may be appended. Streams that end by it are told as events.
  @discardableResult
  public mutating func drain(into output: inout [UInt8], atMost: Int = .max) -> Int {
    let start = output.count
    if !outbox.isEmpty {
      output.append(contentsOf: outbox)
      outbox = []
    }
    guard !hasFailed else { return output.count - start }
    while output.count - start < atMost {
      guard pump(into: &output) else { break }
    }
    if backlog == 0 { context.unansweredResets = 0 }
    if context.failure != nil || context.libraryGoAway != nil {
      settle(0)
      output += outbox
      outbox = []
    }
    return output.count - start
  }

  /// Whether the session waits for bytes from the peer.
  public var wantsRead: Bool { unsafe !hasFailed && nghttp2_session_want_read(session) != 0 }

  /// Whether ``drain(into:atMost:)`` is worth a call. After one that `atMost` cut short it may turn out to give
  /// nothing.
  public var wantsWrite: Bool { unsafe !outbox.isEmpty || !hasFailed && nghttp2_session_want_write(session) != 0 }

  // MARK: The engine

  /// The callbacks' half of the state. An access never lasts while the library runs, which would reach for it too.
  var context: SessionContext {
    @inline(__always) _read { yield unsafe contextAddress.pointee }
    @inline(__always) nonmutating _modify { yield unsafe &contextAddress.pointee }
  }

  /// Moves one buffer of the library to the output; false where there is none.
  private mutating func pump(into output: inout [UInt8]) -> Bool {
    var pointer: UnsafePointer<UInt8>?
    let count = unsafe nghttp2_session_mem_send(session, &pointer)
    // A frame is only told as sent by the call after it: what follows from it may come when all else is said.
    let hasMore = !context.dueTrailers.isEmpty || !context.dueResets.isEmpty
    if hasMore {
      submitDueTrailers()
      submitDueResets()
    }
    guard count > 0 else {
      backlog = 0
      if count < 0 { failFatally(Int32(truncatingIfNeeded: count)) }
      return count == 0 && hasMore
    }
    if backlog > 0 { backlog -= 1 }
    // The library's buffer stays as it is until the next call of mem_send, and is copied before it.
    unsafe output.append(contentsOf: UnsafeBufferPointer(start: pointer, count: count))
    return true
  }

  private mutating func feed(_ bytes: Span<UInt8>) {
    let queued = unsafe nghttp2_session_get_outbound_queue_size(session)
    let result = unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe nghttp2_session_mem_recv(session, buffer.baseAddress, buffer.count)
    }
    backlog += max(0, unsafe nghttp2_session_get_outbound_queue_size(session) - queued)
    if backlog > context.limits.maxOutboundBacklog { context.fail("more answers than the peer reads") }
    settle(result)
  }

  /// Draws the conclusions once the library has returned: a failure, or what callbacks left to do.
  private mutating func settle(_ result: Int) {
    if let failure = context.failure {
      context.dropSuspect()
      return fail(failure)
    }
    if result < 0 { return failFatally(Int32(truncatingIfNeeded: result)) }
    if context.libraryGoAway != nil || isTerminating {
      context.dropSuspect()
      context.settlePending()
      return failByLibrary()
    }
    context.settlePending()
    if let failure = context.failure { return fail(failure) }
    submitDueResets()
    if context.isGoneAway {
      context.isGoneAway = false
      for id in context.streams.identifiers where isUnsent(id) { closeUnsent(id, .refusedStream) }
    }
    if context.dueConsumption > 0 {
      unsafe nghttp2_session_consume_connection(session, context.dueConsumption)
      context.dueConsumption = 0
    }
  }

  /// Whether the library has given up the connection and only its GOAWAY is left to send. It has no question for this;
  /// but a GOAWAY that names a stream of our own is refused as senseless, unless the library is past caring.
  private var isTerminating: Bool {
    let ownStream: StreamID = context.role == .client ? 1 : 2
    return unsafe nghttp2_submit_goaway(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), ownStream, 0, nil, 0) == 0
  }

  // MARK: Failing

  /// Ends the connection for the reason that the library's own GOAWAY gives. One that it sends while it means to go on
  /// is its answer to too many RST_STREAM frames.
  private mutating func failByLibrary() {
    let isFlood = !isTerminating
    sayLastWords { $0.libraryGoAway == nil }
    let (code, reason) = context.libraryGoAway ?? (.internalError, "the library gave up")
    if isFlood {
      finish(HTTP2Error(.limitExceeded, by: .peer, wire: code, HTTP2Error.rapidReset))
    } else {
      finish(HTTP2Error(.protocolViolation, by: .peer, wire: code, reason.isEmpty ? code.name : reason))
    }
  }

  /// Ends the connection for a reason of our own, with a GOAWAY that names it.
  private mutating func fail(_ error: HTTP2Error) {
    context.settlePending()
    if let code = error.wireCode {
      submitGoAway(code, lastStreamID: nil, debugData: [UInt8](error.message.utf8))
      sayLastWords { _ in true }
    }
    finish(error)
  }

  /// Moves what is queued before any data to the outbox, for as long as the condition holds. Nothing can fail any more.
  private mutating func sayLastWords(while isNeeded: (borrowing SessionContext) -> Bool) {
    context.isFailing = true
    context.failure = nil
    var words: [UInt8] = []
    while isNeeded(context), pump(into: &words) {}
    outbox += words
  }

  private mutating func failFatally(_ number: Int32) {
    guard !hasFailed, !context.isFailing else { return }
    if let failure = context.failure { return fail(failure) }
    switch number {
    case NGHTTP2_ERR_NOMEM.rawValue:
      fail(HTTP2Error(.outOfMemory, by: .library, wire: .internalError, number: number, "memory ran out"))
    case NGHTTP2_ERR_FLOODED.rawValue:
      fail(
        HTTP2Error(
          .limitExceeded, by: .peer, wire: .enhanceYourCalm, number: number, "a flood of PING or SETTINGS frames"))
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue:
      fail(
        HTTP2Error(.limitExceeded, by: .peer, wire: .enhanceYourCalm, number: number, "too many CONTINUATION frames"))
    case NGHTTP2_ERR_TOO_MANY_SETTINGS.rawValue:
      fail(HTTP2Error(.limitExceeded, by: .peer, wire: .enhanceYourCalm, number: number, "too many settings"))
    default:
      fail(HTTP2Error(.internalFailure, by: .library, wire: .internalError, number: number, "the library failed"))
    }
  }

  private mutating func failForeign(_ firstBytes: [UInt8]) {
    fail(
      HTTP2Error(
        .notHTTP2, by: .peer, wire: .protocolError, "the peer does not speak HTTP/2", firstBytes: firstBytes))
  }

  private mutating func finish(_ error: HTTP2Error) {
    hasFailed = true
    context.failure = nil
    context.libraryGoAway = nil
    context.inbox.append(.failed(error))
  }
}
