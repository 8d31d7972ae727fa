// SPDX-License-Identifier: Apache-2.0

/// A question about sockets (`inet_diag_req_v2` of linux/inet_diag.h).
public struct SocketQuery: Equatable, Sendable {
  /// The transport that is asked about.
  public enum Transport: UInt8, Sendable {
    /// TCP.
    case tcp = 6
    /// UDP.
    case udp = 17
  }

  /// What is to be told beside the record, as a bit each.
  public struct Extensions: OptionSet, Sendable {
    /// The kernel's bits.
    public let rawValue: UInt8
    /// Bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// ``SocketRecord/info``.
    public static let info = Extensions(rawValue: 1 << 1)
    /// ``SocketRecord/congestionControl``.
    public static let congestionControl = Extensions(rawValue: 1 << 3)
  }

  /// The transport.
  public var transport: Transport
  /// Whether IPv6 sockets are asked about, or IPv4 ones.
  public var isIPv6: Bool
  /// The states that are asked about.
  public var states: [TCPState]
  /// What is to be told beside.
  public var extensions: Extensions
  /// A question about all sockets of a family in some states.
  public init(_ transport: Transport, isIPv6: Bool, states: [TCPState], extensions: Extensions = []) {
    (self.transport, self.isIPv6, self.states, self.extensions) = (transport, isIPv6, states, extensions)
  }

  /// The request's 56 bytes behind the header.
  var payload: [UInt8] {
    var bytes: [UInt8] = [isIPv6 ? 10 : 2, transport.rawValue, extensions.rawValue, 0]
    let mask: UInt32 = states.reduce(0) { $0 | 1 << UInt32($1.rawValue) }
    unsafe withUnsafeBytes(of: mask) { unsafe bytes.append(contentsOf: $0) }
    // Whatever the ports, the addresses, the interface and the cookie are.
    bytes += [UInt8](repeating: 0, count: 40) + [UInt8](repeating: 0xFF, count: 8)
    return bytes
  }
}
