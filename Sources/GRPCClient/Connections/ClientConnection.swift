// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Fault
internal import GRPC
internal import HTTP2
internal import Logging
internal import NIOCore
internal import NIOTransport
internal import TLS

/// Who made a connection, and is told what becomes of it. Everything is called on the loop's thread.
protocol ClientConnectionOwner: AnyObject {
  /// Calls can be made.
  func connectionReady(_ connection: ClientConnection)
  /// No more calls can be made; those that are open go on.
  func connectionDrains(_ connection: ClientConnection)
  /// The server says that it is asked for signs of life too often.
  func connectionPingedTooOften(_ connection: ClientConnection)
  /// It is over.
  func connectionEnded(_ connection: ClientConnection)
}

/// A connection to a server, with the calls that run on it. How it lives is in `ClientConnection+Life.swift`.
///
/// ```
/// connecting ──TCP, TLS, SETTINGS──► ready ──GOAWAY, drain()──► draining ──last stream──► ended
///      └───────── failure, timeout ────┴───────── lost, keepalive ──┴──────────────────────▲
/// ```
///
/// It belongs to its loop's thread.
final class ClientConnection: HTTP2ConnectionDelegate, @unchecked Sendable {
  enum Phase { case connecting, ready, draining, ended }

  let loop: ClientLoop
  let http2: HTTP2Connection
  /// The address as logs write it.
  let name: String
  private(set) var phase = Phase.connecting
  /// Why it is over, or could not be made; one line.
  private(set) var failure = "closed"
  /// When it was begun, and when it became ready.
  let start = NIODeadline.now()
  private(set) var readySince: NIODeadline?
  var keepalive: KeepaliveClock

  private weak var owner: (any ClientConnectionOwner)?
  private var streams: [StreamID: ClientStream] = [:]
  private var queue = StreamQueue()
  private var isFilling = false
  /// What is known of the end before the end is told.
  private var reason: String?

  init(
    _ http2: HTTP2Connection, name: String, loop: ClientLoop, keepaliveTime: TimeAmount?,
    owner: any ClientConnectionOwner
  ) {
    self.http2 = http2
    self.name = name
    self.loop = loop
    self.owner = owner
    keepalive = KeepaliveClock(loop.configuration.keepalive, time: keepaliveTime)
    http2.delegate = self
  }

  /// Calls that run or wait here.
  var load: Int { streams.count + queue.count }

  /// Whether a call runs here.
  var hasStreams: Bool { !streams.isEmpty }

  /// How far making the connection has come, in words.
  var progress: String {
    guard http2.channel?.isActive == true else { return "no answer to connecting" }
    return http2.isOpen ? "no HTTP/2 SETTINGS from the server" : "no end of the TLS handshake"
  }

  // MARK: - Calls

  /// Opens a stream now, or once one is free.
  func open(_ stream: ClientStream) {
    guard phase == .ready else { return stream.fail(Status(.unavailable, "the connection is draining")) }
    guard queue.count < loop.configuration.limits.waitingCalls else {
      return stream.fail(Status(.resourceExhausted, "too many calls wait for a stream to \(name)"))
    }
    queue.append(stream)
    fill()
  }

  /// Forgets a stream that waits.
  func withdraw(_ stream: ClientStream) { queue.remove(stream) }

  /// Opens streams for as many of those that wait as the server lets us have.
  private func fill() {
    guard !isFilling else { return }
    isFilling = true
    defer { isFilling = false }
    let limit = Int(http2.session.peerSettings.maxConcurrentStreams ?? .max)
    while phase == .ready, streams.count < limit, let stream = queue.popFirst() {
      guard let request = stream.request else { continue }
      guard let id = try? http2.session.submitRequest(request.fields, endStream: false) else {
        // Stream numbers are used up, or a GOAWAY is about to be told of.
        stream.fail(Status(.unavailable, "the connection is draining"))
        drain()
        return
      }
      streams[id] = stream
      stream.opened(id)
      http2.setNeedsFlush()
      keepalive.hasCalls = true
    }
    if keepalive.hasCalls { scheduleKeepalive() }
  }

  // MARK: - From HTTP/2

  func connectionOpened(_ connection: HTTP2Connection) {
    if let facts = connection.securityFacts, facts.alpn != "h2" {
      let chosen = facts.alpn.map { "it chose \($0.quoted)" } ?? "it chose nothing"
      reason = Fault(.alpnMissing, name, detail: chosen).programReason
      connection.abort()
    }
  }

