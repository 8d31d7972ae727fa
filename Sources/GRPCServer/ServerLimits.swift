// SPDX-License-Identifier: Apache-2.0

internal import HTTP2
public import NIOCore

/// What a server takes upon itself for its clients, and no more. Every one is enforced; the defaults are safe for a
/// server that anybody can reach.
///
/// Memory that one connection can claim, beside its calls' own: ``connectionWindow`` for requests that nobody has read,
/// for each stream ``sendBuffer`` and one response, a partly received message of at most ``receivedMessageSize``, and
/// about 64 KiB for buffers.
public struct ServerLimits: Sendable {
  // MARK: Sizes

  /// The largest request message in bytes, before and after decompression. A larger one: RESOURCE_EXHAUSTED.
  public var receivedMessageSize = 4 << 20
  /// The largest response message in bytes. A larger one: RESOURCE_EXHAUSTED.
  public var sentMessageSize = 4 << 20
  /// The largest header section in bytes, as HTTP/2 counts them. A larger one resets its stream.
  public var headerListSize = 16 << 10
  /// Bytes of requests that a client may send on a stream before they are read.
  public var streamWindow: UInt32 = 256 << 10
  /// Bytes of requests that a client may send on all streams together before they are read.
  public var connectionWindow: Int32 = 1 << 20
  /// Bytes that may wait on a stream for the client to read before a writing handler has to wait.
  public var sendBuffer = 64 << 10

  // MARK: Counts

  /// Streams that a client may have open at once on a connection; more are refused.
  public var concurrentStreams: UInt32 = 1_000
  /// Connections at once; more are told to go away.
  public var connections = 10_000
  /// Calls at once in the whole server; more: RESOURCE_EXHAUSTED.
  public var callsInFlight = 10_000
  /// Streams that a client may open and reset in one go (CVE-2023-44487)…
  public var streamResetBurst: UInt64 = 1_000
  /// …and how many a second it wins back. Clients that cancel what they no longer need, and proxies that do so for many
  /// clients, stay far below it; what it leaves to an attacker costs less than a hundredth of a processor.
  public var streamResetRate: UInt64 = 500
  /// SETTINGS frames that a client may send in a row without a call.
  public var settingsInARow = 100

  // MARK: Times

  /// From the connection to the end of the TLS handshake and the client's first SETTINGS.
  public var handshakeTime = TimeAmount.seconds(10)
  /// From the first byte of a header section to its last.
  public var headerTime = TimeAmount.seconds(10)
  /// How long a client may leave answers unread that it has asked for: past it, the connection is closed.
  public var stallTime = TimeAmount.seconds(60)
  /// The longest time of a call, also of one whose client sets no deadline; nil for no such limit. Past it:
  /// DEADLINE_EXCEEDED.
  public var callTime: TimeAmount?

  /// The limits with their defaults.
  public init() {}

  var http2: HTTP2Limits {
    var limits = HTTP2Limits.server
    limits.maxConcurrentStreams = concurrentStreams
    limits.initialWindowSize = streamWindow
    limits.connectionWindowSize = max(65_535, connectionWindow)
    limits.maxHeaderListSize = headerListSize
    limits.streamResetBurst = streamResetBurst
    limits.streamResetRate = streamResetRate
    return limits
  }
}

/// How long connections live, and what is expected of them meanwhile.
public struct ConnectionPolicy: Sendable {
  /// A connection without a call for so long is closed with a GOAWAY (`max_idle`); nil keeps it.
  public var maxIdle: TimeAmount?
  /// A connection of this age is asked to close (`max_age`), a tenth more or less, so that clients look for other
  /// servers; nil keeps it.
  public var maxAge: TimeAmount?
  /// How long the calls of a connection that is too old may go on; nil for as long as they like.
  public var maxAgeGrace: TimeAmount?
  /// A connection that has been silent for so long is asked for a sign of life.
  public var keepaliveTime = TimeAmount.hours(2)
  /// How long that sign may take.
  public var keepaliveTimeout = TimeAmount.seconds(20)
  /// The least time between two PINGs of a client. Many that come faster, with nothing sent to the client in between:
  /// GOAWAY, `too_many_pings`.
  public var minPingInterval = TimeAmount.seconds(5)
  /// Whether a client may send PINGs while it has no call; otherwise it may do so every two hours.
  public var allowsPingsWithoutCalls = true

  /// PINGs that come too early and are forgiven.
  static let pingStrikes = 2
  /// The least time between PINGs without a call where those are not wanted.
  static let idlePingInterval = TimeAmount.hours(2)

  /// The policy with its defaults.
  public init() {}
}
