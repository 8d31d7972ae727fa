// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Why a text names no target.
public struct TargetError: Error, Equatable, Sendable {
  /// What is wrong, in one line without the text itself.
  public let cause: String
  /// What to write instead.
  public let hint: String

  /// An error of a cause and a hint.
  public init(cause: String, hint: String) {
    self.cause = cause
    self.hint = hint
  }
}

/// Where to connect, as gRPC names it.
///
/// ```
/// host:port   1.2.3.4:port   [::1]:port   [fe80::1%eth0]:port   :port (this machine)
/// dns:///host[:port]   dns:host[:port]   passthrough:///host:port
/// unix:path   unix:///absolute/path   unix-abstract:name   unix:@name
/// ```
public struct Target: Equatable, Sendable {
  /// What to connect to.
  public enum Endpoint: Equatable, Sendable {
    /// A host name or an IP literal (without brackets, zone included) and a TCP port.
    case host(String, port: UInt16)
    /// A Unix socket.
    case unix(SocketAddress)
  }

  /// What to connect to.
  public let endpoint: Endpoint
  /// The `:authority` of requests, unless the user sets another one.
  public let authority: String

  /// The name that a certificate is checked for: the host, or `localhost` on a Unix socket.
  public var hostName: String {
    guard case .host(let host, _) = endpoint else { return "localhost" }
    return host
  }

  /// The port that `dns:` targets have where they name none.
  static let defaultDNSPort: UInt16 = 443

  /// Reads a target.
  public init(_ text: String) throws(TargetError) {
    if let rest = text.after("unix-abstract:") {
      guard !rest.isEmpty else { throw TargetError(cause: "the abstract socket has no name", hint: Self.unixHint) }
      try self.init(unix: .unixAbstract(name: rest))
    } else if let rest = text.after("unix:") {
      try self.init(unix: Self.unixAddress(rest))
    } else if let rest = text.after("dns:") {
      try self.init(hostPort: Self.endpoint(rest, scheme: "dns"), defaultPort: Self.defaultDNSPort)
    } else if let rest = text.after("passthrough:") {
      try self.init(hostPort: Self.endpoint(rest, scheme: "passthrough"), defaultPort: nil)
    } else {
      if let scheme = Self.scheme(of: text) { throw Self.foreign(scheme, in: text) }
      try self.init(hostPort: text, defaultPort: nil)
    }
  }

  private init(unix address: SocketAddress) throws(TargetError) {
    let name: String
    switch address {
    case .unix(let path): name = path
    case .unixAbstract(let abstract): name = abstract
    default: name = ""
    }
    guard name.systemBytes.count <= SocketAddress.longestUnixPath, !name.utf8.contains(0) else {
      throw TargetError(
        cause: "the socket's path is longer than \(SocketAddress.longestUnixPath) bytes", hint: "use a shorter path")
    }
    endpoint = .unix(address)
    authority = "localhost"
  }

  private init(hostPort text: String, defaultPort: UInt16?) throws(TargetError) {
    let (host, portText) = try Self.split(text)
    let port: UInt16
    if let portText {
      guard let number = parseDecimal(portText.utf8, atMost: 65535), number > 0 else {
        throw TargetError(cause: "invalid port \(portText.quoted)", hint: "a port is a number from 1 to 65535")
      }
      port = UInt16(number)
    } else if let defaultPort {
      port = defaultPort
    } else {
      throw TargetError(cause: "missing port in address", hint: "write \(Self.bracketed(host)):PORT")
    }
    for scalar in host.unicodeScalars where scalar.value <= 0x20 || scalar.value == 0x7F || scalar == "/" {
      throw TargetError(cause: "invalid host name \(host.quoted)", hint: Self.hostHint)
    }
    guard host.utf8.count <= 255 else {
      throw TargetError(cause: "the host name is longer than 255 bytes", hint: Self.hostHint)
    }
    let isImplicit = host.isEmpty
    endpoint = .host(isImplicit ? "localhost" : host, port: port)
    authority = (isImplicit ? "localhost" : "") + Self.encoded(text)
  }
}

// MARK: - Parts of the grammar

extension Target {
  private static let hostHint = "write HOST:PORT, with brackets around an IPv6 address"
  private static let unixHint = "write unix:/path, unix-abstract:NAME or unix:@NAME"

