// SPDX-License-Identifier: Apache-2.0

public import Bytes

/// A socket as `/proc/self/net/tcp`, `tcp6`, `udp` and `udp6` describe it: what is left where the kernel may not be
/// asked.
public struct ProcNetSocket: Equatable, Sendable {
  /// Its state; nil for a number that is not known here.
  public let state: TCPState?
  /// The own address.
  public let localAddress: IPAddress
  /// The own port.
  public let localPort: UInt16
  /// The peer's address.
  public let remoteAddress: IPAddress
  /// The peer's port.
  public let remotePort: UInt16
  /// Bytes that wait to be acknowledged.
  public let sendQueue: UInt32
  /// Bytes that wait to be read; of a listening socket the connections that wait to be accepted.
  public let receiveQueue: UInt32
  /// The user who made the socket.
  public let userID: UInt32
  /// The number under which processes hold it.
  public let inode: UInt32

  /// Reads a line of the table; nil for the heading, and for whatever else is no socket.
  ///
  ///     sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
  ///      0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 36241 1 …
  public init?(line: some BidirectionalCollection<UInt8>) {
    let words = line.split(separator: 0x20)
    guard words.count >= 10, words[0].last == 0x3A, let local = Self.endpoint(words[1]),
      let remote = Self.endpoint(words[2]),
      let state = parseHexadecimal(words[3])
    else { return nil }
    let queues = words[4].split(separator: 0x3A)
    guard queues.count == 2, let sendQueue = parseHexadecimal(queues[0]),
      let receiveQueue = parseHexadecimal(queues[1]),
      let userID = parseDecimal(words[7], atMost: Int(UInt32.max)),
      let inode = parseDecimal(words[9], atMost: Int(UInt32.max))
    else { return nil }
    self.state = state <= 0xFF ? TCPState(rawValue: UInt8(state)) : nil
    (localAddress, localPort) = local
    (remoteAddress, remotePort) = remote
    (self.sendQueue, self.receiveQueue) = (sendQueue, receiveQueue)
    (self.userID, self.inode) = (UInt32(userID), UInt32(inode))
  }

  /// An address in groups of four bytes, each a number of this machine's, and a port.
  private static func endpoint(_ text: some Collection<UInt8>) -> (IPAddress, UInt16)? {
    let parts = text.split(separator: 0x3A)
    guard parts.count == 2, parts[1].count == 4, let port = parseHexadecimal(parts[1]) else { return nil }
    guard parts[0].count == 8 || parts[0].count == 32 else { return nil }
    var bytes: [UInt8] = []
    var rest = parts[0][...]
    while !rest.isEmpty {
      guard let group = parseHexadecimal(rest.prefix(8)) else { return nil }
      unsafe withUnsafeBytes(of: group) { unsafe bytes.append(contentsOf: $0) }
      rest = rest.dropFirst(8)
    }
    return IPAddress(bytes).map { ($0, UInt16(port)) }
  }
}

/// Reads a number of one to eight hexadecimal digits; nil for anything else.
func parseHexadecimal(_ text: some Collection<UInt8>) -> UInt32? {
  guard (1...8).contains(text.count) else { return nil }
  var value: UInt32 = 0
  for byte in text {
    guard let digit = byte.hexDigitValue else { return nil }
    value = value << 4 | UInt32(digit)
  }
  return value
}
