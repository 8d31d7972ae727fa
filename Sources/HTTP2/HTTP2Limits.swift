// SPDX-License-Identifier: Apache-2.0

/// What one end allows the other, and what it tells it. Every queue, table and loop that a peer can feed has its bound
/// here.
///
/// A value that equals the protocol's default is not listed in our first SETTINGS frame: with ``client`` that frame is
/// empty.
public struct HTTP2Limits: Equatable, Sendable {
  // MARK: Told to the peer

  /// Streams that the peer may have open at once; nil says nothing, which lets it open as many as it likes.
  public var maxConcurrentStreams: UInt32?

  /// Bytes of DATA that the peer may send on a new stream before ``HTTP2Session/consume(_:_:)``; 65,535 by default
  /// of the protocol, at most 2^31-1.
  public var initialWindowSize: UInt32 = 65_535

  /// The same for the connection as a whole. It cannot be below the protocol's 65,535; a larger one is opened by a
  /// WINDOW_UPDATE right after the first SETTINGS.
  public var connectionWindowSize: Int32 = 65_535

  /// The longest frame payload that we take, 16,384 to 16,777,215 bytes.
  public var maxFrameSize: UInt32 = 16_384

  /// Bytes of the table that our header decoder keeps.
  public var headerTableSize: UInt32 = 4_096

  /// The largest header section that we take, counted as ``HeaderField/listSize`` adds up. A larger one resets its
  /// stream with ENHANCE_YOUR_CALM; one that is ``headerListPatience`` times as large ends the connection.
  public var maxHeaderListSize = 64 * 1_024

  /// Whether ``maxHeaderListSize`` is told to the peer. It is enforced either way.
  public var announcesMaxHeaderListSize = true

  /// Whether a client says that it takes no pushed streams. It never takes any: unasked ones are cancelled.
  public var announcesNoPush = true

  // MARK: Enforced in silence

  /// Fields in one header section: short fields cost more memory here than on the wire.
  public var maxHeaderFields = 512

  /// CONTINUATION frames after one HEADERS frame; an endless chain of them is CVE-2024-28182.
  public var maxContinuations = 8

  /// Entries in one SETTINGS frame; a frame full of them is CVE-2020-11080.
  public var maxSettingsEntries = 32

  /// Acknowledgements of PING and SETTINGS that wait for the peer to read them (CVE-2019-9512, CVE-2019-9515).
  public var maxOutboundAcks = 1_000

  /// Frames of all kinds that the peer made us queue and does not read.
  public var maxOutboundBacklog = 4_000

  /// Streams that the peer may open and reset at once (CVE-2023-44487), in the server's role…
  public var streamResetBurst: UInt64 = 1_000

  /// …and how many a second it wins back.
  public var streamResetRate: UInt64 = 33

  /// Streams that the peer may make *us* reset by breaking rules (CVE-2025-8671). Each stream that ends well wins one
  /// back, so that a long-lived connection is not punished for a stray fault now and then.
  public var localResetBurst = 200

  /// DATA frames in a row that carry nothing and end nothing (CVE-2019-9518).
  public var maxEmptyDataFrames = 1_000

  /// Events that wait in the inbox; more means that one call of ``HTTP2Session/receive(_:)`` was fed a flood.
  public var maxInboxEvents = 65_536

  /// Bytes that the events in the inbox hold: a few bytes of compressed header can unfold to many.
  public var maxInboxBytes = 16 * 1_024 * 1_024

  /// The window that both ends start with, of a stream and of the connection (RFC 9113 section 6.9.2).
  static let defaultWindow: Int32 = 65_535

  /// The bound at which an oversized header section ends the connection: decoding it costs time even when it is
  /// dropped.
  public static let headerListPatience = 16

  /// Bytes kept of what a peer says that does not speak HTTP/2: enough to name its protocol.
  public static let maxFirstBytes = 1_024

  /// Bytes kept of a GOAWAY's debug data.
  public static let maxDebugData = 1_024

  /// Entries of the frame trace that wait to be read; the oldest are dropped beyond it.
  public static let maxTraceEntries = 4_096

  /// Bytes of a header section that we send, after compression at its worst.
  public static let maxSentHeaderBlock = 1_024 * 1_024

  /// For a client that makes a few calls: says nothing to the server that it does not have to.
  public static let client = HTTP2Limits(
    maxConcurrentStreams: nil, announcesMaxHeaderListSize: false, announcesNoPush: false)

  /// For a server that anybody can reach.
  public static let server = HTTP2Limits(
    maxConcurrentStreams: 256, announcesMaxHeaderListSize: true, announcesNoPush: true)

  private init(maxConcurrentStreams: UInt32?, announcesMaxHeaderListSize: Bool, announcesNoPush: Bool) {
    self.maxConcurrentStreams = maxConcurrentStreams
    self.announcesMaxHeaderListSize = announcesMaxHeaderListSize
    self.announcesNoPush = announcesNoPush
  }
}