  func connection(_ connection: HTTP2Connection, received event: HTTP2Event) {
    switch event {
    case .headers(let id, _, kind: _, endStream: _), .reset(let id, _, by: _): streams[id]?.receive(event)
    case .data(let id, _, let flowControlled, endStream: _):
      if let stream = streams[id] {
        stream.receive(event)
      } else {
        http2.session.consume(id, flowControlled)
      }
    case .streamClosed(let id, _): closed(id, event)
    case .bodyDrained(let id): streams[id]?.drained()
    case .settings: receiveSettings()
    case .goAway(_, let code, let debugData): receiveGoAway(code, debugData)
    case .pingAcknowledged: keepalive.answered()
    case .failed, .settingsAcknowledged, .ping, .windowUpdated: break
    }
  }

  func connectionEnded(_ connection: HTTP2Connection, _ end: ConnectionEnd) {
    guard phase != .ended else { return }
    let wasReady = phase != .connecting
    // One that came late: under TLS 1.3 a server may give it at any time.
    if wasReady { loop.core.connector.keepTicket(of: connection, name: name) }
    failure = reason ?? describe(end)
    phase = .ended
    loop.logger.debug(
      wasReady ? "a connection ended" : "a connection failed", metadata: ["peer": "\(name)", "reason": "\(failure)"])
    // The owner goes first: calls that try again at once must not come here.
    owner?.connectionEnded(self)
    let calls = streams
    streams = [:]
    let status = Status(.unavailable, "the connection to \(name) was lost: \(failure)")
    for stream in calls.values { stream.fail(status) }
    failQueue()
    loop.remove(self)
  }

  private func closed(_ id: StreamID, _ event: HTTP2Event) {
    guard let stream = streams.removeValue(forKey: id) else { return }
    stream.receive(event)
    if streams.isEmpty { keepalive.hasCalls = false }
    fill()
    closeIfDrained()
  }

  private func receiveSettings() {
    if phase == .connecting {
      phase = .ready
      readySince = .now()
      loop.core.connector.keepTicket(of: http2, name: name)
      scheduleKeepalive()
      owner?.connectionReady(self)
    }
    fill()
  }

  private func receiveGoAway(_ code: HTTP2ErrorCode, _ debugData: [UInt8]) {
    let text =
      debugData.isEmpty ? code.name : "\(code.name), \(String(decoding: debugData, as: UTF8.self).safeForDisplay)"
    if reason == nil, code != .noError || phase == .connecting { reason = "the server said GOAWAY (\(text))" }
    if code == .enhanceYourCalm, debugData.elementsEqual("too_many_pings".utf8) {
      owner?.connectionPingedTooOften(self)
    }
    drain()
  }

  // MARK: - The end

  /// Takes no more calls, and closes once those that run are over.
  func drain() {
    switch phase {
    case .connecting: return end("not needed any more")
    case .draining, .ended: return
    case .ready: break
    }
    phase = .draining
    owner?.connectionDrains(self)
    failQueue()
    closeIfDrained()
  }

  /// Ends the connection at once, calls included.
  func end(_ why: String) {
    if reason == nil { reason = why }
    http2.abort()
  }

  private func closeIfDrained() {
    guard phase == .draining, streams.isEmpty, http2.isOpen else { return }
    http2.session.goAway(.noError)
    http2.endAfterFlush()
  }

  private func failQueue() {
    while let stream = queue.popFirst() { stream.fail(Status(.unavailable, "the connection is draining")) }
  }

  private func describe(_ end: ConnectionEnd) -> String {
    switch end {
    case .socket(let error): ErrorText.describe(error)
    case .tls(let failure): Fault(failure, at: name).programReason
    case .http2(let error) where error.code == .notHTTP2:
      Fault(insteadOfHTTP2: error.firstBytes, at: name).programReason
    case .closedByPeer where phase == .connecting: Fault(.closedBeforeSettings, name).programReason
    case .http2, .closedByUs, .closedByPeer: end.reason
    }
  }
}

/// Streams that wait, in order; any of them may be withdrawn.
struct StreamQueue {
  private var waiting: [ClientStream?] = []
  private var head = 0
  /// How many wait.
  private(set) var count = 0

  mutating func append(_ stream: ClientStream) {
    waiting.append(stream)
    count += 1
  }

  mutating func popFirst() -> ClientStream? {
    while head < waiting.count {
      let stream = waiting[head]
      waiting[head] = nil
      head += 1
      if head == waiting.count {
        waiting.removeAll(keepingCapacity: true)
        head = 0
      }
      if let stream {
        count -= 1
        return stream
      }
    }
    return nil
  }

  mutating func remove(_ stream: ClientStream) {
    guard let index = waiting[head...].firstIndex(where: { $0 === stream }) else { return }
    waiting[index] = nil
    count -= 1
  }
}
