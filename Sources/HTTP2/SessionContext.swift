// SPDX-License-Identifier: Apache-2.0

/// What a session's callbacks know and leave behind. It stands at an address of its own, which the library holds; the
/// session frees the library's half first. No class: a call means some twenty callbacks, and counting references and
/// checking accesses in each took a fifth of its time.
struct SessionContext: ~Copyable {
  let role: HTTP2Role
  let limits: HTTP2Limits

  /// What happened and was not yet taken.
  var inbox = EventInbox()

  /// Every stream that is neither closed nor unknown.
  var streams = StreamTable()

  /// What the peer said about itself.
  var peerSettings = HTTP2Settings()

  /// The limit or rule that a callback found broken. It makes the library stop at once; the session does the rest.
  var failure: HTTP2Error? { didSet { isStopped = failure != nil } }

  /// Whether there is a failure: every callback asks.
  private(set) var isStopped = false

  /// A GOAWAY that the library sent for reasons of its own: the connection is lost.
  var libraryGoAway: (code: HTTP2ErrorCode, reason: String)?

  /// The codes of the GOAWAY frames that the caller asked for.
  var askedGoAways: [HTTP2ErrorCode] = []

  /// Streams to reset as soon as the library has returned.
  var dueResets: [(id: StreamID, code: HTTP2ErrorCode)] = []

  /// Streams whose body is framed, and whose trailers are to be submitted as soon as the library has returned.
  var dueTrailers: [StreamID] = []

  /// Received bytes that nobody will ever see, to be given back as soon as the library has returned.
  var dueConsumption = 0

  /// Whether a GOAWAY came: requests whose turn did not come yet are to be withdrawn.
  var isGoneAway = false

  /// Streams that the peer reset since it last read all that we had to say.
  var unansweredResets: UInt64 = 0

  /// Whether the session has failed and only says its last words: no data is among them.
  var isFailing = false

  /// Bytes queued in all bodies.
  var pendingBytes = 0

  var isTracing = false
  var traces = TraceQueue()

  private var block = HeaderBlock()
  private var chunk: [UInt8] = []
  private var chunkStream: StreamID = 0
  private var suspect: (id: StreamID, code: HTTP2ErrorCode)?
  private var emptyDataFrames = 0
  private var resetBudget: ResetBudget

  var isInsideHeaderSection: Bool { block.stream != 0 }

  init(role: HTTP2Role, limits: HTTP2Limits) {
    self.role = role
    self.limits = limits
    resetBudget = ResetBudget(burst: limits.localResetBurst)
  }

  // MARK: Events

  /// Adds an event, after what was held back for it to be complete.
  mutating func emit(_ event: consuming HTTP2Event, payload: Int = 0) {
    if suspect != nil { confirmSuspect() }
    inbox.append(event, payload: payload)
    if inbox.count > limits.maxInboxEvents || inbox.payloadBytes > limits.maxInboxBytes {
      fail("more events than the inbox holds")
    }
  }

  /// Notes that the peer went beyond a limit; the first one counts, and none while a failing session says its last
  /// words.
  mutating func fail(_ message: String, _ wire: HTTP2ErrorCode = .enhanceYourCalm) {
    if failure == nil, !isFailing { failure = HTTP2Error(.limitExceeded, by: .peer, wire: wire, message) }
  }

  /// Emits what waited for something to go with it, now that something else has come, or nothing more.
  mutating func settlePending() {
    flushData()
    if suspect != nil { confirmSuspect() }
  }

  /// Drops a frame's verdict: it was the whole connection that failed, not just a stream.
  mutating func dropSuspect() { suspect = nil }

  // MARK: Header sections

  mutating func beginHeaders(_ id: StreamID, isRequest: Bool) {
    settlePending()
    if isRequest, role == .server { _ = streams.insert(id) }
    block.begin(id)
  }

  mutating func header(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, isSensitive: Bool) {
    unsafe block.append(name, value, isSensitive: isSensitive, limits: limits)
    if block.size > limits.maxHeaderListSize.multipliedOrMax(by: HTTP2Limits.headerListPatience) {
      fail("a header section far beyond the limit")
    }
  }