  /// Splits `host:port`, `[v6]:port` or a lone host.
  private static func split(_ text: String) throws(TargetError) -> (host: String, port: String?) {
    let bytes = Array(text.utf8)
    if bytes.first == 0x5B {  // [
      guard let end = bytes.firstIndex(of: 0x5D) else {
        throw TargetError(cause: "missing ']' in address", hint: hostHint)
      }
      let host = String(decoding: bytes[1..<end], as: UTF8.self)
      guard SocketAddress.isIPLiteral(host), host.utf8.contains(0x3A) else {
        throw TargetError(cause: "\(host.quoted) is no IPv6 address", hint: hostHint)
      }
      if end == bytes.count - 1 { return (host, nil) }
      guard bytes[end + 1] == 0x3A else {
        throw TargetError(cause: "unexpected text after ']' in address", hint: hostHint)
      }
      return (host, String(decoding: bytes[(end + 2)...], as: UTF8.self))
    }
    let colons = bytes.filter { $0 == 0x3A }.count
    guard colons <= 1 else { throw TargetError(cause: "too many colons in address", hint: hostHint) }
    guard !bytes.isEmpty else { throw TargetError(cause: "the address is empty", hint: hostHint) }
    guard let colon = bytes.firstIndex(of: 0x3A) else { return (text, nil) }
    return (
      String(decoding: bytes[..<colon], as: UTF8.self), String(decoding: bytes[(colon + 1)...], as: UTF8.self)
    )
  }

  /// What follows a scheme: `///x` and `x` mean the same, `//authority/x` names a server that we do not ask.
  private static func endpoint(_ rest: String, scheme: String) throws(TargetError) -> String {
    guard let authority = rest.after("//") else { return rest }
    guard let endpoint = authority.after("/") else {
      throw TargetError(
        cause: "a \(scheme) target names no server of its own",
        hint: "write \(scheme):///\(authority.split(onASCII: 0x2F).last ?? "")")
    }
    return endpoint
  }

  private static func unixAddress(_ rest: String) throws(TargetError) -> SocketAddress {
    if let name = rest.after("@") {
      guard !name.isEmpty else { throw TargetError(cause: "the abstract socket has no name", hint: unixHint) }
      return .unixAbstract(name: name)
    }
    var path = rest
    if let authority = rest.after("//") {
      guard authority.utf8.first == 0x2F else {
        let host = authority.split(onASCII: 0x2F)[0]
        throw TargetError(
          cause: "invalid (non-empty) authority: \(host)", hint: "an absolute path has three slashes: unix:///path")
      }
      path = authority
    }
    guard !path.isEmpty else { throw TargetError(cause: "the Unix socket has no path", hint: unixHint) }
    return .unix(path: path)
  }

  /// The scheme of a text that is a URL or names a resolver of another client.
  private static func scheme(of text: String) -> String? {
    for scheme in ["xds", "ipv4", "ipv6", "vsock", "http", "https", "google-c2p", "unix-stream"] {
      if let rest = text.asciiLowercased.after(scheme + ":"), rest.contains("/") || rest.contains(":") { return scheme }
    }
    let bytes = Array(text.utf8)
    for index in bytes.indices where bytes[index...].starts(with: [0x3A, 0x2F, 0x2F]) {
      return String(decoding: bytes[..<index], as: UTF8.self)
    }
    return nil
  }

  private static func foreign(_ scheme: String, in text: String) -> TargetError {
    var rest = text.asciiLowercased.after(scheme.asciiLowercased + ":") ?? ""
    while rest.utf8.first == 0x2F { rest.removeFirst() }
    let host = rest.split(onASCII: 0x2F)[0]
    let hostPort = host.utf8.contains(0x3A) || host.isEmpty ? host : host + ":PORT"
    switch scheme.asciiLowercased {
    case "http":
      return TargetError(cause: "the address is a URL, not a gRPC target", hint: "write \(hostPort) without http://")
    case "https":
      return TargetError(
        cause: "the address is a URL, not a gRPC target", hint: "write \(hostPort) without https:// and add -tls")
    case "ipv4", "ipv6":
      return TargetError(cause: "unknown scheme \(scheme.quoted)", hint: "write the IP address alone: \(hostPort)")
    default:
      return TargetError(
        cause: "unknown scheme \(scheme.quoted)", hint: "known are dns, passthrough, unix and unix-abstract")
    }
  }

  private static func bracketed(_ host: String) -> String { host.utf8.contains(0x3A) ? "[\(host)]" : host }

  /// The text as an authority may carry it (RFC 3986 section 3.2): everything else percent-encoded.
  private static func encoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case _ where byte.isASCIILetter || byte.isASCIIDigit: bytes.append(byte)
      case 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)  // - . _ ~
      case 0x21, 0x24, 0x26...0x2C, 0x3B, 0x3D: bytes.append(byte)  // ! $ & ' ( ) * + , ; =
      case 0x3A, 0x40, 0x5B, 0x5D: bytes.append(byte)  // : @ [ ]
      default:
        let digits = Array("0123456789ABCDEF".utf8)
        bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 0x0F)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
