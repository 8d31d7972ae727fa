// SPDX-License-Identifier: Apache-2.0

public import Bytes

/// The state of a TCP socket, with the kernel's numbers.
public enum TCPState: UInt8, CaseIterable, Sendable {
  /// Data flows.
  case established = 1
  /// We asked for a connection, and nobody has answered.
  case synSent = 2
  /// We were asked, have answered, and wait for the last word.
  case synReceived = 3
  /// We have ended our side; nobody has acknowledged it.
  case finWait1 = 4
  /// We have ended our side, the peer has not.
  case finWait2 = 5
  /// Over; late segments are waited for.
  case timeWait = 6
  /// Not connected.
  case closed = 7
  /// The peer has ended its side, we have not.
  case closeWait = 8
  /// Both sides have ended; the acknowledgement of our end is missing.
  case lastAck = 9
  /// Connections are taken.
  case listen = 10
  /// Both sides ended at once.
  case closing = 11
  /// A request for a connection that has no socket of its own yet.
  case newSynReceived = 12
  /// Bound to a port and nothing more.
  case boundInactive = 13

  /// The name that tools of this field print: `LISTEN`, `ESTAB`.
  public var name: String {
    switch self {
    case .established: "ESTAB"
    case .synSent: "SYN-SENT"
    case .synReceived, .newSynReceived: "SYN-RECV"
    case .finWait1: "FIN-WAIT-1"
    case .finWait2: "FIN-WAIT-2"
    case .timeWait: "TIME-WAIT"
    case .closed: "UNCONN"
    case .closeWait: "CLOSE-WAIT"
    case .lastAck: "LAST-ACK"
    case .listen: "LISTEN"
    case .closing: "CLOSING"
    case .boundInactive: "BOUND"
    }
  }
}

/// One socket as the kernel describes it (`inet_diag_msg` of linux/inet_diag.h).
public struct SocketRecord: Equatable, Sendable {
  /// Its state; nil for a number that is not known here.
  public let state: TCPState?
  /// Which timer runs: 0 none, 1 retransmission, 2 keepalive, 3 TIME-WAIT, 4 zero-window probe, 5 delayed
  /// acknowledgement.
  public let timer: UInt8
  /// Retransmissions of what waits to be acknowledged, or probes.
  public let retransmits: UInt8
  /// The own address.
  public let localAddress: IPAddress
  /// The own port.
  public let localPort: UInt16
  /// The peer's address; all zero where there is none.
  public let remoteAddress: IPAddress
  /// The peer's port; 0 where there is none.
  public let remotePort: UInt16
  /// The index of the interface that the socket is bound to; 0 for none.
  public let interface: UInt32
  /// A number that no other socket has.
  public let cookie: UInt64
  /// When the timer fires, in milliseconds from now.
  public let timerExpiry: UInt32
  /// Bytes that wait to be read; of a listening socket the connections that wait to be accepted.
  public let receiveQueue: UInt32
  /// Bytes that wait to be acknowledged; of a listening socket the most connections that may wait.
  public let sendQueue: UInt32
  /// The user who made the socket, as this process's user namespace numbers it.
  public let userID: UInt32
  /// The number under which processes hold it; 0 where none does.
  public let inode: UInt32
  /// Whether an IPv6 socket takes no IPv4; nil where the kernel did not say.
  public var isIPv6Only: Bool?
  /// Facts about the TCP connection, where they were asked for.
  public var info: TCPInfo?
  /// The congestion control, such as `cubic`, where it was asked for.
  public var congestionControl: String?
  /// The socket's memory, where it was asked for.
  public var memory: SocketMemory?

  /// The size of `inet_diag_msg` in bytes.
  static let size = 72

  /// Decodes the payload of a message; nil where it is too short to be one.
  public init?(_ payload: Span<UInt8>) {
    guard payload.count >= Self.size else { return nil }
    let isIPv6 = payload[0] == 10
    state = TCPState(rawValue: payload[1])
    timer = payload[2]
    retransmits = payload[3]
    localPort = payload.wireUInt16(at: 4)
    remotePort = payload.wireUInt16(at: 6)
    localAddress = payload.address(at: 8, isIPv6: isIPv6)
    remoteAddress = payload.address(at: 24, isIPv6: isIPv6)
    interface = payload.uint32(at: 40)
    cookie = UInt64(payload.uint32(at: 44)) | UInt64(payload.uint32(at: 48)) << 32
    timerExpiry = payload.uint32(at: 52)
    receiveQueue = payload.uint32(at: 56)
    sendQueue = payload.uint32(at: 60)
    userID = payload.uint32(at: 64)
    inode = payload.uint32(at: 68)
    var attributes = NetlinkAttributes(from: Self.size)
    while let (type, range) = attributes.next(in: payload) {
      let value = payload.extracting(range)
      switch type {
      case 2: info = TCPInfo(value)
      case 4: congestionControl = String(decoding: value.text, as: UTF8.self)
      case 7: memory = SocketMemory(value)
      case 11: isIPv6Only = value.byte(at: 0) != 0
      default: break
      }
    }
  }
  /// A socket as a table of `/proc` has it: what the table does not tell is 0.
  public init(_ socket: ProcNetSocket) {
    state = socket.state
    (timer, retransmits, timerExpiry) = (0, 0, 0)
    (localAddress, localPort) = (socket.localAddress, socket.localPort)
    (remoteAddress, remotePort) = (socket.remoteAddress, socket.remotePort)
    (interface, cookie) = (0, 0)
    (receiveQueue, sendQueue) = (socket.receiveQueue, socket.sendQueue)
    (userID, inode) = (socket.userID, socket.inode)
  }
}
