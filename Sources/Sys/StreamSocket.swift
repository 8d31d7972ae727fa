// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// A stream socket that never blocks.
///
/// ```
/// StreamSocket(connectingTo:) ──► connecting ──poll──► finishConnecting() ──► connected ──► receive / send
///                                                          │
///                                                          └──► SystemError("connect", …)
/// ```
public struct StreamSocket: ~Copyable {
  private let descriptor: FileDescriptor

  /// The address that the socket connects or is connected to.
  public let address: SocketAddress

  /// Whether the connection still has to be waited for.
  public private(set) var isConnecting: Bool

  /// The descriptor's number, for ``Poll``; the socket keeps owning it.
  var number: Int32 { descriptor.number }

  /// Opens a socket and starts to connect it.
  ///
  /// TCP sockets send small segments at once (TCP_NODELAY) and notice dead peers (SO_KEEPALIVE).
  ///
  /// - Parameters:
  ///   - keepsNetworkErrors: whether ``networkErrors()`` tells who refused a connection, and how.
  ///   - hopLimit: how many routers the packets may pass; nil for the system's choice.
  public init(
    connectingTo address: SocketAddress, keepsNetworkErrors: Bool = false, hopLimit: UInt8? = nil
  ) throws(SystemError) {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let number = socket(address.family, type, 0)
    guard number >= 0 else { throw SystemError("socket") }
    let descriptor = FileDescriptor(adopting: number)
    if address.family != AF_UNIX {
      Self.set(IPPROTO_TCP_LEVEL, TCP_NODELAY, on: number)
      Self.set(SOL_SOCKET, SO_KEEPALIVE, on: number)
      if keepsNetworkErrors { NetworkError.keep(on: number, isIPv6: address.isIPv6) }
      if let hopLimit {
        Self.set(Int32(IPPROTO_IP), IP_TTL, to: Int32(hopLimit), on: number)
        if address.isIPv6 { Self.set(Int32(IPPROTO_IPV6), IPV6_UNICAST_HOPS, to: Int32(hopLimit), on: number) }
      }
    }
    var connecting = false
    let result = unsafe address.withSockaddr({ unsafe sonde_connect(number, $0, $1) }, tooLong: Int32(-2))
    if result == -2 { throw SystemError("connect", errno: ENAMETOOLONG) }
    if result != 0 {
      guard sonde_errno() == EINPROGRESS else { throw SystemError("connect") }
      connecting = true
    }
    self.descriptor = descriptor
    self.address = address
    self.isConnecting = connecting
  }

  /// Learns the outcome of connecting, once the socket has become writable.
  public mutating func finishConnecting() throws(SystemError) {
    var error: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &error, &length) == 0 else { throw SystemError("getsockopt") }
    guard error == 0 else { throw SystemError("connect", errno: error) }
    isConnecting = false
  }

  /// The own address of a TCP socket, once connecting has begun; nil for any other.
  public var localAddress: SocketAddress? {
    guard address.family != AF_UNIX else { return nil }
    var storage = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    return unsafe withUnsafeMutablePointer(to: &storage) { storage in
      unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        guard unsafe sonde_getsockname(number, raw, &length) == 0 else { return nil }
        return unsafe SocketAddress(raw)
      }
    }
  }

  /// Reads what is there, at most `limit` bytes, onto the end of `bytes`.
  public func receive(into bytes: inout [UInt8], limit: Int = 64 << 10) throws(SystemError) -> ReadResult {
    var outcome = 0
    let chunk = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      repeat {
        outcome = unsafe recv(number, buffer.baseAddress, buffer.count, 0)
      } while outcome < 0
        && sonde_errno() == EINTR
      count = max(0, outcome)
    }
    if outcome > 0 {
      if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
      return .bytes(outcome)
    }
    if outcome == 0 { return .endOfFile }
    guard sonde_errno() == EAGAIN else { throw SystemError("recv") }
    return .wouldBlock
  }

  /// Sends as much as the kernel takes now; the count of bytes, 0 where its buffer is full. Never raises SIGPIPE.
  public func send(_ bytes: Span<UInt8>) throws(SystemError) -> Int {
    var outcome = 0
    unsafe bytes.withUnsafeBytes { buffer in
      repeat {
        outcome = unsafe CLinux.send(number, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
      } while outcome < 0 && sonde_errno() == EINTR
    }
    if outcome >= 0 { return outcome }
    guard sonde_errno() == EAGAIN else { throw SystemError("send") }
    return 0
  }

  /// Ends our side of the connection: the peer reads an end of file, and what it still sends can be read.
  public func shutdownWriting() { _ = shutdown(number, Int32(SHUT_WR)) }

  /// What the kernel knows of the connection (`tcp_info` of linux/tcp.h), as many bytes as this kernel tells; empty for
  /// a socket that is none of TCP's.
  public var tcpInfo: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 512)
    var length = socklen_t(bytes.count)
    guard unsafe getsockopt(number, IPPROTO_TCP_LEVEL, TCP_INFO, &bytes, &length) == 0 else { return [] }
    return Array(bytes.prefix(Int(length)))
  }

  private static func set(_ level: Int32, _ option: Int32, to value: Int32 = 1, on number: Int32) {
    var value = value
    _ = unsafe setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }
}

private let IPPROTO_TCP_LEVEL = Int32(IPPROTO_TCP)
