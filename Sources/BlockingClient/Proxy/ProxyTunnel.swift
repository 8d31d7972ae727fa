// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Fault

/// The handshake with an HTTP proxy (RFC 9110 section 9.3.6): a CONNECT request out, a response in, then the tunnel.
///
/// ```
/// request ──► waiting ──200 and an empty line──► open: what follows is the target's
///                └────── anything else ─────────► Fault
/// ```
struct ProxyTunnel {
  /// The longest response header that is read.
  static let responseLimit = 16 << 10

  private let proxy: Proxy
  private let target: String
  private let userAgent: String
  private var buffer: [UInt8] = []

  init(_ proxy: Proxy, target: String, userAgent: String) {
    self.proxy = proxy
    self.target = target
    self.userAgent = userAgent
  }

  /// The request.
  var request: [UInt8] {
    var text = "CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n"
    if !userAgent.isEmpty { text += "User-Agent: \(userAgent)\r\n" }
    if let credentials = proxy.credentials {
      text += "Proxy-Authorization: Basic \(Base64.encode(credentials.span, padded: true))\r\n"
    }
    return Array((text + "\r\n").utf8)
  }

  /// Takes bytes of the response; the target's first bytes, mostly none, once the tunnel is open.
  mutating func receive(_ bytes: [UInt8]) throws(Fault) -> [UInt8]? {
    buffer += bytes
    guard let end = Self.endOfHeader(buffer) else {
      guard buffer.count <= Self.responseLimit, Self.mayBeHTTP(buffer) else { throw notHTTP() }
      return nil
    }
    let lineEnd = buffer.firstIndex(of: 0x0A) ?? buffer.count
    let line = String(decoding: buffer[..<lineEnd], as: UTF8.self).asciiTrimmed
    let words = line.split(onASCII: 0x20)
    guard Self.mayBeHTTP(buffer), words.count >= 2, words[1].utf8.count == 3, let status = parseDecimal(words[1].utf8)
    else { throw notHTTP() }
    switch status {
    case 200..<300: return Array(buffer[end...])
    case 400..<500:
      throw Fault(
        .proxyRefused, proxy.text, detail: "for \(target) it answered " + words.dropFirst().joined(separator: " "))
    default:
      throw Fault(
        .proxyFailed, proxy.text, detail: "for \(target) it answered " + words.dropFirst().joined(separator: " "))
    }
  }

  /// The proxy ended the connection instead of answering.
  func endOfFile() -> Fault { Fault(.proxyFailed, proxy.text, detail: "it closed the connection without an answer") }

  private func notHTTP() -> Fault {
    let start = String(decoding: buffer.prefix(40), as: UTF8.self)
    return Fault(.proxyFailed, proxy.text, detail: "it answered \(start.quoted), which is no HTTP")
  }

  private static func mayBeHTTP(_ bytes: [UInt8]) -> Bool {
    let start = Array("HTTP/1.".utf8)
    return bytes.starts(with: start) || start.starts(with: bytes)
  }

  /// The index behind the empty line.
  private static func endOfHeader(_ bytes: [UInt8]) -> Int? {
    var newlines = 0
    for (index, byte) in bytes.enumerated() {
      switch byte {
      case 0x0A:
        newlines += 1
        if newlines == 2 { return index + 1 }
      case 0x0D: break
      default: newlines = 0
      }
    }
    return nil
  }
}
