// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CLinux

/// An address that a socket connects to.
public enum SocketAddress: Hashable, Sendable {
  /// Four bytes of IPv4 and a port.
  case ipv4([UInt8], port: UInt16)
  /// Sixteen bytes of IPv6, a port, and the interface's index for link-local addresses (0 = none).
  case ipv6([UInt8], port: UInt16, scope: UInt32)
  /// A Unix socket in the file system.
  case unix(path: String)
  /// A Unix socket in Linux's abstract namespace, named without the leading zero byte.
  case unixAbstract(name: String)

  /// The port; nil for a Unix socket.
  public var port: UInt16? {
    switch self {
    case .ipv4(_, let port), .ipv6(_, let port, _): port
    case .unix, .unixAbstract: nil
    }
  }

  /// Reads an IPv4 or IPv6 literal, the latter without brackets and with a `%zone` if it has one; nil for anything
  /// else.
  public init?(literal text: String, port: UInt16) {
    var host = text
    var scope: UInt32 = 0
    if let percent = text.utf8.firstIndex(of: 0x25) {
      host = String(text[..<percent])
      let zone = String(text[text.utf8.index(after: percent)...])
      guard host.utf8.contains(0x3A), !zone.isEmpty else { return nil }
      scope = UInt32(truncatingIfNeeded: parseDecimal(zone.utf8, atMost: Int(UInt32.max)) ?? 0)
      if scope == 0 { scope = unsafe zone.withCString { unsafe if_nametoindex($0) } }
      if scope == 0 { return nil }
    }
    if let bytes = Self.parse(host, family: AF_INET, count: 4) {
      self = .ipv4(bytes, port: port)
    } else if let bytes = Self.parse(host, family: AF_INET6, count: 16) {
      self = .ipv6(bytes, port: port, scope: scope)
    } else {
      return nil
    }
  }

  /// Whether the text is an IP literal, zone or not.
  public static func isIPLiteral(_ text: String) -> Bool {
    let host = text.split(onASCII: 0x25)[0]
    return parse(host, family: AF_INET, count: 4) != nil || parse(host, family: AF_INET6, count: 16) != nil
  }

  /// Whether the address is this machine's own loopback; Unix sockets count.
  public var isLoopback: Bool {
    switch self {
    case .ipv4(let bytes, _): bytes[0] == 127
    case .ipv6(let bytes, _, _):
      bytes[..<15].allSatisfy { $0 == 0 } && bytes[15] == 1
        || bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF && bytes[12] == 127
    case .unix, .unixAbstract: true
    }
  }

  /// Whether the address is an IPv6 one.
  public var isIPv6: Bool { if case .ipv6 = self { true } else { false } }

  /// The address as people write it: `127.0.0.1:80`, `[::1]:80`, `unix:/path`, `unix:@name`.
  public var text: String {
    switch self {
    case .ipv4(let bytes, let port): Self.text(bytes, family: AF_INET) + ":\(port)"
    case .ipv6(let bytes, let port, let scope):
      "[" + Self.text(bytes, family: AF_INET6) + (scope == 0 ? "" : "%" + Self.zone(scope)) + "]:\(port)"
    case .unix(let path): "unix:" + path
    case .unixAbstract(let name): "unix:@" + name
    }
  }

  private static func parse(_ text: String, family: Int32, count: Int) -> [UInt8]? {
    // A NUL inside the text would end it early for the C library.
    guard !text.utf8.contains(0) else { return nil }
    var bytes = [UInt8](repeating: 0, count: count)
    let result = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe text.withCString { unsafe inet_pton(family, $0, buffer.baseAddress) }
    }
    return result == 1 ? bytes : nil
  }

  private static func text(_ bytes: [UInt8], family: Int32) -> String {
    let room = 64  // INET6_ADDRSTRLEN is 46
    let characters = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      let text = unsafe UnsafeMutableRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self)
      let result = unsafe bytes.withUnsafeBytes { unsafe inet_ntop(family, $0.baseAddress, text, socklen_t(room)) }
      if let result = unsafe result { count = unsafe strlen(result) }
    }
    return String(decoding: characters, as: UTF8.self)
  }

  private static func zone(_ scope: UInt32) -> String {
    var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
    guard unsafe if_indextoname(scope, &name) != nil else { return String(scope) }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

// MARK: - The kernel's form

extension SocketAddress {
  /// The longest path of a Unix socket in bytes: `sun_path` less the zero that ends it.
  static let longestUnixPath = 107

  var family: Int32 {
    switch self {
    case .ipv4: AF_INET
    case .ipv6: AF_INET6
    case .unix, .unixAbstract: AF_UNIX
    }
  }

  /// Hands the address to a system call; -1 with `errno` set where a Unix path is too long.
  func withSockaddr<T>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> T, tooLong: T) -> T {
    var storage = sockaddr_storage()
    let room = MemoryLayout<sockaddr_storage>.size
    return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      let raw = UnsafeMutableRawPointer(pointer)
      let length: Int
      switch self {
      case .ipv4(let bytes, let port):
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        unsafe withUnsafeMutableBytes(of: &address.sin_addr) { unsafe $0.copyBytes(from: bytes.prefix(4)) }
        unsafe raw.storeBytes(of: address, as: sockaddr_in.self)
        length = MemoryLayout<sockaddr_in>.size
      case .ipv6(let bytes, let port, let scope):
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_scope_id = scope
        unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { unsafe $0.copyBytes(from: bytes.prefix(16)) }
        unsafe raw.storeBytes(of: address, as: sockaddr_in6.self)
        length = MemoryLayout<sockaddr_in6>.size
      case .unix(let path):
        guard let end = unsafe Self.store(path, at: 0, in: raw, room: room) else { return tooLong }
        length = end + 1  // the zero that ends the path is there already
      case .unixAbstract(let name):
        guard let end = unsafe Self.store(name, at: 1, in: raw, room: room) else { return tooLong }
        length = end
      }
      return unsafe body(UnsafeRawPointer(raw).assumingMemoryBound(to: sockaddr.self), socklen_t(length))
    }
  }

  /// Writes a Unix socket's family and name; the length so far, or nil where the name is too long.
  private static func store(_ name: String, at offset: Int, in raw: UnsafeMutableRawPointer, room: Int) -> Int? {
    let bytes = name.systemBytes
    guard bytes.count + offset <= longestUnixPath else { return nil }
    unsafe raw.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
    var position = MemoryLayout<sa_family_t>.size + offset
    for byte in bytes {
      unsafe raw.storeBytes(of: byte, toByteOffset: position, as: UInt8.self)
      position += 1
    }
    return position
  }

  /// Reads the kernel's form of an IPv4 or IPv6 address, with a port of one's own unless it is nil; nil for other
  /// families.
  init?(_ address: UnsafePointer<sockaddr>, port: UInt16? = nil) {
    let raw = unsafe UnsafeRawPointer(address)
    switch Int32(unsafe address.pointee.sa_family) {
    case AF_INET:
      let value = unsafe raw.loadUnaligned(as: sockaddr_in.self)
      self = .ipv4(
        unsafe withUnsafeBytes(of: value.sin_addr) { unsafe Array($0) },
        port: port ?? UInt16(bigEndian: value.sin_port))
    case AF_INET6:
      let value = unsafe raw.loadUnaligned(as: sockaddr_in6.self)
      self = .ipv6(
        unsafe withUnsafeBytes(of: value.sin6_addr) { unsafe Array($0) },
        port: port ?? UInt16(bigEndian: value.sin6_port), scope: value.sin6_scope_id)
    default: return nil
    }
  }
}
