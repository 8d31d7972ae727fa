// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// What a connection remembers to decide when it should end: pure bookkeeping, without a clock of its own.
struct ConnectionLife {
  /// How far its end has come.
  enum Phase: Equatable {
    case serving
    /// The first GOAWAY, which asks for no more calls but still takes them, and a PING behind it have left.
    case notified(at: NIODeadline)
    /// The last GOAWAY has left: what comes now is not processed.
    case closing(at: NIODeadline)
  }

  let start: NIODeadline
  /// When it should be asked to close for its age; nil for never.
  let oldAt: NIODeadline?

  var phase = Phase.serving
  /// What the last GOAWAY says.
  var farewell = ""
  /// How long calls may go on after the last GOAWAY; nil for as long as they like.
  var grace: TimeAmount?

  /// Whether the client's SETTINGS came.
  var isReady = false
  var settingsInARow = 0
  var idleSince: NIODeadline
  /// When the header section began that has not ended since, as far as the sweeps have seen.
  var headersSince: NIODeadline?
  /// Bytes that wait in a full buffer.
  var block = StallWatch()
  /// When a PING of ours left that is not answered.
  var pingSent: NIODeadline?
  var pings = PingPolice()

  init(now: NIODeadline, policy: ConnectionPolicy) {
    start = now
    idleSince = now
    oldAt = policy.maxAge.map { age in
      // A tenth more or less keeps the connections of one moment from coming back in one moment.
      let nanoseconds = Double(age.nanoseconds) * Double.random(in: 0.9...1.1)
      return now + .nanoseconds(Int64(min(nanoseconds, 9e18)))
    }
  }
}

/// Judges a client's PINGs: each costs an answer, and nothing else in the protocol bounds them.
struct PingPolice {
  private var last: NIODeadline?
  private var strikes = 0

  /// Something was sent to the client, which may have made it measure the path: its next PINGs are welcome.
  mutating func reset() {
    last = nil
    strikes = 0
  }

  /// Whether the client has gone too far with this one.
  mutating func isTooMany(_ now: NIODeadline, hasCalls: Bool, policy: ConnectionPolicy) -> Bool {
    let interval =
      hasCalls || policy.allowsPingsWithoutCalls ? policy.minPingInterval : ConnectionPolicy.idlePingInterval
    defer { last = now }
    guard let last, now < last + interval else { return false }
    strikes += 1
    return strikes > ConnectionPolicy.pingStrikes
  }
}
