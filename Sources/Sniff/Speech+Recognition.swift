// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import TLS

extension Speech {
  /// How many of the first bytes are looked at.
  public static let bytesSeen = 1024
  /// How many bytes of a line are shown.
  private static let shown = 60
  /// How many bytes are shown in hexadecimal.
  private static let hexShown = 16

  /// Judges the first bytes, where no more will come or be waited for.
  public init(_ bytes: [UInt8]) {
    let bytes = bytes.prefix(Self.bytesSeen)
    for recognise in Self.recognisers {
      if case .yes(let speech) = recognise(Array(bytes), true) {
        self = speech
        return
      }
    }
    self = bytes.isEmpty ? .nothing : .binary(Self.hex(bytes.prefix(Self.hexShown)))
  }

  /// Judges the first bytes; nil where more of them could change the verdict.
  static func early(_ bytes: [UInt8]) -> Speech? {
    guard !bytes.isEmpty else { return nil }
    guard bytes.count < bytesSeen else { return Speech(bytes) }
    for recognise in recognisers {
      switch recognise(bytes, false) {
      case .yes(let speech): return speech
      case .maybe: return nil
      case .no: break
      }
    }
    return bytes.count >= hexShown ? Speech(bytes) : nil
  }

  private enum Match {
    case no, maybe
    case yes(Speech)
  }

  /// Each looks for one protocol; `isAll` says that no more bytes will come. The first that knows has it, and text of
  /// no known kind comes last.
  private static let recognisers: [@Sendable (_ bytes: [UInt8], _ isAll: Bool) -> Match] = [
    http2, tls, mysql, postgresql, text,
  ]

  /// A SETTINGS frame without ACK on stream 0 (RFC 9113 sections 4.1 and 6.5): a server's first.
  @Sendable private static func http2(_ bytes: [UInt8], _ isAll: Bool) -> Match {
    for (index, byte) in bytes.prefix(9).enumerated() {
      switch index {
      case 0: guard byte == 0 else { return .no }
      case 3: guard byte == 4 else { return .no }
      case 4: guard byte & 1 == 0 else { return .no }
      case 5: guard byte & 0x7F == 0 else { return .no }
      case 6, 7, 8: guard byte == 0 else { return .no }
      default: break
      }
    }
    guard bytes.count >= 9 else { return isAll ? .no : .maybe }
    let length = Int(bytes[1]) << 8 | Int(bytes[2])
    return length % 6 == 0 ? .yes(.http2(settingsLength: length)) : .no
  }

  /// A record (RFC 8446 section 5.1, RFC 5246 section 6.2.1).
  @Sendable private static func tls(_ bytes: [UInt8], _ isAll: Bool) -> Match {
    guard (0x14...0x17).contains(bytes.first ?? 0), bytes.count < 2 || bytes[1] == 3, bytes.count < 3 || bytes[2] <= 4
    else { return .no }
    let isAlert = bytes[0] == 0x15
    let isHandshake = bytes[0] == 0x16
    guard bytes.count >= 7 || isAll || bytes.count >= 5 && !isAlert && !isHandshake else { return .maybe }
    guard bytes.count >= 3 else { return .no }
    // A handshake that begins with the message that only clients send is our own.
    if isHandshake, bytes.count >= 6, bytes[5] == 1 { return .yes(.echo) }
    var alert: Alert?
    // One of two bytes is in the clear: an encrypted one is longer.
    if isAlert, bytes.count >= 7, bytes[3] == 0, bytes[4] == 2, bytes[5] == 1 || bytes[5] == 2 {
      alert = Alert(isFatal: bytes[5] == 2, TLSAlert(bytes[6]))
    }
    return .yes(.tls(version: TLSVersion(UInt16(bytes[1]) << 8 | UInt16(bytes[2])), alert: alert))
  }

  /// The first packet of a connection: a greeting of protocol version 10 with the server's version, or an error.
  @Sendable private static func mysql(_ bytes: [UInt8], _ isAll: Bool) -> Match {
    for (index, byte) in bytes.prefix(5).enumerated() {
      switch index {
      case 0: break
      case 1: guard byte <= 3 else { return .no }
      case 2, 3: guard byte == 0 else { return .no }
      case 4: guard byte == 0x0A || byte == 0xFF else { return .no }
      default: break
      }
    }
    let length = 4 + Int(bytes.first ?? 0) + (bytes.count > 1 ? Int(bytes[1]) << 8 : 0)
    guard isAll || bytes.count >= min(length, bytesSeen) else { return .maybe }
    guard bytes.count > 8, length > 8 else { return .no }
    let packet = bytes.prefix(length)
    let content = bytes[4] == 0x0A ? packet[5...].prefix { $0 != 0 } : packet[7...]
    return isText(content) ? .yes(.mysql(shown(content))) : .no
  }

