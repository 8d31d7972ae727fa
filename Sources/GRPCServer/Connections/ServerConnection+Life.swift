// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
internal import HTTP2
internal import Logging
internal import NIOCore
internal import NIOTransport

// When a connection should end: drain, age, idleness, silence, and clients that take more than they may.
extension ServerConnection {
  /// The PING that goes with the first GOAWAY: its answer says that the client has read it.
  private static let drainPing: UInt64 = 0x736F_6E64_655F_676F
  /// The PING that asks for a sign of life.
  private static let keepalivePing: UInt64 = 0x736F_6E64_655F_7570
  /// How long the answer to the first GOAWAY's PING is waited for.
  private static let drainPingTime = TimeAmount.seconds(5)

  // MARK: - Ending well

  func drain() { drain("") }

  func abort() { http2.abort() }

  /// Asks the client to open no more streams, and closes once those that it has opened are done. Streams that it opens
  /// before it has read that are still served.
  func drain(_ farewell: String, grace: TimeAmount? = nil) {
    guard life.phase == .serving else { return }
    life.phase = .notified(at: .now())
    life.farewell = farewell
    life.grace = grace
    http2.session.shutdownNotice()
    http2.session.ping(Self.drainPing)
    http2.setNeedsFlush()
  }

  private func close() {
    life.phase = .closing(at: .now())
    http2.session.goAway(.noError, debugData: Array(life.farewell.utf8))
    http2.setNeedsFlush()
    for stream in streams.values { stream.connectionDrains() }
  }

  func receivePingAcknowledgement(_ opaque: UInt64) {
    life.pingSent = nil
    if opaque == Self.drainPing, case .notified = life.phase { close() }
  }

  // MARK: - Clients that take too much

  func receiveSettings() {
    life.isReady = true
    life.settingsInARow += 1
    if life.settingsInARow > limits.settingsInARow { expel("too_many_settings") }
  }

  func receivePing() {
    let policy = server.configuration.connections
    if life.pings.isTooMany(.now(), hasCalls: !streams.isEmpty, policy: policy) { expel("too_many_pings") }
  }

  private func expel(_ reason: String) {
    guard http2.isOpen else { return }
    server.logger.notice("a client was sent away", metadata: ["peer": "\(name)", "reason": "\(reason)"])
    http2.session.goAway(.enhanceYourCalm, debugData: Array(reason.utf8))
    http2.endAfterFlush()
  }

  // MARK: - The sweep

  /// Looks after what time brings; called a few times a second.
  func sweep(_ now: NIODeadline) {
    let policy = server.configuration.connections
    if !life.isReady, now - life.start > limits.handshakeTime { return http2.abort() }
    guard http2.isOpen else { return }
    if isStuckInHeaders(now) || isBlocked(now) || isDead(now, policy) {
      return http2.abort()
    }
    cutOffStalledStreams(now)
    switch life.phase {
    case .serving:
      if let oldAt = life.oldAt, now >= oldAt {
        drain("max_age", grace: policy.maxAgeGrace)
      } else if let maxIdle = policy.maxIdle, streams.isEmpty, now - life.idleSince >= maxIdle {
        drain("max_idle")
      }
    case .notified(let time): if now - time >= Self.drainPingTime { close() }
    case .closing(let time): if let grace = life.grace, now - time >= grace { http2.abort() }
    }
  }

  private func isStuckInHeaders(_ now: NIODeadline) -> Bool {
    guard http2.session.isInsideHeaderSection else {
      life.headersSince = nil
      return false
    }
    guard let since = life.headersSince else {
      life.headersSince = now
      return false
    }
    return now - since > limits.headerTime
  }

  /// Whether the client has not taken a byte of what waits in a full buffer for longer than it may.
  private func isBlocked(_ now: NIODeadline) -> Bool {
    guard let time = life.block.time(of: http2.blockedBytes, now) else { return false }
    return time > limits.stallTime
  }

  /// Asks a silent client for a sign of life, and gives up on one that gives none.
  private func isDead(_ now: NIODeadline, _ policy: ConnectionPolicy) -> Bool {
    if let pingSent = life.pingSent {
      if http2.lastReceived > pingSent { life.pingSent = nil } else { return now - pingSent > policy.keepaliveTimeout }
    }
    if life.pingSent == nil, now - http2.lastReceived >= policy.keepaliveTime {
      life.pingSent = now
      http2.session.ping(Self.keepalivePing)
      http2.setNeedsFlush()
    }
    return false
  }

  private func cutOffStalledStreams(_ now: NIODeadline) {
    guard http2.session.pendingBytes > 0 else { return }
    for stream in streams.values where stream.isStalled(now) {
      stream.cutOff(RPCError(.cancelled, "the client did not read its answers for too long"))
    }
  }
}
