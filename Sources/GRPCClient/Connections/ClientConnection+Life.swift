// SPDX-License-Identifier: Apache-2.0

internal import HTTP2
internal import NIOCore
internal import NIOTransport

// Signs of life: a path that forgets silent connections is kept open, and a peer that vanished is noticed.
extension ClientConnection {
  /// The number in our PINGs.
  private static let keepalivePing: UInt64 = 0x736F_6E64_655F_7570

  /// Sets the timer for the next look, where one is due and none is set.
  func scheduleKeepalive() {
    guard let time = keepalive.nextLook(lastReceived: http2.lastReceived) else { return }
    http2.channel?.eventLoop.scheduleTask(deadline: time) { [weak self] in self?.lookAfterKeepalive() }
  }

  private func lookAfterKeepalive() {
    guard phase == .ready || phase == .draining else { return }
    switch keepalive.look(.now(), lastReceived: http2.lastReceived) {
    case .wait: break
    case .ping:
      http2.session.ping(Self.keepalivePing)
      http2.setNeedsFlush()
    case .giveUp: return end("no answer to a keepalive PING")
    }
    scheduleKeepalive()
  }
}

/// Decides when a connection is asked for a sign of life, and when it has given none: pure bookkeeping, without a clock
/// of its own.
struct KeepaliveClock {
  enum Action: Equatable { case wait, ping, giveUp }

  /// Whether a call runs; without one there is no asking, unless that is allowed.
  var hasCalls = false

  private let time: TimeAmount?
  private let timeout: TimeAmount
  private let permitsWithoutCalls: Bool
  private var pingSent: NIODeadline?
  private var isScheduled = false

  init(_ policy: ClientKeepalive, time: TimeAmount?) {
    self.time = time
    timeout = policy.timeout
    permitsWithoutCalls = policy.permitsWithoutCalls
  }

  /// When to look next; nil where a look is planned already, or none is needed until a call begins.
  mutating func nextLook(lastReceived: NIODeadline) -> NIODeadline? {
    guard let time, !isScheduled, hasCalls || permitsWithoutCalls || pingSent != nil else { return nil }
    isScheduled = true
    if let pingSent { return pingSent + timeout }
    return lastReceived + time
  }

  /// What to do at a planned look.
  mutating func look(_ now: NIODeadline, lastReceived: NIODeadline) -> Action {
    isScheduled = false
    if let sent = pingSent {
      // Anything that came since is as good as the answer.
      if lastReceived > sent { pingSent = nil } else { return now >= sent + timeout ? .giveUp : .wait }
    }
    guard let time, hasCalls || permitsWithoutCalls, now >= lastReceived + time else { return .wait }
    pingSent = now
    return .ping
  }

  /// The answer came.
  mutating func answered() { pingSent = nil }
}
