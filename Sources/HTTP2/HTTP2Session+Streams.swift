// SPDX-License-Identifier: Apache-2.0

import CNghttp2

// What the caller asks of a session: streams, bodies, windows, and the frames that concern the connection.
extension HTTP2Session {
  // MARK: Messages

  /// Starts a request and returns its stream; `endStream` says that no body follows.
  ///
  /// The frame waits while the peer's limit of concurrent streams is reached. Throws where no stream can be started any
  /// more.
  public mutating func submitRequest(_ fields: HeaderFields, endStream: Bool) throws(HTTP2Error) -> StreamID {
    guard context.role == .client else {
      throw HTTP2Error(.invalidState, by: .local, "a server makes no requests")
    }
    guard canSubmitRequest else {
      throw HTTP2Error(.closing, by: .local, "the connection takes no new streams")
    }
    let id = unsafe withVectors(fields) { session, vectors, count in
      guard !endStream else { return unsafe nghttp2_submit_request(session, nil, vectors, count, nil, nil) }
      var provider = unsafe SessionCallbacks.bodyProvider
      return unsafe nghttp2_submit_request(session, nil, vectors, count, &provider, nil)
    }
    guard id > 0 else { throw HTTP2Error(libraryNumber: id) }
    let stream = context.streams.insert(id)
    stream.hasSentHeaders = true
    if endStream { stream.body.end() }
    return id
  }

  /// Sends the response's header section, or an interim one where `:status` is 1xx (server's role).
  ///
  /// Throws where the stream is gone, or its response was sent before.
  public mutating func submitHeaders(_ id: StreamID, _ fields: HeaderFields, endStream: Bool) throws(HTTP2Error) {
    guard context.role == .server else {
      throw HTTP2Error(.invalidState, by: .local, "a client answers no requests")
    }
    let stream = try openStream(id)
    guard !stream.hasSentHeaders else { throw HTTP2Error(.invalidState, by: .local, "a second response") }
    let result: Int32
    if HeaderBlock.isInformational(fields) {
      guard !endStream else { throw HTTP2Error(.invalidArgument, by: .local, "an interim response ends no stream") }
      result = unsafe withVectors(fields) { session, vectors, count in
        unsafe nghttp2_submit_headers(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, nil, vectors, count, nil)
      }
    } else {
      result = unsafe withVectors(fields) { session, vectors, count in
        guard !endStream else { return unsafe nghttp2_submit_response(session, id, vectors, count, nil) }
        var provider = unsafe SessionCallbacks.bodyProvider
        return unsafe nghttp2_submit_response(session, id, vectors, count, &provider)
      }
      stream.hasSentHeaders = true
      if endStream { stream.body.end() }
    }
    guard result == 0 else { throw HTTP2Error(libraryNumber: result) }
  }

  /// Ends the stream with trailers, after all data queued before.
  ///
  /// Throws where the stream is gone or ended, or its header section was not yet sent.
  public mutating func submitTrailers(_ id: StreamID, _ fields: HeaderFields) throws(HTTP2Error) {
    let stream = try writableStream(id)
    if stream.body.count == 0, !isUnsent(id) {
      // No data has to leave before them, so they need not wait for a window either.
      stream.body.end()
      submitTrailer(id, fields)
    } else {
      stream.body.end(trailers: fields)
    }
  }

  /// Queues bytes of the body; they leave as the windows allow. `endStream` ends the stream after them.
  ///
  /// The queue has no bound of its own: look at ``pendingBytes(on:)`` before adding to it.
  public mutating func send(_ bytes: [UInt8], on id: StreamID, endStream: Bool) throws(HTTP2Error) {
    let stream = try writableStream(id)
    stream.body.append(bytes)
    context.pendingBytes += bytes.count
    if endStream { stream.body.end() }
    if endStream || !bytes.isEmpty { resume(stream) }
  }

  /// Bytes queued on the stream and not yet framed.
  public func pendingBytes(on id: StreamID) -> Int { context.streams.peek(id)?.body.count ?? 0 }

  /// Bytes queued on all streams and not yet framed.
  public var pendingBytes: Int { context.pendingBytes }

  /// Asks for one `.bodyDrained` once at most `mark` bytes are queued on the stream; a writer that waits for it holds
  /// a bounded queue. False where that few are queued now, or the stream is gone: then no event follows.
  public mutating func notifyWhenDrained(_ id: StreamID, to mark: Int) -> Bool {
    guard let stream = context.streams[id], stream.body.count > max(0, mark) else { return false }
    stream.drainMark = max(0, mark)
    return true
  }

