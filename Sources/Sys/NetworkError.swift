// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// Why the network did not deliver a packet (`sock_extended_err` of linux/errqueue.h).
public struct NetworkError: Equatable, Sendable {
  /// Who says so.
  public enum Origin: Equatable, Sendable {
    /// This machine's own kernel.
    case local
    /// An ICMP message.
    case icmp
    /// An ICMPv6 message.
    case icmp6
  }

  /// Who says so.
  public let origin: Origin
  /// The error number that it comes to.
  public let errno: Int32
  /// The message's type.
  public let type: UInt8
  /// The message's code.
  public let code: UInt8
  /// Who sent the message, with port 0; nil where the kernel does not tell.
  public let sender: SocketAddress?

  /// An error.
  public init(origin: Origin, errno: Int32, type: UInt8, code: UInt8, sender: SocketAddress?) {
    (self.origin, self.errno, self.type, self.code, self.sender) = (origin, errno, type, code, sender)
  }

  /// Whether a router says that the packet passed as many of them as it may.
  public var isHopLimitExceeded: Bool {
    origin == .icmp && type == 11 && code == 0 || origin == .icmp6 && type == 3 && code == 0
  }
}

extension StreamSocket {
  /// What the network said of the connection since this was last asked, the oldest first; at most 16 errors. A socket
  /// that does not keep them has none.
  public func networkErrors() -> [NetworkError] { NetworkError.kept(by: number) }
}

extension NetworkError {
  /// Has the kernel keep a socket's errors.
  static func keep(on number: Int32, isIPv6: Bool) {
    var value: Int32 = 1
    let length = socklen_t(MemoryLayout<Int32>.size)
    _ = unsafe setsockopt(number, Int32(IPPROTO_IP), IP_RECVERR, &value, length)
    if isIPv6 { _ = unsafe setsockopt(number, Int32(IPPROTO_IPV6), IPV6_RECVERR, &value, length) }
  }

  /// What the kernel keeps of a socket's errors, the oldest first, which this takes from it; at most 16.
  static func kept(by number: Int32) -> [NetworkError] {
    var errors: [NetworkError] = []
    while errors.count < 16, let error = next(of: number) { errors.append(error) }
    return errors
  }

  private static func next(of number: Int32) -> NetworkError? {
    var control = [UInt8](repeating: 0, count: 512)
    return unsafe control.withUnsafeMutableBytes { buffer -> NetworkError? in
      var message = unsafe msghdr()
      unsafe message.msg_control = buffer.baseAddress
      unsafe message.msg_controllen = buffer.count
      guard unsafe recvmsg(number, &message, Int32(MSG_ERRQUEUE | MSG_DONTWAIT)) >= 0 else {
        return nil
      }
      var next = unsafe sonde_cmsg_first(&message)
      while let header = unsafe next {
        let (level, type) = unsafe (header.pointee.cmsg_level, header.pointee.cmsg_type)
        if level == Int32(IPPROTO_IP) && type == IP_RECVERR || level == Int32(IPPROTO_IPV6) && type == IPV6_RECVERR {
          let length = unsafe Int(header.pointee.cmsg_len) - MemoryLayout<cmsghdr>.size
          return unsafe read(sonde_cmsg_data(header), length)
        }
        unsafe next = sonde_cmsg_next(&message, header)
      }
      return nil
    }
  }

  private static func read(_ data: UnsafeRawPointer?, _ length: Int) -> NetworkError? {
    let size = MemoryLayout<sock_extended_err>.size
    guard let data = unsafe data, length >= size else { return nil }
    let error = unsafe data.loadUnaligned(as: sock_extended_err.self)
    let origin: NetworkError.Origin =
      switch Int32(error.ee_origin) {
      case SO_EE_ORIGIN_ICMP: .icmp
      case SO_EE_ORIGIN_ICMP6: .icmp6
      default: .local
      }
    var sender: SocketAddress?
    // The sender's address stands right behind, where there is one.
    if length >= size + MemoryLayout<sockaddr_in>.size {
      var storage = sockaddr_storage()
      unsafe withUnsafeMutableBytes(of: &storage) { target in
        let count = min(length - size, target.count)
        unsafe target.copyMemory(from: UnsafeRawBufferPointer(start: data + size, count: count))
      }
      sender = unsafe withUnsafePointer(to: &storage) { pointer in
        unsafe SocketAddress(UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), port: 0)
      }
    }
    return NetworkError(
      origin: origin, errno: Int32(bitPattern: error.ee_errno), type: error.ee_type, code: error.ee_code,
      sender: sender)
  }
}
