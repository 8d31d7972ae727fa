// SPDX-License-Identifier: Apache-2.0

/// One line of a transport log: a frame that was received or sent.
public struct FrameTrace: Equatable, Sendable {
  /// Which way the frame went.
  public enum Direction: Equatable, Sendable {
    /// From the peer to us.
    case received
    /// From us to the peer.
    case sent
  }

  /// Which way the frame went.
  public let direction: Direction
  /// The frame's type on the wire.
  public let type: UInt8
  /// The frame's flags on the wire; what they mean depends on the type.
  public let flags: UInt8
  /// The stream, 0 for the connection.
  public let streamID: StreamID
  /// Bytes of payload; those of CONTINUATION frames count as their HEADERS frame's.
  public let length: Int
  /// What is inside.
  public let content: Content

  /// What is inside a frame. Header values and data are never kept.
  public enum Content: Equatable, Sendable {
    /// Nothing that is kept.
    case none
    /// The entries of SETTINGS, in their order.
    case settings([HTTP2Setting])
    /// The code of RST_STREAM.
    case reset(HTTP2ErrorCode)
    /// The last stream and the code of GOAWAY.
    case goAway(lastStreamID: StreamID, HTTP2ErrorCode)
    /// The bytes that WINDOW_UPDATE adds.
    case windowUpdate(increment: Int)
  }

  /// The type as RFC 9113 writes it, `WINDOW_UPDATE`; the decimal number of an unknown one.
  public var typeName: String {
    switch type {
    case 0x0: "DATA"
    case 0x1: "HEADERS"
    case 0x2: "PRIORITY"
    case 0x3: "RST_STREAM"
    case 0x4: "SETTINGS"
    case 0x5: "PUSH_PROMISE"
    case 0x6: "PING"
    case 0x7: "GOAWAY"
    case 0x8: "WINDOW_UPDATE"
    case 0x9: "CONTINUATION"
    default: String(type)
    }
  }

  /// The frame in one line: `SETTINGS stream=0 length=6 flags=0x0 MAX_CONCURRENT_STREAMS=100`.
  public var text: String {
    var text = "\(typeName) stream=\(streamID) length=\(length) flags=0x"
    text += String(flags, radix: 16)
    switch content {
    case .none: break
    case .settings(let entries): for entry in entries { text += " \(entry.name)=\(entry.value)" }
    case .reset(let code): text += " " + code.name
    case .goAway(let last, let code): text += " last=\(last) \(code.name)"
    case .windowUpdate(let increment): text += " increment=\(increment)"
    }
    return text
  }
}

/// The traces that wait to be read; the oldest give way.
struct TraceQueue {
  private var entries: [FrameTrace] = []
  private var head = 0

  mutating func append(_ entry: FrameTrace) {
    if entries.count - head >= HTTP2Limits.maxTraceEntries { head += 1 }
    if head > HTTP2Limits.maxTraceEntries {
      entries.removeFirst(head)
      head = 0
    }
    entries.append(entry)
  }

  mutating func next() -> FrameTrace? {
    guard head < entries.count else { return nil }
    let entry = entries[head]
    head += 1
    if head == entries.count {
      entries.removeAll(keepingCapacity: true)
      head = 0
    }
    return entry
  }
}
