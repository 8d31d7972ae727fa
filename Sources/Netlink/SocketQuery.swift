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
    /// ``SocketRecord/memory``.
    public static let memory = Extensions(rawValue: 1 << 6)
  }

  /// The transport.
  public var transport: Transport
  /// Whether IPv6 sockets are asked about, or IPv4 ones.
  public var isIPv6: Bool
  /// The states that are asked about.
  public var states: SocketStates
  /// What is to be told beside.
  public var extensions: Extensions
  /// What the sockets must be like; nil where that is all the same.
  public var condition: SocketCondition?

  /// A question about all sockets of a family in some states.
  public init(
    _ transport: Transport, isIPv6: Bool, states: SocketStates, extensions: Extensions = [],
    condition: SocketCondition? = nil
  ) {
    (self.transport, self.isIPv6, self.states) = (transport, isIPv6, states)
    (self.extensions, self.condition) = (extensions, condition)
  }

  /// The request's 56 bytes behind the header, then the program of the condition as an attribute.
  var payload: [UInt8] {
    var bytes: [UInt8] = [isIPv6 ? 10 : 2, transport.rawValue, extensions.rawValue, 0]
    bytes.append(native: states.rawValue)
    // Whatever the ports, the addresses, the interface and the cookie are.
    bytes += [UInt8](repeating: 0, count: 40) + [UInt8](repeating: 0xFF, count: 8)
    guard let program = condition?.bytecode else { return bytes }
    // INET_DIAG_REQ_BYTECODE; instructions are padded as attributes are.
    bytes.append(native: UInt16(4 + program.count))
    bytes.append(native: UInt16(1))
    return bytes + program
  }
}

/// A question about Unix sockets (`unix_diag_req` of linux/unix_diag.h).
public struct UnixSocketQuery: Equatable, Sendable {
  /// The states that are asked about.
  public var states: SocketStates
  /// Whether the memory is to be told.
  public var wantsMemory: Bool

  /// A question about all sockets in some states.
  public init(states: SocketStates, wantsMemory: Bool = false) {
    (self.states, self.wantsMemory) = (states, wantsMemory)
  }

  // `UDIAG_SHOW_…`.
  private static let (name, peer, queues, memory, user): (UInt32, UInt32, UInt32, UInt32, UInt32) = (1, 4, 16, 32, 64)

  /// The request's 24 bytes behind the header.
  var payload: [UInt8] {
    var bytes: [UInt8] = [1, 0, 0, 0]
    bytes.append(native: states.rawValue)
    bytes.append(native: UInt32(0))
    bytes.append(native: Self.name | Self.peer | Self.queues | Self.user | (wantsMemory ? Self.memory : 0))
    return bytes + [UInt8](repeating: 0xFF, count: 8)
  }
}
