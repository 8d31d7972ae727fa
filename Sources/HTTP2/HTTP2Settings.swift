// SPDX-License-Identifier: Apache-2.0

/// What an endpoint has said in its SETTINGS frames so far (RFC 9113 section 6.5.2); nil is "not said".
public struct HTTP2Settings: Equatable, Sendable {
  /// Bytes of the compression table that the endpoint's decoder offers. Not said: 4,096.
  public var headerTableSize: UInt32?
  /// Whether the endpoint takes pushed streams, 0 or 1. Not said: 1.
  public var enablePush: UInt32?
  /// How many streams the endpoint lets the other side have open. Not said: no limit.
  public var maxConcurrentStreams: UInt32?
  /// The window that each new stream starts with, in bytes. Not said: 65,535.
  public var initialWindowSize: UInt32?
  /// The longest frame payload that the endpoint takes, in bytes. Not said: 16,384.
  public var maxFrameSize: UInt32?
  /// The largest header section that the endpoint takes, as ``HeaderField/listSize`` adds up. Not said: no limit.
  public var maxHeaderListSize: UInt32?
  /// Whether extended CONNECT is understood, 0 or 1 (RFC 8441). Not said: 0.
  public var enableConnectProtocol: UInt32?

  /// Nothing said.
  public init() {}

  /// Takes over one entry of a SETTINGS frame; identifiers that are not known are ignored, as RFC 9113 demands.
  mutating func apply(identifier: UInt16, value: UInt32) {
    switch identifier {
    case 0x1: headerTableSize = value
    case 0x2: enablePush = value
    case 0x3: maxConcurrentStreams = value
    case 0x4: initialWindowSize = value
    case 0x5: maxFrameSize = value
    case 0x6: maxHeaderListSize = value
    case 0x8: enableConnectProtocol = value
    default: break
    }
  }
}

/// One entry of a SETTINGS frame, known or not.
public struct HTTP2Setting: Equatable, Sendable {
  /// The number on the wire.
  public let identifier: UInt16
  /// The value.
  public let value: UInt32

  /// An entry.
  public init(identifier: UInt16, value: UInt32) { (self.identifier, self.value) = (identifier, value) }

  /// The name as RFC 9113 writes it, without its `SETTINGS_`; the number in hexadecimal where it is unknown.
  public var name: String {
    switch identifier {
    case 0x1: "HEADER_TABLE_SIZE"
    case 0x2: "ENABLE_PUSH"
    case 0x3: "MAX_CONCURRENT_STREAMS"
    case 0x4: "INITIAL_WINDOW_SIZE"
    case 0x5: "MAX_FRAME_SIZE"
    case 0x6: "MAX_HEADER_LIST_SIZE"
    case 0x8: "ENABLE_CONNECT_PROTOCOL"
    case 0x9: "NO_RFC7540_PRIORITIES"
    default: "0x" + String(identifier, radix: 16)
    }
  }
}
