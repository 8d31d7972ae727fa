// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
internal import HTTP2
internal import Logging
internal import NIOCore
internal import NIOTransport

/// A client's connection: its calls by their streams. When it should end is in `ServerConnection+Life.swift`.
///
/// It belongs to its loop's thread.
final class ServerConnection: HTTP2ConnectionDelegate, CallCarrier, LoopConnection, @unchecked Sendable {
  let server: ServerCore
  let http2: HTTP2Connection
  let limits: ServerLimits
  let executor: LoopExecutor
  let timers: CallTimers
  let loop: any EventLoop
  var life: ConnectionLife

  private let owner: ServerLoop
  private let remoteAddress: String
  private(set) var streams: [StreamID: ServerStream] = [:]
  private(set) lazy var peer = Peer(address: remoteAddress, security: http2.securityFacts)

  init(_ http2: HTTP2Connection, remoteAddress: String, owner: ServerLoop) {
    self.http2 = http2
    self.owner = owner
    self.remoteAddress = remoteAddress
    server = owner.server
    limits = owner.server.configuration.limits
    executor = owner.executor
    timers = owner.timers
    loop = owner.executor.loop
    life = ConnectionLife(now: .now(), policy: owner.server.configuration.connections)
    http2.delegate = self
    if server.logger.logLevel == .trace {
      http2.frameLog = { [logger = server.logger] frame in
        logger.trace(
          "frame",
          metadata: ["peer": "\(remoteAddress)", "sent": "\(frame.direction == .sent)", "frame": "\(frame.text)"])
      }
    }
  }

  /// A short name for logs.
  var name: String { remoteAddress }

  // MARK: - From HTTP/2

  func connectionOpened(_ connection: HTTP2Connection) {
    if owner.isDraining { drain("") }
  }

  func connection(_ connection: HTTP2Connection, received event: HTTP2Event) {
    switch event {
    case .headers(let id, let fields, kind: .request, endStream: _): open(id, fields, event)
    case .headers(let id, _, kind: _, endStream: _), .reset(let id, _, by: _): streams[id]?.receive(event)
    case .data(let id, _, let flowControlled, endStream: _):
      if let stream = streams[id] {
        stream.receive(event)
      } else {
        http2.session.consume(id, flowControlled)
      }
    case .streamClosed(let id, _):
      guard let stream = streams.removeValue(forKey: id) else { return }
      stream.receive(event)
      if streams.isEmpty { life.idleSince = .now() }
    case .bodyDrained(let id): streams[id]?.bodyDrained()
    case .settings: receiveSettings()
    case .ping: receivePing()
    case .pingAcknowledged(let opaque): receivePingAcknowledgement(opaque)
    case .failed(let error): failed(error)
    case .settingsAcknowledged, .goAway, .windowUpdated: break
    }
  }

  func connectionEnded(_ connection: HTTP2Connection, _ end: ConnectionEnd) {
    server.logger.debug("connection ended", metadata: ["peer": "\(name)", "reason": "\(end.reason)"])
    let calls = streams
    streams = [:]
    for stream in calls.values { stream.connectionLost() }
    owner.ended(self)
  }

  private func failed(_ error: HTTP2Error) {
    switch error.code {
    case .endOfInput: break
    case .notHTTP2:
      server.logger.debug("a client does not speak HTTP/2", metadata: ["peer": "\(name)"])
      http2.sayGoodbye(ForeignClient.answer(to: error.firstBytes))
    default:
      server.logger.notice("a client broke the rules", metadata: ["peer": "\(name)", "reason": "\(error.message)"])
    }
  }

  // MARK: - Calls

  private func open(_ id: StreamID, _ fields: HeaderFields, _ event: HTTP2Event) {
    life.settingsInARow = 0
    let started: ServerStream?
    if server.translator != nil, !isGRPC(contentType: fields.first(named: "content-type") ?? ""),
      let translated = translated(fields)
    {
      translated.receive(event)
      started = begin(id, OpenCall(translated), nil)
    } else {
      let handler = server.handler(for: fields.first(named: ":path") ?? "")
      let receiveLimit = handler?.options.receivedMessageSize ?? limits.receivedMessageSize
      var call = ServerCall(
        receiveLimit: receiveLimit, isServed: handler != nil, refusalTrailers: server.refusalTrailers)
      call.receive(event)
      started = begin(id, OpenCall(call), handler)
    }
    guard let started else { return }
    streams[id] = started
    started.start()
  }

  func perform(_ call: inout OpenCall, on id: StreamID) {
    while let action = call.nextAction() {
      switch action {
      case .headers(let fields, let endStream): try? http2.session.submitHeaders(id, fields, endStream: endStream)
      case .data(let bytes): try? http2.session.send(bytes, on: id, endStream: false)
      case .trailers(let fields): try? http2.session.submitTrailers(id, fields)
      case .end: try? http2.session.send([], on: id, endStream: true)
      case .reset(let code): http2.session.reset(id, code)
      }
    }
    hasAnswered()
  }

  /// Something was sent that a client waits for.
  func hasAnswered() {
    life.pings.reset()
    http2.setNeedsFlush()
  }

  func pendingBytes(on id: StreamID) -> Int { http2.session.pendingBytes(on: id) }

  func notifyWhenDrained(_ id: StreamID, to mark: Int) -> Bool { http2.session.notifyWhenDrained(id, to: mark) }

  func consume(_ id: StreamID, _ count: Int) {
    http2.session.consume(id, count)
    http2.setNeedsFlush()
  }

  func cutOff(_ id: StreamID) {
    http2.session.reset(id, .cancel)
    http2.setNeedsFlush()
  }
}
