// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Fault
internal import Sys

/// A proxy that takes HTTP CONNECT.
public struct Proxy: Equatable, Sendable {
  /// The proxy's own host.
  public let host: String
  /// The proxy's own port.
  public let port: UInt16
  /// The bytes of `user:password` for Basic authentication; nil without.
  let credentials: [UInt8]?

  /// The proxy's address, without its credentials.
  public var text: String { (host.utf8.contains(0x3A) ? "[\(host)]" : host) + ":\(port)" }
}

/// When a proxy is used, as the environment says it: HTTPS_PROXY and NO_PROXY, or the same in small letters.
///
/// Loopback never goes through a proxy. NO_PROXY is a list with commas: `*`, an IP address, a network in CIDR notation,
/// a name (with all below it), `.name` or `*.name` (all below it alone); each but networks may end in `:port`.
public struct ProxyRules: Equatable, Sendable {
  private let proxy: String
  private let exceptions: [String]

  /// No proxy at all.
  public static let none = ProxyRules(proxy: "", exceptions: "")

  /// Rules from the values of the two variables.
  public init(proxy: String, exceptions: String) {
    self.proxy = proxy
    self.exceptions = exceptions.split(onASCII: 0x2C).map { $0.asciiTrimmed.asciiLowercased }.filter { !$0.isEmpty }
  }

  /// Rules from the environment; capitals come first.
  public init(environment: (String) -> String?) {
    func value(_ name: String, _ small: String) -> String {
      let first = environment(name) ?? ""
      return first.isEmpty ? environment(small) ?? "" : first
    }
    self.init(proxy: value("HTTPS_PROXY", "https_proxy"), exceptions: value("NO_PROXY", "no_proxy"))
  }

  /// The proxy for a target; nil where it is reached directly.
  package func proxy(host: String, port: UInt16) throws(Fault) -> Proxy? {
    guard !proxy.isEmpty, !isExcepted(host: host.asciiLowercased, port: port) else { return nil }
    return try Proxy(url: proxy)
  }

  private func isExcepted(host: String, port: UInt16) -> Bool {
    let addresses = Resolver.immediate(host: host, port: port) ?? []
    if addresses.contains(where: { $0.isLoopback }) { return true }
    var name = host
    if name.utf8.last == 0x2E { name.removeLast() }
    for exception in exceptions {
      if exception == "*" { return true }
      if let network = Network(exception) {
        if addresses.contains(where: { network.contains($0) }) { return true }
        continue
      }
      let (pattern, patternPort) = Self.split(exception)
      if let patternPort, patternPort != String(port) { continue }
      if let address = SocketAddress(literal: pattern, port: port) {
        if addresses.contains(address) { return true }
        continue
      }
      let suffix = pattern.after("*.") ?? pattern.after(".")
      if suffix == nil, name == pattern { return true }
      if name.hasSuffix("." + (suffix ?? pattern)) { return true }
    }
    return false
  }

  /// Splits a pattern and its port: `name:80`, `[::1]:80`, `::1`.
  private static func split(_ text: String) -> (pattern: String, port: String?) {
    let bytes = Array(text.utf8)
    if bytes.first == 0x5B, let end = bytes.firstIndex(of: 0x5D) {
      let rest = String(decoding: bytes[(end + 1)...], as: UTF8.self)
      return (String(decoding: bytes[1..<end], as: UTF8.self), rest.after(":"))
    }
    let parts = text.split(onASCII: 0x3A)
    return parts.count == 2 ? (parts[0], parts[1]) : (text, nil)
  }
}

/// A network in CIDR notation.
private struct Network {
  let bytes: [UInt8]
  let length: Int

  init?(_ text: String) {
    let parts = text.split(onASCII: 0x2F)
    guard parts.count == 2, let address = SocketAddress(literal: parts[0], port: 0), let bytes = address.ipBytes,
      let length = parseDecimal(parts[1].utf8, atMost: bytes.count * 8)
    else { return nil }
    self.bytes = bytes
    self.length = length
  }

  func contains(_ address: SocketAddress) -> Bool {
    guard let other = address.ipBytes, other.count == bytes.count else { return false }
    for bit in 0..<length {
      let mask: UInt8 = 0x80 >> UInt8(bit % 8)
      if bytes[bit / 8] & mask != other[bit / 8] & mask { return false }
    }
    return true
  }
}

extension SocketAddress {
  fileprivate var ipBytes: [UInt8]? {
    switch self {
    case .ipv4(let bytes, _): bytes
    case .ipv6(let bytes, _, _): bytes
    case .unix, .unixAbstract: nil
    }
  }
}

extension Proxy {
  /// Where HTTP proxies listen if their URL does not say.
  private static let defaultPort: UInt16 = 80

  /// Reads `[http://][user:password@]host[:port][/]`.
  init(url: String) throws(Fault) {
    var rest = url
    if let withoutScheme = url.asciiLowercased.after("http://") {
      rest = String(decoding: url.utf8.suffix(withoutScheme.utf8.count), as: UTF8.self)
    } else if url.split(onASCII: 0x3A).dropFirst().first?.after("//") != nil {
      throw Fault(.badProxy, Self.withoutCredentials(url), detail: "only http:// proxies are supported")
    }
    let authority = rest.split(onASCII: 0x2F)[0]
    let parts = authority.split(onASCII: 0x40)
    credentials = parts.count > 1 ? parts.dropLast().joined(separator: "@").percentDecoded : nil
    let hostPort = parts.last ?? ""
    do throws(TargetError) {
      let hasPort =
        hostPort.utf8.last != 0x5D && hostPort.split(onASCII: 0x5D).last?.utf8.contains(0x3A) == true
      let target = try Target(hasPort ? hostPort : hostPort + ":\(Self.defaultPort)")
      guard case .host(let host, let port) = target.endpoint, !hostPort.isEmpty, hostPort.utf8.first != 0x3A else {
        throw TargetError(cause: "no host", hint: "")
      }
      self.host = host
      self.port = port
    } catch { throw Fault(.badProxy, Self.withoutCredentials(url), detail: error.cause) }
  }

  /// What may be printed of a proxy's URL.
  private static func withoutCredentials(_ url: String) -> String {
    let parts = url.split(onASCII: 0x40)
    return parts.count > 1 ? "…@" + parts[parts.count - 1] : url
  }
}
