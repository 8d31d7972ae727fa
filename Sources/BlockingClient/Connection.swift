// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Fault
public import GRPC
internal import HTTP2
internal import Sys
public import TLS

/// An HTTP/2 connection on which calls run, one after another or side by side.
///
/// Nothing happens behind the caller's back: bytes move while somebody waits for something. A server that sends what
/// nobody waits for fills its window and stops.
public final class Connection {
  /// How much of a call's messages may wait to be sent before `send` waits itself.
  static let sendBacklog = 64 << 10
  /// How long a closing connection waits for the server to close too.
  static let lingerTime: Int64 = 50_000_000

  private let stream: ByteStream
  private var http2: HTTP2Session
  private let log: TransportLog?
  private var calls: [StreamID: Call] = [:]
  private var hasSettings = false

  /// Why the connection can carry no more; nil while it can.
  public private(set) var failure: Fault?
  /// The server's GOAWAY, once it came.
  public private(set) var goAway: Fault?
  /// How long the steps took.
  public internal(set) var timings = Timings()
  /// What TLS agreed on; nil in the clear.
  public let security: TLSPeerFacts?

  /// The address at the other end.
  public var peerName: String { stream.name }

  init(_ stream: ByteStream, security: TLSPeerFacts?, limits: HTTP2Limits, log: TransportLog?) throws(Fault) {
    self.stream = stream
    self.security = security
    self.log = log
    do throws(HTTP2Error) { http2 = try HTTP2Session(role: .client, limits: limits) } catch {
      throw Fault(.systemFailure, "HTTP/2", detail: error.message)
    }
    http2.isTracing = log?.wantsFrames ?? false
  }

  /// Sends the preface and waits for the server's SETTINGS: only they show that HTTP/2 is spoken.
  func handshake(_ early: [UInt8], until deadline: Deadline) throws(Fault) {
    if !early.isEmpty { http2.receive(early.span) }
    dispatch()
    while !hasSettings {
      if let failure { throw failure }
      guard try advance(until: deadline) else { throw Fault(.noSettings, peerName) }
    }
  }

  /// Starts a call.
  public func start(_ request: ClientRequest, kind: CallKind) throws(Fault) -> Call {
    if let failure { throw failure }
    do throws(HTTP2Error) {
      let id = try http2.submitRequest(request.fields, endStream: false)
      let call = Call(on: self, id, ClientCall(kind: kind))
      calls[id] = call
      return call
    } catch { throw goAway ?? Fault(.protocolViolation, peerName, detail: error.message) }
  }

  /// Says goodbye and closes: GOAWAY, then our end of the stream, then the server's. Calls that still run end.
  public func close() {
    if failure == nil {
      http2.goAway(.noError, debugData: Array("client transport shutdown".utf8))
      try? sendWhatIsDue()
    }
    stream.close(until: Deadline(nanoseconds: Self.lingerTime))
    end(with: Fault(.connectionLost, peerName, detail: "closed by this end"))
  }

  // MARK: - For calls

  func send(_ bytes: [UInt8], on id: StreamID, endStream: Bool) {
    // A stream that the server ended takes no more: its call has the reason.
    try? http2.send(bytes, on: id, endStream: endStream)
  }

  func pendingBytes(on id: StreamID) -> Int { http2.pendingBytes(on: id) }

  func reset(_ id: StreamID) {
    if calls.removeValue(forKey: id) != nil { http2.reset(id, .cancel) }
  }

  /// Moves bytes both ways once; false where the deadline came before anything happened.
  func advance(until deadline: Deadline) throws(Fault) -> Bool {
    do throws(Fault) {
      try sendWhatIsDue()
      // Sending ends streams too: what came of it must not wait for the server's next bytes.
      if dispatch() { return true }
      if !http2.wantsRead, !http2.wantsWrite {
        end(with: goAway ?? Fault(.connectionLost, peerName))
        return true
      }
      // Asked for itself: a peer that never pauses leaves nothing to wait for.
      guard !deadline.hasPassed, try stream.waitUntilReadable(deadline) else { return false }
      switch try stream.receive() {
      case .bytes(let bytes): http2.receive(bytes.span)
      case .endOfStream: http2.receiveEnd()
      case .nothing: break
      }
    } catch {
      // What the server said before it went may say more than that it went.
      if case .bytes(let bytes)? = try? stream.receive() { http2.receive(bytes.span) }
      dispatch()
      if error.code == .cancelled { throw error }
      end(with: error)
      return true
    }
    dispatch()
    return true
  }

  private func sendWhatIsDue() throws(Fault) {
    var bytes: [UInt8] = []
    http2.drain(into: &bytes)
    traceFrames()
    if !bytes.isEmpty { try stream.send(bytes) }
  }

  // MARK: - What the session says

  /// Takes note of the session's events; whether there were any.
  @discardableResult private func dispatch() -> Bool {
    var hasHappened = false
    while let event = http2.nextEvent() {
      hasHappened = true
      switch event {
      case .settings:
        hasSettings = true
        log?.info("SETTINGS received from \(peerName)")
      case .headers(let id, _, kind: _, endStream: _), .reset(let id, _, by: _): calls[id]?.receive(event)
      case .data(let id, _, let flowControlled, endStream: _):
        calls[id]?.receive(event)
        http2.consume(id, flowControlled)
      case .streamClosed(let id, _):
        calls[id]?.receive(event)
        calls[id] = nil
      case .goAway(_, let code, let debugData): receive(goAway: code, debugData)
      case .failed(let error): end(with: fault(error))
      case .settingsAcknowledged, .ping, .pingAcknowledged, .windowUpdated, .bodyDrained: break
      }
    }
    traceFrames()
    return hasHappened
  }

  private func receive(goAway code: HTTP2ErrorCode, _ debugData: [UInt8]) {
    let text = String(decoding: debugData, as: UTF8.self)
    let detail = code.name + (text.isEmpty ? "" : " \(text.quoted)")
    goAway = Fault(.goAway, peerName, detail: detail)
    log?.info("GOAWAY received: \(detail)")
    if code == .enhanceYourCalm, text == "too_many_pings" {
      log?.error(
        "Client received GoAway with error code \(code.name) and debug data equal to ASCII \(text.quoted).")
    }
  }

  private func fault(_ error: HTTP2Error) -> Fault {
    switch error.code {
    case .notHTTP2: Fault(insteadOfHTTP2: error.firstBytes, at: peerName)
    case .endOfInput:
      goAway ?? Fault(hasSettings ? .connectionLost : .closedBeforeSettings, peerName, detail: hasSettings ? "EOF" : "")
    default: Fault(.protocolViolation, peerName, detail: error.message)
    }
  }

  /// Records why the connection is over and ends its calls; the first reason counts.
  private func end(with fault: Fault) {
    guard failure == nil else { return }
    // Before SETTINGS, a connection that breaks has not been one yet.
    let isEarly = !hasSettings && fault.code == .connectionLost
    failure = isEarly ? Fault(.closedBeforeSettings, peerName, detail: fault.detail) : fault
    log?.warning("the connection to \(peerName) ended: \(fault.summary)")
    let what = fault.code == .connectionLost ? "error reading from server: \(fault.detail)" : fault.summary
    for call in calls.values { call.end(Status(.unavailable, what)) }
    calls = [:]
  }

  private func traceFrames() {
    guard let log, log.wantsFrames else { return }
    while let frame = http2.nextTrace() { log.info(frame.text) }
  }
}