  /// An ErrorResponse, whose first field is the severity; its field `M` is for people.
  @Sendable private static func postgresql(_ bytes: [UInt8], _ isAll: Bool) -> Match {
    guard bytes.first == 0x45, bytes.count < 2 || bytes[1] == 0, bytes.count < 3 || bytes[2] == 0 else { return .no }
    guard bytes.count >= 5 else { return isAll ? .no : .maybe }
    let length = Int(bytes[3]) << 8 | Int(bytes[4])
    guard isAll || bytes.count > min(length, bytesSeen - 1) else { return .maybe }
    let fields = bytes.dropFirst(5).prefix(max(0, length - 4)).split(separator: 0)
    guard let severity = fields.first, severity.first == 0x53, isText(severity) else { return .no }
    let message = fields.first { $0.first == 0x4D } ?? severity
    return .yes(.postgresql(shown(message.dropFirst())))
  }

  /// What begins with a line of text. A line is waited for, and the page behind a status of 400, which may tell more.
  @Sendable private static func text(_ bytes: [UInt8], _ isAll: Bool) -> Match {
    let line = bytes.prefix { $0 != 0x0A && $0 != 0x0D }
    let isHTTP = line.starts(with: Array("HTTP/".utf8))
    guard isHTTP || line.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else { return .no }
    let hasLine = line.count < bytes.count
    guard isAll || hasLine else { return .maybe }
    guard line.count >= 3, isHTTP || isText(line) else { return .no }
    let text = String(decoding: line, as: UTF8.self)
    let shown = shown(line)
    if isHTTP {
      let status = http1Status(line)
      if status == 400 {
        if Self.wantsTLS(bytes) { return .yes(.tlsWanted(shown)) }
        if !isAll { return .maybe }
      }
      return .yes(.http1(shown, status: status))
    }
    return .yes(known(text, shown) ?? .text(shown))
  }

  /// The protocol of a line of text.
  private static func known(_ line: String, _ shown: String) -> Speech? {
    let lower = line.asciiLowercased
    func begins(_ prefixes: String...) -> Bool { prefixes.contains { line.after($0) != nil } }
    if begins("PRI * HTTP/2.0") || line.utf8.suffix(9).elementsEqual(" HTTP/1.1".utf8) { return .echo }
    if lower.after("<!doctype html") != nil || lower.after("<html") != nil { return .http1(shown, status: nil) }
    if begins("SSH-") { return .ssh(shown) }
    if begins("220 ", "220-", "421 ", "554 ") {
      let letters = Array(lower.utf8)
      if holds(letters, "smtp") { return .smtp(shown) }
      if holds(letters, "ftp") { return .ftp(shown) }
    }
    if begins(
      "-ERR unknown command", "-ERR wrong number of arguments", "-ERR Protocol error",
      "-ERR max number of clients reached", "-NOAUTH ", "-DENIED Redis", "-LOADING ")
    {
      return .redis(shown)
    }
    return nil
  }

  /// The status of `HTTP/1.1 400 Bad Request`.
  private static func http1Status(_ line: ArraySlice<UInt8>) -> Int? {
    let words = line.split(separator: 0x20, maxSplits: 2)
    return words.count > 1 && words[1].count == 3 ? parseDecimal(words[1]) : nil
  }

  /// Whether the answer to a plain request tells that TLS is spoken here, in the words of servers in wide use.
  private static func wantsTLS(_ bytes: [UInt8]) -> Bool {
    ["to an HTTPS server", "to HTTPS port", "to an SSL-enabled server port"].contains { holds(bytes, $0) }
  }

  private static func holds(_ bytes: [UInt8], _ words: String) -> Bool {
    bytes.indices.contains { bytes[$0...].starts(with: words.utf8) }
  }

  private static func isText(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 } && String(validating: bytes, as: UTF8.self) != nil
  }

  private static func shown(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.prefix(shown), as: UTF8.self)
  }

  private static func hex(_ bytes: ArraySlice<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
