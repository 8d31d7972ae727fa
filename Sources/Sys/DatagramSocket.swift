// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// A UDP socket that never blocks and talks with one address: what others send to it, the kernel drops.
///
/// The kernel draws its port at random. It keeps what the network says of its packets, for ``networkErrors()``; such an
/// error also ends the next ``send(_:)`` or ``receive()``.
public struct DatagramSocket: ~Copyable {
  private let descriptor: FileDescriptor

  /// The descriptor's number, for ``Poll``; the socket keeps owning it.
  var number: Int32 { descriptor.number }

  /// The longest datagram there is, in bytes.
  public static let maxLength = 65_535

  /// Opens a socket for one IPv4 or IPv6 address. Nothing is sent yet, and yet it fails where no route leads there.
  public init(connectedTo address: SocketAddress) throws(SystemError) {
    let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let number = socket(address.family, type, 0)
    guard number >= 0 else { throw SystemError("socket") }
    let descriptor = FileDescriptor(adopting: number)
    NetworkError.keep(on: number, isIPv6: address.isIPv6)
    let result = unsafe address.withSockaddr({ unsafe sonde_connect(number, $0, $1) }, tooLong: Int32(-2))
    if result == -2 { throw SystemError("connect", errno: ENAMETOOLONG) }
    guard result == 0 else { throw SystemError("connect") }
    self.descriptor = descriptor
  }

  /// Sends one datagram. One that the kernel has no room for is lost, as the network may lose any.
  public func send(_ bytes: Span<UInt8>) throws(SystemError) {
    var outcome = 0
    unsafe bytes.withUnsafeBytes { buffer in
      repeat {
        outcome = unsafe CLinux.send(number, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
      } while outcome < 0 && sonde_errno() == EINTR
    }
    guard outcome >= 0 || sonde_errno() == EAGAIN else { throw SystemError("send") }
  }

  /// Reads one datagram, which may be empty; nil where none is there yet.
  public func receive() throws(SystemError) -> [UInt8]? {
    var outcome = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Self.maxLength) { buffer, count in
      repeat {
        outcome = unsafe recv(number, buffer.baseAddress, buffer.count, 0)
      } while outcome < 0 && sonde_errno() == EINTR
      count = max(0, outcome)
    }
    if outcome >= 0 { return bytes }
    guard sonde_errno() == EAGAIN else { throw SystemError("recv") }
    return nil
  }

  /// What the network said of the packets since this was last asked, the oldest first; at most 16 errors.
  public func networkErrors() -> [NetworkError] { NetworkError.kept(by: number) }
}
