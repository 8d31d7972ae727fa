// SPDX-License-Identifier: Apache-2.0

import HTTP2

/// A session that a test can look at: the testing macros take no value that cannot be copied, so this is a class around
/// it.
final class Endpoint {
  var session: HTTP2Session

  /// What the last call of `drained` gave that gave anything.
  private(set) var lastSent: [UInt8] = []

  init(_ role: HTTP2Role, _ limits: HTTP2Limits) throws { session = try HTTP2Session(role: role, limits: limits) }

  /// A client whose server is written by hand and has said hello.
  static func client(_ limits: HTTP2Limits = .client, settings: [(UInt16, UInt32)] = []) throws -> Endpoint {
    let client = try Endpoint(.client, limits)
    client.receive(Frame.settings(settings), .settingsACK)
    _ = client.drained()
    _ = client.events()
    return client
  }

  /// A server whose client is written by hand and has said hello.
  static func server(_ limits: HTTP2Limits = .server, settings: [(UInt16, UInt32)] = []) throws -> Endpoint {
    let server = try Endpoint(.server, limits)
    server.receive(Frame.preface + Frame.settings(settings).bytes() + Frame.settingsACK.bytes())
    _ = server.drained()
    _ = server.events()
    return server
  }

  // MARK: In

  func receive(_ frames: Frame...) { receive(frames.bytes) }

  /// Takes bytes in pieces: `cut` says how long the next one is, given what is left.
  func receive(_ bytes: [UInt8], cut: (Int) -> Int = { $0 }) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = [UInt8](rest.prefix(max(1, cut(rest.count))))
      rest = rest.dropFirst(piece.count)
      session.receive(piece.span)
    }
  }

  func receiveEnd() { session.receiveEnd() }

  /// All events that wait.
  func events() -> [HTTP2Event] {
    var events: [HTTP2Event] = []
    while let event = session.nextEvent() { events.append(event) }
    return events
  }

  // MARK: Out

  /// Everything that there is to send.
  func drained() -> [UInt8] {
    var bytes: [UInt8] = []
    session.drain(into: &bytes)
    if !bytes.isEmpty { lastSent = bytes }
    return bytes
  }

  /// The same, cut into frames.
  func drainedFrames() -> [Frame] { [Frame](cutting: drained()) }

  func drain(into output: inout [UInt8], atMost: Int) -> Int { session.drain(into: &output, atMost: atMost) }

  var wantsRead: Bool { session.wantsRead }
  var wantsWrite: Bool { session.wantsWrite }
  var isOver: Bool { !session.wantsRead && !session.wantsWrite }

  // MARK: Streams

  func submitRequest(_ fields: HeaderFields = request, endStream: Bool) throws(HTTP2Error) -> StreamID {
    try session.submitRequest(fields, endStream: endStream)
  }

  func submitHeaders(_ id: StreamID, _ fields: HeaderFields, endStream: Bool) throws(HTTP2Error) {
    try session.submitHeaders(id, fields, endStream: endStream)
  }

  func submitTrailers(_ id: StreamID, _ fields: HeaderFields) throws(HTTP2Error) {
    try session.submitTrailers(id, fields)
  }

  func send(_ bytes: [UInt8], on id: StreamID, endStream: Bool) throws(HTTP2Error) {
    try session.send(bytes, on: id, endStream: endStream)
  }

  func pendingBytes(on id: StreamID) -> Int { session.pendingBytes(on: id) }
  func notifyWhenDrained(_ id: StreamID, to mark: Int) -> Bool { session.notifyWhenDrained(id, to: mark) }
  var isInsideHeaderSection: Bool { session.isInsideHeaderSection }
  func consume(_ id: StreamID, _ count: Int) { session.consume(id, count) }
  func receiveWindow(of id: StreamID) -> Int { session.receiveWindow(of: id) }
  func sendWindow(of id: StreamID) -> Int { session.sendWindow(of: id) }
  func reset(_ id: StreamID, _ code: HTTP2ErrorCode) { session.reset(id, code) }

  // MARK: Connection

  func shutdownNotice() { session.shutdownNotice() }

  func goAway(_ code: HTTP2ErrorCode, lastStreamID: StreamID? = nil, debugData: [UInt8] = []) {
    session.goAway(code, lastStreamID: lastStreamID, debugData: debugData)
  }

  func ping(_ opaque: UInt64) { session.ping(opaque) }
  var peerSettings: HTTP2Settings { session.peerSettings }
  var lastPeerStreamID: StreamID { session.lastPeerStreamID }
  var canSubmitRequest: Bool { session.canSubmitRequest }

  func traces() -> [FrameTrace] {
    var traces: [FrameTrace] = []
    while let trace = session.nextTrace() { traces.append(trace) }
    return traces
  }
}
