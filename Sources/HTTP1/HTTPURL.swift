// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// A URL of the schemes `http` and `https` (RFC 9110 section 4.2), taken apart.
///
/// It is read strictly: what is not ASCII, or not allowed where it stands, has to be percent-encoded by whoever writes
/// it, so that everybody on the way reads the same.
public struct HTTPURL: Equatable, Sendable {
  /// Whether the scheme is `https`.
  public let isSecure: Bool
  /// The host: a name or an IP address, without brackets.
  public let host: String
  /// The port, the scheme's own where none is written.
  public let port: UInt16
  /// The path and the query, as a request has them.
  public let target: String
  /// The bytes of `user:password`; nil where there are none. They are secret.
  public let credentials: [UInt8]?

  /// How long a URL may be in bytes: servers in wide use take no longer ones.
  public static let maxLength = 8_000

  /// The host and the port as a request names them; the scheme's own port is left out.
  public var authority: String {
    (host.utf8.contains(0x3A) ? "[\(host)]" : host) + (port == Self.defaultPort(isSecure) ? "" : ":\(port)")
  }

  /// The URL without credentials, safe to print.
  public var text: String { (isSecure ? "https://" : "http://") + authority + target }

  private static func defaultPort(_ isSecure: Bool) -> UInt16 { isSecure ? 443 : 80 }

  /// Reads a URL. What follows a `#` is the client's own and left out.
  public init(_ text: String) throws(HTTPURLError) {
    guard text.utf8.count <= Self.maxLength else { throw .tooLong }
    let lower = text.asciiLowercased
    let rest: Substring.UTF8View
    if let after = lower.after("https://") {
      (isSecure, rest) = (true, text.utf8.suffix(after.utf8.count))
    } else if let after = lower.after("http://") {
      (isSecure, rest) = (false, text.utf8.suffix(after.utf8.count))
    } else {
      throw .badScheme
    }
    let authority = rest.prefix { $0 != 0x2F && $0 != 0x3F && $0 != 0x23 }
    (credentials, host, port) = try Self.read(Array(authority), isSecure: isSecure)
    let bytes = Array(rest.dropFirst(authority.count).prefix { $0 != 0x23 })
    try Self.check(bytes)
    target = (bytes.first == 0x2F ? "" : "/") + String(decoding: bytes, as: UTF8.self)
  }

  private static func read(
    _ authority: [UInt8], isSecure: Bool
  ) throws(HTTPURLError) -> ([UInt8]?, String, UInt16) {
    var place = authority[...]
    var credentials: [UInt8]?
    if let at = authority.firstIndex(of: 0x40) {
      guard !authority[(at + 1)...].contains(0x40) else { throw .badHost }
      let decoded = String(decoding: authority[..<at], as: UTF8.self).percentDecoded
      credentials = decoded.contains(0x3A) ? decoded : decoded + [0x3A]
      place = authority[(at + 1)...]
    }
    let host: String
    var rest: ArraySlice<UInt8>
    if place.first == 0x5B {
      guard let end = place.firstIndex(of: 0x5D) else { throw .badHost }
      host = String(decoding: place[(place.startIndex + 1)..<end], as: UTF8.self)
      // Whether it is one that there can be is for whoever connects to find out.
      guard host.utf8.contains(0x3A), host.utf8.count <= 45,
        host.utf8.allSatisfy({ $0.hexDigitValue != nil || $0 == 0x3A || $0 == 0x2E })
      else { throw .badHost }
      rest = place[(end + 1)...]
    } else {
      let name = place.prefix { $0 != 0x3A }
      guard (1...255).contains(name.count), name.allSatisfy(isNameByte) else { throw .badHost }
      host = String(decoding: name, as: UTF8.self)
      rest = place[name.endIndex...]
    }
    guard !rest.isEmpty else { return (credentials, host, defaultPort(isSecure)) }
    guard rest.removeFirst() == 0x3A, let port = parseDecimal(rest, atMost: 65_535), port > 0 else { throw .badPort }
    return (credentials, host, UInt16(port))
  }

  /// A byte of a host name. The underscore is no letter of host names, and part of those of containers.
  private static func isNameByte(_ byte: UInt8) -> Bool {
    byte.isASCIILetter || byte.isASCIIDigit || byte == 0x2D || byte == 0x2E || byte == 0x5F
  }

  /// Checks a path and a query (RFC 3986 sections 3.3 and 3.4).
  private static func check(_ bytes: [UInt8]) throws(HTTPURLError) {
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      switch byte {
      case 0x25:
        guard index + 2 < bytes.count, bytes[index + 1].hexDigitValue != nil, bytes[index + 2].hexDigitValue != nil
        else { throw .badTarget }
        index += 2
      case _ where byte.isASCIILetter || byte.isASCIIDigit: break
      // Unreserved ones, delimiters, and those that paths and queries have of their own.
      case 0x2D, 0x2E, 0x5F, 0x7E, 0x21, 0x24, 0x26...0x2C, 0x3B, 0x3D, 0x3A, 0x40, 0x2F, 0x3F: break
      default: throw .badTarget
      }
      index += 1
    }
  }
}

/// Why a text is no URL of HTTP. Nothing of the text is repeated: it may hold a password.
public enum HTTPURLError: Error, Equatable, Sendable {
  /// It begins with neither `http://` nor `https://`.
  case badScheme
  /// The host is no name and no address.
  case badHost
  /// The port is no number from 1 to 65535.
  case badPort
  /// The path or the query holds what has to be percent-encoded.
  case badTarget
  /// It is longer than ``HTTPURL/maxLength``.
  case tooLong

  /// The reason, without a full stop.
  public var message: String {
    switch self {
    case .badScheme: "a URL begins with http:// or https://"
    case .badHost: "the URL's host is neither a name nor an address; an IPv6 address stands in brackets"
    case .badPort: "the URL's port is no number from 1 to 65535"
    case .badTarget: "the URL's path or query holds what has to be percent-encoded"
    case .tooLong: "the URL is longer than \(HTTPURL.maxLength) bytes"
    }
  }
}
