// SPDX-License-Identifier: Apache-2.0

/// The number of a stream: odd ones are started by the client, 0 means the connection as a whole.
public typealias StreamID = Int32

/// Which end of the connection a session is.
public enum HTTP2Role: Equatable, Sendable {
  /// Opens the connection and makes requests.
  case client
  /// Accepts the connection and answers.
  case server
}

/// What a header section is for.
public enum HeadersKind: Equatable, Sendable {
  /// Starts a stream (server's role).
  case request
  /// An interim response, status 1xx: the real one follows (client's role).
  case informational
  /// The response (client's role).
  case response
  /// Fields after the body; always ends the stream.
  case trailers
}

/// What a session has to say, in the order in which it happened.
public enum HTTP2Event: Equatable, Sendable {
  /// A SETTINGS frame came: all that the peer has said up to now. It is acknowledged without further ado.
  case settings(HTTP2Settings)
  /// The peer acknowledged our SETTINGS.
  case settingsAcknowledged
  /// A whole header section came.
  case headers(StreamID, HeaderFields, kind: HeadersKind, endStream: Bool)
  /// Bytes of a body came. The peer gets `flowControlled` bytes of window back only by
  /// ``HTTP2Session/consume(_:_:)``; padding is not part of it, as it is given back at once.
  case data(StreamID, [UInt8], flowControlled: Int, endStream: Bool)
  /// A stream was cut off: RST_STREAM came (`.peer`), or the peer broke a rule and gets one from us (`.local`).
  /// A stream that ``HTTP2Session/reset(_:_:)`` cuts off is not told of here.
  case reset(StreamID, HTTP2ErrorCode, by: Initiator)
  /// The last word about a stream, however it ended. `REFUSED_STREAM` says that the request was never processed.
  case streamClosed(StreamID, HTTP2ErrorCode)
  /// The peer takes no streams after `lastStreamID`. At most ``HTTP2Limits/maxDebugData`` bytes of its text are kept.
  case goAway(lastStreamID: StreamID, HTTP2ErrorCode, debugData: [UInt8])
  /// A PING came; it is answered without further ado.
  case ping(UInt64)
  /// The answer to our own PING came.
  case pingAcknowledged(UInt64)
  /// The peer opened a window that queued data waits for, of a stream or (0) of the connection.
  case windowUpdated(StreamID)
  /// The bytes queued on a stream went down to the mark that ``HTTP2Session/notifyWhenDrained(_:to:)`` set.
  case bodyDrained(StreamID)
  /// The connection is over because of an error. It is the last event; `drain` still yields the GOAWAY.
  case failed(HTTP2Error)
}
