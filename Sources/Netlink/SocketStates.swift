// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Some states of sockets, a bit each, with the kernel's numbers. Other transports' states have TCP's names: UDP and
/// Unix sockets are `established` when they have a peer, and `closed` otherwise.
public struct SocketStates: OptionSet, Sendable {
  /// The kernel's bits.
  public let rawValue: UInt32
  /// Bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// One state.
  public init(_ state: TCPState) { rawValue = 1 << UInt32(state.rawValue) }

  /// Data flows.
  public static let established = SocketStates(.established)
  /// We asked for a connection.
  public static let synSent = SocketStates(.synSent)
  /// We were asked for one. The kernel's requests without a socket of their own are asked for along with these.
  public static let synReceived = SocketStates(.synReceived)
  /// Late segments are waited for.
  public static let timeWait = SocketStates(.timeWait)
  /// The peer has ended its side, we have not.
  public static let closeWait = SocketStates(.closeWait)
  /// Not connected.
  public static let closed = SocketStates(.closed)
  /// Connections are taken.
  public static let listen = SocketStates(.listen)
  /// Bound to a port and nothing more; Linux 6.8 and later.
  public static let boundInactive = SocketStates(.boundInactive)

  /// Every state.
  public static let all = SocketStates(TCPState.allCases.map { SocketStates($0) })
  /// Those of connections that have a socket of their own: what is listed where nothing else is asked for.
  public static let connections = connected.subtracting(.bucket)
  /// Those of connections, also of what is left of them and of what is not yet one.
  static let connected = all.subtracting([.listen, .closed, .boundInactive])
  /// Those that the kernel keeps in small records.
  static let bucket: SocketStates = [.synReceived, SocketStates(.newSynReceived), .timeWait]

  /// The states that a word of filters means, in capitals or not; nil for a word that means none.
  init?(named word: String) {
    switch word.asciiLowercased {
    case "established": self = .established
    case "syn-sent": self = .synSent
    case "syn-recv", "syn-rcv": self = [.synReceived, SocketStates(.newSynReceived)]
    case "fin-wait-1": self.init(.finWait1)
    case "fin-wait-2": self.init(.finWait2)
    case "time-wait": self = .timeWait
    case "unconnected", "closed", "close": self = .closed
    case "close-wait": self = .closeWait
    case "last-ack": self.init(.lastAck)
    case "listening", "listen": self = .listen
    case "closing": self.init(.closing)
    case "bound-inactive": self = .boundInactive
    case "all": self = .all
    case "connected": self = .connected
    case "synchronized": self = .connected.subtracting(.synSent)
    case "bucket": self = .bucket
    case "big": self = SocketStates.all.subtracting(.bucket)
    default: return nil
    }
  }
}
