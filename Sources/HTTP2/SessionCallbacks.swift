// SPDX-License-Identifier: Apache-2.0

import CNghttp2

/// The library's callbacks. Each only notes what happened in the ``SessionContext``; none calls back into the session.
///
/// The context's address comes in as the last argument. It is valid here because the session owns the context and frees
/// the library's half before it; and nobody else uses the context meanwhile, because the library calls back only from
/// within calls that the session makes while it does not use it.
@safe enum SessionCallbacks {
  /// A table of all callbacks, for the caller to free; nil where memory ran out.
  static func make() -> OpaquePointer? {
    var table: OpaquePointer?
    guard unsafe nghttp2_session_callbacks_new(&table) == 0 else { return nil }
    unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(table) { _, frame, context in
      guard let frame = unsafe frame, let context = unsafe address(of: context) else { return failedCallback }
      let header = unsafe frame.pointee.hd
      if header.type == UInt8(NGHTTP2_HEADERS.rawValue) {
        unsafe context.pointee.beginHeaders(
          header.stream_id, isRequest: frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST)
      }
      return unsafe context.pointee.verdict
    }
    unsafe nghttp2_session_callbacks_set_on_header_callback(table) {
      _, frame, name, nameCount, value, valueCount, flags, context in
      guard let frame = unsafe frame, let context = unsafe address(of: context) else { return failedCallback }
      if unsafe frame.pointee.hd.type == UInt8(NGHTTP2_HEADERS.rawValue) {
        unsafe context.pointee.header(
          UnsafeBufferPointer(start: name, count: nameCount), UnsafeBufferPointer(start: value, count: valueCount),
          isSensitive: flags & UInt8(NGHTTP2_NV_FLAG_NO_INDEX.rawValue) != 0)
      }
      return unsafe context.pointee.verdict
    }
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(table) { _, frame, context in
      guard let frame = unsafe frame, let context = unsafe address(of: context) else { return failedCallback }
      unsafe context.pointee.received(frame)
      return unsafe context.pointee.verdict
    }
    unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(table) { _, frame, number, context in
      guard let frame = unsafe frame, let context = unsafe address(of: context) else { return failedCallback }
      unsafe context.pointee.receivedInvalid(frame, number)
      return unsafe context.pointee.verdict
    }
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table) { _, _, id, bytes, count, context in
      guard let context = unsafe address(of: context) else { return failedCallback }
      unsafe context.pointee.data(id, UnsafeBufferPointer(start: bytes, count: count))
      return unsafe context.pointee.verdict
    }
    unsafe nghttp2_session_callbacks_set_on_stream_close_callback(table) { _, id, code, context in
      guard let context = unsafe address(of: context) else { return failedCallback }
      unsafe context.pointee.streamClosed(id, HTTP2ErrorCode(rawValue: code))
      return unsafe context.pointee.verdict
    }
    unsafe nghttp2_session_callbacks_set_on_frame_send_callback(table) { _, frame, context in
      guard let frame = unsafe frame, let context = unsafe address(of: context) else { return failedCallback }
      unsafe context.pointee.sent(frame)
      return 0
    }
    return unsafe table
  }

  /// A body that the library reads through ``readBody``. It holds no address: the stream's number says which body it
  /// is.
  static var bodyProvider: nghttp2_data_provider {
    unsafe nghttp2_data_provider(source: nghttp2_data_source(ptr: nil), read_callback: readBody)
  }

  /// The library asks for a stream's next bytes.
  static let readBody: nghttp2_data_source_read_callback = { _, id, buffer, capacity, flags, _, context in
    guard let context = unsafe address(of: context), let flags = unsafe flags else {
      return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
    }
    return unsafe context.pointee.read(
      id, into: UnsafeMutableRawBufferPointer(start: buffer, count: capacity), &flags.pointee)
  }
}