  mutating func endHeaders(_ id: StreamID, endStream: Bool) {
    guard let stream = streams[id], id == block.stream else { return }
    let (fields, size, isOversized) = block.take()
    if endStream { stream.isInputEnded = true }
    guard !isOversized else {
      reportLocalReset(id, .enhanceYourCalm)
      dueResets.append((id, .enhanceYourCalm))
      return
    }
    guard !stream.isReset else { return }
    let kind: HeadersKind
    if stream.hasFinalHeaders {
      kind = .trailers
    } else if role == .server {
      kind = .request
    } else {
      kind = HeaderBlock.isInformational(fields) ? .informational : .response
    }
    if kind != .informational { stream.hasFinalHeaders = true }
    emit(.headers(id, fields, kind: kind, endStream: endStream), payload: size)
  }

  // MARK: Data

  mutating func data(_ id: StreamID, _ bytes: UnsafeBufferPointer<UInt8>) {
    settlePending()
    emptyDataFrames = 0
    guard let stream = streams[id], !stream.isReset else {
      dueConsumption += bytes.count
      return
    }
    chunk = unsafe [UInt8](bytes)
    chunkStream = id
  }

  mutating func endData(_ id: StreamID, endStream: Bool, isEmpty: Bool) {
    if endStream {
      let bytes = takeChunk(of: id)
      streams[id]?.isInputEnded = true
      guard let stream = streams[id], !stream.isReset else { return }
      emit(.data(id, bytes, flowControlled: bytes.count, endStream: true), payload: bytes.count)
    } else {
      flushData()
      guard isEmpty else { return }
      emptyDataFrames += 1
      if emptyDataFrames > limits.maxEmptyDataFrames { fail("a flood of empty DATA frames") }
    }
  }

  private mutating func takeChunk(of id: StreamID) -> [UInt8] {
    guard chunkStream == id else {
      flushData()
      return []
    }
    var bytes: [UInt8] = []
    swap(&bytes, &chunk)
    chunkStream = 0
    return bytes
  }

  mutating func flushData() {
    guard chunkStream != 0 else { return }
    let id = chunkStream
    let bytes = takeChunk(of: id)
    emit(.data(id, bytes, flowControlled: bytes.count, endStream: false), payload: bytes.count)
  }

  // MARK: The end of streams

  mutating func resetReceived(_ id: StreamID, _ code: HTTP2ErrorCode) {
    settlePending()
    if role == .server {
      // The library counts by its clock, but speaks up only when it is drained.
      unansweredResets += 1
      if unansweredResets > limits.streamResetBurst { fail(HTTP2Error.rapidReset) }
    }
    guard let stream = streams[id], !stream.isReset else { return }
    stream.isReset = true
    discardBody(of: stream)
    emit(.reset(id, code, by: .peer))
  }

  /// A frame broke a rule. Whether it costs the stream or the connection shows only when the library goes on, or does
  /// not.
  mutating func suspect(_ id: StreamID, _ code: HTTP2ErrorCode) {
    settlePending()
    suspect = (id, code)
  }

  private mutating func confirmSuspect() {
    guard let (id, code) = suspect else { return }
    suspect = nil
    reportLocalReset(id, code)
  }

  /// The library sent a RST_STREAM. Nobody knows of it yet where neither the caller nor a frame's verdict announced it.
  mutating func resetSent(_ id: StreamID, _ code: HTTP2ErrorCode) {
    guard let stream = streams[id], !stream.isReset else { return }
    reportLocalReset(id, code)
  }

  /// A frame that ends our side of a stream left. A server that has said everything asks the client to stop sending
  /// what nobody will read (RFC 9113 section 8.1).
  mutating func endSent(_ id: StreamID) {
    guard role == .server, let stream = streams[id], !stream.isInputEnded, !stream.isReset else { return }
    stream.isReset = true
    dueResets.append((id, .noError))
  }

  mutating func reportLocalReset(_ id: StreamID, _ code: HTTP2ErrorCode) {
    if !resetBudget.spend() { fail("too many streams that had to be reset") }
    guard let stream = streams[id], !stream.isReset else { return }
    stream.isReset = true
    discardBody(of: stream)
    emit(.reset(id, code, by: .local))
  }

  mutating func streamClosed(_ id: StreamID, _ code: HTTP2ErrorCode) {
    settlePending()
    guard let stream = streams.remove(id) else { return }
    discardBody(of: stream)
    if code == .noError, !stream.isReset { resetBudget.earn() }
    emit(.streamClosed(id, code))
  }

  mutating func discardBody(of stream: StreamState) {
    pendingBytes -= stream.body.count
    stream.body.discard()
  }
}

extension Int {
  /// The product, or the greatest number where it does not fit.
  fileprivate func multipliedOrMax(by factor: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max : product
  }
}
