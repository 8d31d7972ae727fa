// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// One Unix socket as the kernel describes it (`unix_diag_msg` of linux/unix_diag.h), or a line of
/// `/proc/self/net/unix`.
public struct UnixSocketRecord: Equatable, Sendable {
  /// The kinds of sockets.
  public enum Kind: UInt8, Sendable {
    /// A stream of bytes.
    case stream = 1
    /// Datagrams.
    case datagram = 2
    /// Datagrams of a connection.
    case packets = 5
  }

  /// The kind; nil for a number that is not known here.
  public let kind: Kind?
  /// Its state; nil for a number that is not known here.
  public let state: TCPState?
  /// The number under which processes hold it.
  public let inode: UInt32
  /// A number that no other socket has; 0 where it is not known.
  public let cookie: UInt64
  /// The path or, behind an `@`, the abstract name; empty where it has none. Zero bytes in a name are shown as `@` too.
  public private(set) var name = ""
  /// The inode of the socket at the other end; nil where there is none, or where it is not known.
  public private(set) var peerInode: UInt32?
  /// Bytes that wait to be read; of a listening socket the connections that wait to be accepted; nil where that is not
  /// known.
  public private(set) var receiveQueue: UInt32?
  /// Bytes that wait to be sent; of a listening socket the most connections that may wait; nil where that is not known.
  public private(set) var sendQueue: UInt32?
  /// The user who made the socket, as this process's user namespace numbers it; nil where that is not known.
  public private(set) var userID: UInt32?
  /// The socket's memory, where it was asked for.
  public private(set) var memory: SocketMemory?

  /// The size of `unix_diag_msg` in bytes.
  static let size = 16

  /// Decodes the payload of a message; nil where it is too short to be one.
  public init?(_ payload: Span<UInt8>) {
    guard payload.count >= Self.size else { return nil }
    kind = Kind(rawValue: payload[1])
    state = TCPState(rawValue: payload[2])
    inode = payload.uint32(at: 4)
    cookie = UInt64(payload.uint32(at: 8)) | UInt64(payload.uint32(at: 12)) << 32
    var attributes = NetlinkAttributes(from: Self.size)
    while let (type, range) = attributes.next(in: payload) {
      let value = payload.extracting(range)
      switch type {
      case 0: name = Self.name(value.bytes)
      case 2: peerInode = value.uint32(at: 0)
      case 4: (receiveQueue, sendQueue) = (value.uint32(at: 0), value.uint32(at: 4))
      case 5: memory = SocketMemory(value)
      case 7: userID = value.uint32(at: 0)
      default: break
      }
    }
  }

  /// Reads a line of the table; nil for the heading, and for whatever else is no socket.
  ///
  ///     Num       RefCount Protocol Flags    Type St Inode Path
  ///     0000000000000000: 00000002 00000000 00010000 0001 01 36241 /run/app.sock
  public init?(line: some BidirectionalCollection<UInt8>) {
    // The path is whatever is behind the seventh word, spaces included.
    let words = line.split(separator: 0x20, maxSplits: 7)
    guard words.count >= 7, words[0].last == 0x3A, let flags = parseHexadecimal(words[3]),
      let type = parseHexadecimal(words[4]), let state = parseHexadecimal(words[5]),
      let inode = parseDecimal(words[6], atMost: Int(UInt32.max))
    else { return nil }
    kind = type <= 0xFF ? Kind(rawValue: UInt8(type)) : nil
    // `SO_ACCEPTCON` says that it listens; the state is that of `enum socket_state`, of which 3 means connected.
    self.state = flags & 0x10000 != 0 ? .listen : state == 3 ? .established : .closed
    (self.inode, cookie) = (UInt32(inode), 0)
    if words.count == 8 { name = Self.name(Array(words[7])) }
  }

  private static func name(_ bytes: [UInt8]) -> String {
    // A path ends with a zero; an abstract name begins with one, and may hold others.
    guard bytes.first == 0 else { return String(systemBytes: Array(bytes.prefix { $0 != 0 })) }
    return String(systemBytes: bytes.map { $0 == 0 ? 0x40 : $0 })
  }
}
