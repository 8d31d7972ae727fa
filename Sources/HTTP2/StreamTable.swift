// SPDX-License-Identifier: Apache-2.0

/// What a session remembers of one stream.
final class StreamState {
  let id: StreamID

  /// The bytes to send.
  var body = OutboundBody()

  /// Whether the library waits to be told of new bytes.
  var isDeferred = false

  /// Whether the final header section was sent: the request's, or the response's that is not 1xx.
  var hasSentHeaders = false

  /// Whether the final header section came: what follows are trailers.
  var hasFinalHeaders = false

  /// Whether the peer has sent all that it will.
  var isInputEnded = false

  /// The count of queued bytes at which the caller wants to be told that there is room again; negative for never.
  var drainMark = -1

  /// Whether the stream was cut off, by whomever: nothing of it is told any more but its end.
  var isReset = false

  init(_ id: StreamID) { self.id = id }
}

/// The open streams by their number. The one asked for last is at hand: calls about a stream come in a row.
struct StreamTable {
  private var states: [StreamID: StreamState] = [:]
  private var latest: StreamState?

  subscript(id: StreamID) -> StreamState? {
    mutating get {
      if let latest, latest.id == id { return latest }
      guard let state = states[id] else { return nil }
      latest = state
      return state
    }
  }

  /// All open streams, the oldest first.
  var identifiers: [StreamID] { states.keys.sorted() }

  /// The state without making it the latest one.
  func peek(_ id: StreamID) -> StreamState? {
    if let latest, latest.id == id { return latest }
    return states[id]
  }

  /// Adds a stream, or returns the one that is there already.
  mutating func insert(_ id: StreamID) -> StreamState {
    if let state = self[id] { return state }
    let state = StreamState(id)
    states[id] = state
    latest = state
    return state
  }

  mutating func remove(_ id: StreamID) -> StreamState? {
    if let latest, latest.id == id { self.latest = nil }
    return states.removeValue(forKey: id)
  }
}