  // MARK: Windows

  /// Gives `count` bytes of received data back to the peer's window, as they are used up. A reader that does not call
  /// this holds the peer back. Bytes of a stream that was closed or reset meanwhile still count for the connection:
  /// consume the bytes of every data event, used or not.
  public mutating func consume(_ id: StreamID, _ count: Int) {
    guard count > 0 else { return }
    unsafe nghttp2_session_consume(session, id, count)
  }

  /// Bytes that the peer may send now: on the stream, or (0) on the connection; -1 for an unknown stream.
  public func receiveWindow(of id: StreamID) -> Int {
    Int(
      id == 0
        ? unsafe nghttp2_session_get_local_window_size(session)
        : unsafe nghttp2_session_get_stream_local_window_size(session, id))
  }

  /// Bytes that we may send now: on the stream, or (0) on the connection; -1 for an unknown stream.
  public func sendWindow(of id: StreamID) -> Int {
    Int(
      id == 0
        ? unsafe nghttp2_session_get_remote_window_size(session)
        : unsafe nghttp2_session_get_stream_remote_window_size(session, id))
  }

  // MARK: Ends

  /// Cuts a stream off. What is queued on it is dropped; its last event is `.streamClosed`.
  public mutating func reset(_ id: StreamID, _ code: HTTP2ErrorCode) {
    guard let stream = context.streams[id], !stream.isReset else { return }
    stream.isReset = true
    context.discardBody(of: stream)
    if isUnsent(id) { return closeUnsent(id, code) }
    unsafe nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, code.rawValue)
  }

  /// The first phase of a server's graceful shutdown: a GOAWAY that still covers every stream, which asks the client to
  /// open no more (RFC 9113 section 6.8). After a round trip, ``goAway(_:lastStreamID:debugData:)`` is the second one.
  public mutating func shutdownNotice() { unsafe nghttp2_submit_shutdown_notice(session) }

  /// Says that streams after `lastStreamID` will not be processed; nil stands for the last one seen.
  ///
  /// Only streams that the peer started can be named; a client names 0. Debug data is cut at
  /// ``HTTP2Limits/maxDebugData``. The session is over once the open streams are.
  public mutating func goAway(_ code: HTTP2ErrorCode, lastStreamID: StreamID? = nil, debugData: [UInt8] = []) {
    submitGoAway(code, lastStreamID: lastStreamID, debugData: debugData)
  }

  /// Asks the peer for a sign of life: `.pingAcknowledged` brings the same number back.
  public mutating func ping(_ opaque: UInt64) {
    var bytes = opaque.bigEndian
    _ = unsafe withUnsafeBytes(of: &bytes) { bytes in
      unsafe nghttp2_submit_ping(
        session, UInt8(NGHTTP2_FLAG_NONE.rawValue), bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
    }
  }

  // MARK: Facts

  /// Which end of the connection the session is.
  public var role: HTTP2Role { context.role }

  /// What the peer has said in its SETTINGS up to now.
  public var peerSettings: HTTP2Settings { context.peerSettings }

  /// The last stream of the peer that was processed, as a GOAWAY would name it.
  public var lastPeerStreamID: StreamID { unsafe nghttp2_session_get_last_proc_stream_id(session) }

  /// Whether a header section has begun and not ended: a peer that leaves it so holds memory.
  public var isInsideHeaderSection: Bool { context.isInsideHeaderSection }

  /// Whether a client may still start a request: no GOAWAY came or went, and stream numbers are left.
  public var canSubmitRequest: Bool { unsafe !hasFailed && nghttp2_session_check_request_allowed(session) != 0 }

  // MARK: Transport log

  /// Whether frames are recorded for ``nextTrace()``. Off, they cost nothing.
  public var isTracing: Bool {
    get { context.isTracing }
    set { context.isTracing = newValue }
  }

  /// The oldest recorded frame that was not yet taken; nil where there is none.
  public mutating func nextTrace() -> FrameTrace? { context.traces.next() }

  // MARK: Helpers

  mutating func submitGoAway(_ code: HTTP2ErrorCode, lastStreamID: StreamID?, debugData: [UInt8]) {
    if !context.askedGoAways.contains(code) { context.askedGoAways.append(code) }
    let debugData = [UInt8](debugData.prefix(HTTP2Limits.maxDebugData))
    let isOwn = context.role == .client ? 1 : 0
    var last = lastStreamID ?? lastPeerStreamID
    if last < 0 || last > 0 && Int(last & 1) == isOwn { last = 0 }
    unsafe nghttp2_submit_goaway(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, code.rawValue, debugData, debugData.count)
  }

  mutating func submitDueTrailers() {
    while let id = context.dueTrailers.popLast() {
      if let stream = context.streams[id], let fields = stream.body.trailers { submitTrailer(id, fields) }
    }
  }

  mutating func submitDueResets() {
    while let (id, code) = context.dueResets.popLast() {
      unsafe nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, code.rawValue)
    }
  }

  private mutating func submitTrailer(_ id: StreamID, _ fields: HeaderFields) {
    unsafe withVectors(fields) { session, vectors, count in
      unsafe nghttp2_submit_trailer(session, id, vectors, count)
    }
  }

  /// Whether a request's first frame still waits for its turn: the library knows no such stream.
  func isUnsent(_ id: StreamID) -> Bool { unsafe nghttp2_session_get_stream_local_close(session, id) < 0 }

  /// Withdraws a request whose turn may never come. The library only marks it, and would tell once it was its turn.
  mutating func closeUnsent(_ id: StreamID, _ code: HTTP2ErrorCode) {
    unsafe nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, code.rawValue)
    context.streamClosed(id, code)
  }

  private func openStream(_ id: StreamID) throws(HTTP2Error) -> StreamState {
    guard !hasFailed else { throw HTTP2Error(.closing, by: .local, "the connection has failed") }
    guard let stream = context.streams[id], !stream.isReset else {
      throw HTTP2Error(.streamClosed, by: .local, "the stream is closed")
    }
    return stream
  }

  private func writableStream(_ id: StreamID) throws(HTTP2Error) -> StreamState {
    let stream = try openStream(id)
    guard stream.hasSentHeaders else { throw HTTP2Error(.invalidState, by: .local, "a body before its headers") }
    guard !stream.body.isEnded else { throw HTTP2Error(.invalidState, by: .local, "the stream was ended before") }
    return stream
  }

  private func resume(_ stream: StreamState) {
    guard stream.isDeferred else { return }
    stream.isDeferred = false
    unsafe nghttp2_session_resume_data(session, stream.id)
  }

  /// Calls `body` with the fields as the library wants them. They point into one buffer of ours, which is valid for the
  /// call alone: the library copies names and values, as no NO_COPY flag is set (with one, they would have to live
  /// until the frame has left, and to be lower case already).
  @discardableResult
  private mutating func withVectors(
    _ fields: HeaderFields, _ body: (OpaquePointer, UnsafePointer<nghttp2_nv>?, Int) -> Int32
  ) -> Int32 {
    fieldBytes.removeAll(keepingCapacity: true)
    unsafe fieldVectors.removeAll(keepingCapacity: true)
    for field in fields {
      fieldBytes.append(contentsOf: field.name.utf8)
      fieldBytes.append(contentsOf: field.value.utf8)
    }
    let session = unsafe session
    return unsafe fieldBytes.withUnsafeMutableBufferPointer { bytes in
      var next = bytes.baseAddress
      for field in fields {
        let name = unsafe next
        let value = unsafe name?.advanced(by: field.name.utf8.count)
        unsafe next = value?.advanced(by: field.value.utf8.count)
        let flags = field.isSensitive ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE
        unsafe fieldVectors.append(
          nghttp2_nv(
            name: name, value: value, namelen: field.name.utf8.count, valuelen: field.value.utf8.count,
            flags: UInt8(flags.rawValue)))
      }
      return unsafe fieldVectors.withUnsafeBufferPointer { unsafe body(session, $0.baseAddress, $0.count) }
    }
  }
}

extension HTTP2Error {
  /// What the library's refusal of a call means.
  init(libraryNumber number: Int32) {
    switch number {
    case NGHTTP2_ERR_NOMEM.rawValue:
      self.init(.outOfMemory, by: .library, number: number, "memory ran out")
    case NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE.rawValue:
      self.init(.closing, by: .local, number: number, "no stream identifiers are left")
    case NGHTTP2_ERR_INVALID_ARGUMENT.rawValue:
      self.init(.invalidArgument, by: .local, number: number, "the arguments make no sense")
    default:
      self.init(.internalFailure, by: .library, number: number, "the library refused the call")
    }
  }
}