/// The context that a callback is given.
private func address(of context: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<SessionContext>? {
  unsafe context?.assumingMemoryBound(to: SessionContext.self)
}

/// What a callback returns that was called without what it needs.
private let failedCallback = NGHTTP2_ERR_CALLBACK_FAILURE.rawValue

extension SessionContext {
  fileprivate mutating func received(_ frame: UnsafePointer<nghttp2_frame>) {
    let header = unsafe frame.pointee.hd
    let id = header.stream_id
    let endStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    let isACK = header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
    if isTracing { unsafe trace(.received, frame.pointee) }
    switch UInt32(header.type) {
    case NGHTTP2_DATA.rawValue:
      endData(id, endStream: endStream, isEmpty: header.length == 0)
    case NGHTTP2_HEADERS.rawValue:
      endHeaders(id, endStream: endStream)
    case NGHTTP2_RST_STREAM.rawValue:
      resetReceived(id, HTTP2ErrorCode(rawValue: unsafe frame.pointee.rst_stream.error_code))
    case NGHTTP2_SETTINGS.rawValue:
      if isACK {
        emit(.settingsAcknowledged)
      } else {
        let settings = unsafe frame.pointee.settings
        for index in 0..<(unsafe settings.niv) {
          let entry = unsafe settings.iv[index]
          peerSettings.apply(identifier: UInt16(truncatingIfNeeded: entry.settings_id), value: entry.value)
        }
        emit(.settings(peerSettings))
      }
    case NGHTTP2_PING.rawValue:
      let opaque = unsafe UInt64(bigEndianBytes: frame.pointee.ping.opaque_data)
      emit(isACK ? .pingAcknowledged(opaque) : .ping(opaque))
    case NGHTTP2_GOAWAY.rawValue:
      isGoneAway = true
      let goAway = unsafe frame.pointee.goaway
      let count = unsafe min(goAway.opaque_data_len, HTTP2Limits.maxDebugData)
      let debugData = unsafe [UInt8](UnsafeBufferPointer(start: goAway.opaque_data, count: count))
      emit(
        .goAway(
          lastStreamID: unsafe goAway.last_stream_id, HTTP2ErrorCode(rawValue: unsafe goAway.error_code),
          debugData: debugData),
        payload: count)
    case NGHTTP2_WINDOW_UPDATE.rawValue:
      let isAwaited = id == 0 ? pendingBytes > 0 : (streams[id]?.body.count ?? 0) > 0
      if isAwaited { emit(.windowUpdated(id)) }
    default:
      break
    }
  }

  fileprivate mutating func sent(_ frame: UnsafePointer<nghttp2_frame>) {
    let header = unsafe frame.pointee.hd
    if isTracing { unsafe trace(.sent, frame.pointee) }
    switch UInt32(header.type) {
    case NGHTTP2_DATA.rawValue, NGHTTP2_HEADERS.rawValue:
      if header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 { endSent(header.stream_id) }
    case NGHTTP2_RST_STREAM.rawValue:
      resetSent(header.stream_id, HTTP2ErrorCode(rawValue: unsafe frame.pointee.rst_stream.error_code))
    case NGHTTP2_GOAWAY.rawValue:
      let goAway = unsafe frame.pointee.goaway
      let code = HTTP2ErrorCode(rawValue: unsafe goAway.error_code)
      guard code != .noError, !askedGoAways.contains(code) else { return }
      let reason = unsafe UnsafeBufferPointer(start: goAway.opaque_data, count: goAway.opaque_data_len)
      libraryGoAway = (code, unsafe String(decoding: reason, as: UTF8.self))
    default:
      break
    }
  }

  fileprivate mutating func receivedInvalid(_ frame: UnsafePointer<nghttp2_frame>, _ number: Int32) {
    if isTracing { unsafe trace(.received, frame.pointee) }
    let id = unsafe frame.pointee.hd.stream_id
    if id != 0 { suspect(id, HTTP2ErrorCode(libraryNumber: number)) }
  }

  /// Gives the stream's next bytes and returns how many. That the body ends, or that there is nothing yet, goes into
  /// the flags and the result.
  fileprivate mutating func read(
    _ id: StreamID, into buffer: UnsafeMutableRawBufferPointer, _ flags: inout UInt32
  ) -> Int {
    if isFailing { return Int(NGHTTP2_ERR_PAUSE.rawValue) }
    guard let stream = streams[id] else { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
    let moved = unsafe stream.body.move(into: buffer)
    pendingBytes -= moved
    if stream.body.count <= stream.drainMark {
      stream.drainMark = -1
      emit(.bodyDrained(id))
    }
    guard stream.body.count == 0 else { return moved }
    if stream.body.isEnded {
      flags |= UInt32(NGHTTP2_DATA_FLAG_EOF.rawValue)
      if stream.body.trailers != nil {
        flags |= UInt32(NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue)
        dueTrailers.append(id)
      }
    } else if moved == 0 {
      stream.isDeferred = true
      return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    }
    return moved
  }

  /// What a callback returns: go on, or stop because a limit is broken.
  fileprivate var verdict: Int32 { !isStopped ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }

  fileprivate mutating func trace(_ direction: FrameTrace.Direction, _ frame: nghttp2_frame) {
    let header = unsafe frame.hd
    traces.append(
      FrameTrace(
        direction: direction, type: header.type, flags: header.flags, streamID: header.stream_id, length: header.length,
        content: unsafe content(of: frame)))
  }

  private func content(of frame: nghttp2_frame) -> FrameTrace.Content {
    switch UInt32(unsafe frame.hd.type) {
    case NGHTTP2_RST_STREAM.rawValue:
      return .reset(HTTP2ErrorCode(rawValue: unsafe frame.rst_stream.error_code))
    case NGHTTP2_SETTINGS.rawValue:
      let settings = unsafe frame.settings
      return .settings(
        (0..<(unsafe settings.niv)).map { index in
          let entry = unsafe settings.iv[index]
          return HTTP2Setting(identifier: UInt16(truncatingIfNeeded: entry.settings_id), value: entry.value)
        })
    case NGHTTP2_GOAWAY.rawValue:
      let goAway = unsafe frame.goaway
      return .goAway(
        lastStreamID: unsafe goAway.last_stream_id, HTTP2ErrorCode(rawValue: unsafe goAway.error_code))
    case NGHTTP2_WINDOW_UPDATE.rawValue:
      return .windowUpdate(increment: Int(unsafe frame.window_update.window_size_increment))
    default:
      return .none
    }
  }
}

extension UInt64 {
  /// The number that eight bytes, the most significant first, stand for.
  fileprivate init(
    bigEndianBytes bytes: (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8)
  ) {
    let high = UInt64(bytes.0) << 56 | UInt64(bytes.1) << 48 | UInt64(bytes.2) << 40 | UInt64(bytes.3) << 32
    let low = UInt64(bytes.4) << 24 | UInt64(bytes.5) << 16 | UInt64(bytes.6) << 8 | UInt64(bytes.7)
    self = high | low
  }
}

extension HTTP2ErrorCode {
  /// The code that the library sends for one of its error numbers.
  init(libraryNumber number: Int32) {
    switch number {
    case NGHTTP2_ERR_STREAM_CLOSED.rawValue: self = .streamClosed
    case NGHTTP2_ERR_HEADER_COMP.rawValue: self = .compressionError
    case NGHTTP2_ERR_FRAME_SIZE_ERROR.rawValue: self = .frameSizeError
    case NGHTTP2_ERR_FLOW_CONTROL.rawValue: self = .flowControlError
    case NGHTTP2_ERR_REFUSED_STREAM.rawValue: self = .refusedStream
    case NGHTTP2_ERR_PROTO.rawValue, NGHTTP2_ERR_HTTP_HEADER.rawValue, NGHTTP2_ERR_HTTP_MESSAGING.rawValue:
      self = .protocolError
    default: self = .internalError
    }
  }
}
