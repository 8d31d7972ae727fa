// SPDX-License-Identifier: Apache-2.0

import CNghttp2

/// How a library session is made from ``HTTP2Limits``.
@safe enum SessionOptions {
  /// A library session that calls back into the context, with its first frames queued. The caller frees it, before the
  /// context.
  static func makeSession(
    role: HTTP2Role, limits: HTTP2Limits, context: UnsafeMutablePointer<SessionContext>
  ) throws(HTTP2Error) -> OpaquePointer {
    let outOfMemory = HTTP2Error(.outOfMemory, by: .library, "memory ran out")
    guard let callbacks = unsafe SessionCallbacks.make() else { throw outOfMemory }
    defer { unsafe nghttp2_session_callbacks_del(callbacks) }
    guard let option = unsafe makeOption(limits) else { throw outOfMemory }
    defer { unsafe nghttp2_option_del(option) }

    var session: OpaquePointer?
    switch role {
    case .client: unsafe nghttp2_session_client_new2(&session, callbacks, context, option)
    case .server: unsafe nghttp2_session_server_new2(&session, callbacks, context, option)
    }
    guard let session = unsafe session else { throw outOfMemory }
    do throws(HTTP2Error) {
      try unsafe submitFirstFrames(session, role: role, limits: limits)
    } catch {
      unsafe nghttp2_session_del(session)
      throw error
    }
    return unsafe session
  }

  private static func makeOption(_ limits: HTTP2Limits) -> OpaquePointer? {
    var option: OpaquePointer?
    guard unsafe nghttp2_option_new(&option) == 0 else { return nil }
    // Window is given back by consume() alone.
    unsafe nghttp2_option_set_no_auto_window_update(option, 1)
    // Priorities of RFC 7540 are obsolete, and a closed stream's place in their tree costs memory.
    unsafe nghttp2_option_set_no_closed_streams(option, 1)
    // A pushed stream is cancelled before anything is kept of it.
    unsafe nghttp2_option_set_max_reserved_remote_streams(option, 0)
    // A space at a value's end hurts nobody, while a dropped grpc-message hides why a call failed.
    unsafe nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1)
    unsafe nghttp2_option_set_max_send_header_block_length(option, HTTP2Limits.maxSentHeaderBlock)
    unsafe nghttp2_option_set_max_outbound_ack(option, max(0, limits.maxOutboundAcks))
    unsafe nghttp2_option_set_max_settings(option, max(0, limits.maxSettingsEntries))
    unsafe nghttp2_option_set_max_continuations(option, max(0, limits.maxContinuations))
    unsafe nghttp2_option_set_stream_reset_rate_limit(option, limits.streamResetBurst, limits.streamResetRate)
    return unsafe option
  }

  private static func submitFirstFrames(
    _ session: OpaquePointer, role: HTTP2Role, limits: HTTP2Limits
  ) throws(HTTP2Error) {
    let entries = settings(role: role, limits: limits)
    var result = unsafe nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
    if result == 0, limits.connectionWindowSize != HTTP2Limits.defaultWindow {
      result = unsafe nghttp2_session_set_local_window_size(
        session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, limits.connectionWindowSize)
    }
    guard result == 0 else {
      throw HTTP2Error(.invalidArgument, by: .local, number: result, "a limit is out of range")
    }
  }

  /// What the first SETTINGS frame lists: the values that differ from the protocol's defaults.
  private static func settings(role: HTTP2Role, limits: HTTP2Limits) -> [nghttp2_settings_entry] {
    var entries: [nghttp2_settings_entry] = []
    func list(_ identifier: nghttp2_settings_id, _ value: UInt32) {
      entries.append(nghttp2_settings_entry(settings_id: Int32(bitPattern: identifier.rawValue), value: value))
    }
    if limits.headerTableSize != 4_096 { list(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, limits.headerTableSize) }
    if role == .client, limits.announcesNoPush { list(NGHTTP2_SETTINGS_ENABLE_PUSH, 0) }
    if let count = limits.maxConcurrentStreams { list(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, count) }
    if limits.initialWindowSize != UInt32(HTTP2Limits.defaultWindow) {
      list(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.initialWindowSize)
    }
    if limits.maxFrameSize != 16_384 { list(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, limits.maxFrameSize) }
    if limits.announcesMaxHeaderListSize {
      list(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(clamping: limits.maxHeaderListSize))
    }
    return entries
  }
}
