// SPDX-License-Identifier: Apache-2.0

/// The 32-bit code that RST_STREAM and GOAWAY carry (RFC 9113 section 7). Unknown codes are legal and kept as they are.
public struct HTTP2ErrorCode: RawRepresentable, Equatable, Hashable, Sendable {
  /// The number on the wire.
  public var rawValue: UInt32

  /// The code with the given number, known or not.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Nothing went wrong: the end of a graceful shutdown, or a stream that is no longer needed.
  public static let noError = Self(rawValue: 0x0)
  /// A violation that no other code describes.
  public static let protocolError = Self(rawValue: 0x1)
  /// The sender of the code failed.
  public static let internalError = Self(rawValue: 0x2)
  /// More DATA came than the window allowed, or a window grew beyond 2^31-1.
  public static let flowControlError = Self(rawValue: 0x3)
  /// SETTINGS was not acknowledged in time.
  public static let settingsTimeout = Self(rawValue: 0x4)
  /// A frame came for a stream that was half-closed.
  public static let streamClosed = Self(rawValue: 0x5)
  /// A frame had an impossible length.
  public static let frameSizeError = Self(rawValue: 0x6)
  /// The stream was not processed at all: the request may be repeated safely (RFC 9113 section 8.7).
  public static let refusedStream = Self(rawValue: 0x7)
  /// The stream is no longer wanted.
  public static let cancel = Self(rawValue: 0x8)
  /// The state of header compression is lost.
  public static let compressionError = Self(rawValue: 0x9)
  /// The connection that a CONNECT request asked for was reset.
  public static let connectError = Self(rawValue: 0xA)
  /// The peer is a burden.
  public static let enhanceYourCalm = Self(rawValue: 0xB)
  /// TLS is not good enough (RFC 9113 section 9.2).
  public static let inadequateSecurity = Self(rawValue: 0xC)
  /// The resource wants HTTP/1.1.
  public static let http11Required = Self(rawValue: 0xD)

  /// The name as RFC 9113 writes it, `PROTOCOL_ERROR`; the decimal number for a code that it does not know.
  public var name: String {
    switch rawValue {
    case 0x0: "NO_ERROR"
    case 0x1: "PROTOCOL_ERROR"
    case 0x2: "INTERNAL_ERROR"
    case 0x3: "FLOW_CONTROL_ERROR"
    case 0x4: "SETTINGS_TIMEOUT"
    case 0x5: "STREAM_CLOSED"
    case 0x6: "FRAME_SIZE_ERROR"
    case 0x7: "REFUSED_STREAM"
    case 0x8: "CANCEL"
    case 0x9: "COMPRESSION_ERROR"
    case 0xA: "CONNECT_ERROR"
    case 0xB: "ENHANCE_YOUR_CALM"
    case 0xC: "INADEQUATE_SECURITY"
    case 0xD: "HTTP_1_1_REQUIRED"
    default: String(rawValue)
    }
  }
}
