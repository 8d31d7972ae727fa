// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// What a peer speaks, judged by the first bytes it said.
public enum ForeignSpeech: Equatable, Sendable {
  /// A TLS record, an alert mostly.
  case tls
  /// A response of HTTP/1.x: its status line.
  case http1(String)
  /// A banner in text, as of SSH, SMTP or FTP.
  case text(String)
  /// HTTP/2, or the beginning of it.
  case http2
  /// Anything else: the first bytes in hexadecimal.
  case binary(String)

  private static let shown = 60

  /// Judges the first bytes, as many as there are.
  public init(_ bytes: [UInt8]) {
    let line = bytes.prefix { $0 != 0x0A && $0 != 0x0D }.prefix(Self.shown)
    if bytes.count >= 3, (0x14...0x17).contains(bytes[0]), bytes[1] == 3, bytes[2] <= 4 {
      self = .tls
    } else if bytes.starts(with: Array("HTTP/".utf8)) {
      self = .http1(String(decoding: line, as: UTF8.self))
    } else if bytes.count >= 9, bytes[3] == 4, bytes[0] == 0, bytes[5] | bytes[6] | bytes[7] | bytes[8] == 0 {
      self = .http2  // a SETTINGS frame on stream 0
    } else if line.count >= 3, line.allSatisfy({ $0 >= 0x20 && $0 < 0x7F || $0 == 0x09 }) {
      self = .text(String(decoding: line, as: UTF8.self))
    } else {
      let digits = Array("0123456789abcdef".utf8)
      let hex = bytes.prefix(16).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
      self = .binary(String(decoding: hex, as: UTF8.self))
    }
  }

  /// The fault of somebody who was to speak HTTP/2.
  public func faultForHTTP2(at name: String) -> Fault {
    switch self {
    case .tls: Fault(.serverSpeaksTLS, name)
    case .http1(let line): Fault(.serverSpeaksHTTP1, name, detail: "it said \(line.quoted)")
    case .text(let line): Fault(.serverNotHTTP2, name, detail: "it said \(line.quoted)")
    case .binary(let hex): Fault(.serverNotHTTP2, name, detail: "its first bytes are \(hex)")
    case .http2: Fault(.protocolViolation, name)
    }
  }

  /// The fault of somebody who was to speak TLS.
  public func faultForTLS(at name: String) -> Fault {
    switch self {
    case .tls: Fault(.tlsFailed, name)
    case .http1(let line), .text(let line): Fault(.serverNotTLS, name, detail: "it said \(line.quoted)")
    case .http2: Fault(.serverNotTLS, name, detail: "it speaks HTTP/2 in the clear")
    case .binary(let hex): Fault(.serverNotTLS, name, detail: "its first bytes are \(hex)")
    }
  }
}
