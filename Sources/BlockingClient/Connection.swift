// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Fault
public import GRPC
internal import HTTP2
public import Sys
public import TLS

/// An HTTP/2 connection on which calls run, one after another or side by side.
///
/// Nothing happens behind the caller's back: bytes move while somebody waits for something. A server that sends what
/// nobody waits for fills its window and stops.
public final class Connection {
  /// How much of a call's messages may wait to be sent before `send` waits itself.
  static let sendBacklog = 64 << 10

  /// The link that calls share; whoever drives it by itself starts no calls here.
  package let link: HTTP2Link
  private let log: TransportLog?
  private var calls: [StreamID: Call] = [:]
  private var isOver = false

  /// Why the connection can carry no more; nil while it can.
  public var failure: Fault? { link.failure }
  /// The server's GOAWAY, once it came.
  public var goAway: Fault? { link.goAway }
  /// How long the steps took.
  public internal(set) var timings = Timings()
  /// What TLS agreed on; nil in the clear.
  public let security: TLSPeerFacts?

  /// The address at the other end.
  public var peerName: String { link.peerName }
  /// Whether the other end is a process of this machine's, reached without a network and without a proxy.
  public var isLocal: Bool { link.peerAddress.isLoopback && timings.proxy == nil }
  /// What the kernel knows of the connection; see ``Sys/StreamSocket/tcpInfo``.
  package var tcpInfo: [UInt8] { link.tcpInfo }

  init(_ stream: ByteStream, security: TLSPeerFacts?, limits: HTTP2Limits, log: TransportLog?) throws(Fault) {
    self.security = security
    self.log = log
    let wantsFrames = log?.wantsFrames ?? false
    link = try HTTP2Link(stream, limits: limits, onFrame: wantsFrames ? { log?.info($0.text) } : nil)
  }

  /// Sends the preface and waits for the server's SETTINGS.
  func handshake(_ early: [UInt8], until deadline: Deadline) throws(Fault) {
    defer { dispatch() }
    try link.handshake(early, until: deadline)
  }

  /// Starts a call that takes messages of so many bytes.
  public func start(
    _ request: ClientRequest, kind: CallKind, receiveLimit: Int = defaultReceiveLimit
  ) throws(Fault) -> Call {
    if let failure { throw failure }
    do throws(HTTP2Error) {
      let id = try link.session.submitRequest(request.fields, endStream: false)
      let call = Call(on: self, id, ClientCall(kind: kind, receiveLimit: receiveLimit))
      calls[id] = call
      return call
    } catch { throw goAway ?? Fault(.protocolViolation, peerName, detail: error.message) }
  }

  /// Says goodbye and closes: GOAWAY, then our end of the stream, then the server's. Calls that still run end.
  public func close() {
    link.close()
    dispatch()
  }

  // MARK: - For callers that wait for more than a call

  /// Adds the socket to a poll of the caller's, for ``pump(isReady:)``. True where that has something to do at once.
  public func add(to poll: inout Poll) -> Bool { link.add(to: &poll) }

  /// Moves bytes both ways without waiting; what the poll said of the socket is `isReady`. True where something has
  /// happened: ``Call/takeEvent()`` tells what.
  @discardableResult public func pump(isReady: Bool) -> Bool {
    let hasHappened = link.pump(isReady: isReady)
    dispatch()
    return hasHappened
  }

  // MARK: - For calls

  func send(_ bytes: [UInt8], on id: StreamID, endStream: Bool) {
    // A stream that the server ended takes no more: its call has the reason.
    try? link.session.send(bytes, on: id, endStream: endStream)
  }

  func pendingBytes(on id: StreamID) -> Int { link.session.pendingBytes(on: id) }

  func reset(_ id: StreamID) {
    if calls.removeValue(forKey: id) != nil { link.session.reset(id, .cancel) }
  }

  /// Moves bytes both ways once; false where the deadline came before anything happened.
  func advance(until deadline: Deadline) throws(Fault) -> Bool {
    defer { dispatch() }
    return try link.advance(until: deadline)
  }

  // MARK: - What happens

  /// Hands what has happened to the calls.
  private func dispatch() {
    for event in link.takeEvents() {
      switch event {
      case .settings: log?.info("SETTINGS received from \(peerName)")
      case .headers(let id, _, kind: _, endStream: _), .reset(let id, _, by: _): calls[id]?.receive(event)
      case .data(let id, _, let flowControlled, endStream: _):
        calls[id]?.receive(event)
        link.session.consume(id, flowControlled)
      case .streamClosed(let id, _):
        calls[id]?.receive(event)
        calls[id] = nil
      case .goAway: tellGoAway()
      case .failed, .settingsAcknowledged, .ping, .pingAcknowledged, .windowUpdated, .bodyDrained: break
      }
    }
    if let failure, !isOver {
      isOver = true
      end(with: failure)
    }
  }

  private func tellGoAway() {
    guard let goAway else { return }
    log?.info("GOAWAY received: \(goAway.detail)")
    if goAway.code == .tooManyPings {
      log?.error(
        "Client received GoAway with error code ENHANCE_YOUR_CALM and debug data equal to ASCII \"too_many_pings\".")
    }
  }

  /// Ends the calls.
  private func end(with fault: Fault) {
    log?.warning("the connection to \(peerName) ended: \(fault.summary)")
    let what = fault.code == .connectionLost ? "error reading from server: \(fault.detail)" : fault.summary
    for call in calls.values { call.end(Status(.unavailable, what)) }
    calls = [:]
  }
}
