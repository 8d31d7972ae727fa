// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Netlink
internal import Sys

/// What is told of each socket, beside its addresses, state and queues.
struct SocketColumns {
  var processes = false
  var timers = false
  var extended = false
  var memory = false
  var info = false

  static let heading = "Netid  State       Recv-Q  Send-Q  Local Address:Port           Peer Address:Port\n"

  // Where the columns begin. What is longer pushes the rest of its line to the right.
  private static let state = 7
  private static let receiveQueue = 19
  private static let sendQueue = 27
  private static let local = 35
  private static let peer = 64
  private static let more = 92

  /// The kinds of timers by the kernel's numbers (`idiag_timer`).
  static let timers = ["off", "on", "keepalive", "timewait", "persist", "delack"]

  /// Appends a socket's line. What came from other processes is made safe to print.
  func append(
    _ socket: ListedSocket, owner: SocketOwner?, interfaces: inout InterfaceNames, to line: inout [UInt8]
  ) {
    let start = line.count
    append(endpoints: socket, interfaces: &interfaces, from: start, to: &line)
    if let owner {
      line.pad(to: Self.more, from: start)
      line += Self.text(of: owner).utf8
    }
    switch socket {
    case .internet(_, let record):
      if timers, record.timer != 0 {
        line.pad(to: Self.more, from: start)
        append(timer: record, to: &line)
      }
      if extended { append(userID: record.userID, record.inode, record.cookie, from: start, to: &line) }
      if memory, let memory = record.memory { append(memory, from: start, to: &line) }
      if info { append(info: record, from: start, to: &line) }
    case .unix(let record):
      if extended { append(userID: record.userID, record.inode, record.cookie, from: start, to: &line) }
      if memory, let memory = record.memory { append(memory, from: start, to: &line) }
    }
    line.append(0x0A)
  }

  private func append(
    endpoints socket: ListedSocket, interfaces: inout InterfaceNames, from start: Int, to line: inout [UInt8]
  ) {
    line += socket.kind.utf8
    line.pad(to: Self.state, from: start)
    line += (socket.state?.name ?? "UNKNOWN").utf8
    line.pad(to: Self.receiveQueue, from: start)
    switch socket {
    case .internet(_, let record):
      line.append(number: UInt64(record.receiveQueue))
      line.pad(to: Self.sendQueue, from: start)
      line.append(number: UInt64(record.sendQueue))
      line.pad(to: Self.local, from: start)
      let zone = interfaces.name(record.interface)
      Self.append(record.localAddress, record.localPort, zone: zone, to: &line)
      line.pad(to: Self.peer, from: start)
      Self.append(record.remoteAddress, record.remotePort, zone: nil, to: &line)
    case .unix(let record):
      if let number = record.receiveQueue { line.append(number: UInt64(number)) } else { line.append(0x2D) }
      line.pad(to: Self.sendQueue, from: start)
      if let number = record.sendQueue { line.append(number: UInt64(number)) } else { line.append(0x2D) }
      line.pad(to: Self.local, from: start)
      line += (record.name.isEmpty ? "*" : record.name.safeForDisplay).utf8
      line.append(0x20)
      line.append(number: UInt64(record.inode))
      line.pad(to: Self.peer, from: start)
      line += "* ".utf8
      line.append(number: UInt64(record.peerInode ?? 0))
    }
  }

  /// An address with its port; `*` for a port that is none.
  private static func append(_ address: IPAddress, _ port: UInt16, zone: String?, to line: inout [UInt8]) {
    if address.isIPv6 { line.append(0x5B) }
    address.appendText(to: &line)
    if address.isIPv6 { line.append(0x5D) }
    if let zone { line += ("%" + zone.safeForDisplay).utf8 }
    line.append(0x3A)
    if port == 0 { line.append(0x2A) } else { line.append(number: UInt64(port)) }
  }

  private static func text(of owner: SocketOwner) -> String {
    // Why it is unknown is told once, below.
    if case .unknown = owner { "process unknown" } else { owner.text }
  }

  private func append(timer record: SocketRecord, to line: inout [UInt8]) {
    line += "timer:(".utf8
    if Self.timers.indices.contains(Int(record.timer)) {
      line += Self.timers[Int(record.timer)].utf8
    } else {
      line.append(number: UInt64(record.timer))
    }
    line.append(0x2C)
    line.append(number: UInt64(record.timerExpiry))
    line += "ms,".utf8
    line.append(number: UInt64(record.retransmits))
    line.append(0x29)
  }

  private func append(
    userID: UInt32?, _ inode: UInt32, _ cookie: UInt64, from start: Int, to line: inout [UInt8]
  ) {
    line.pad(to: Self.more, from: start)
    if let userID {
      line += "uid:".utf8
      line.append(number: UInt64(userID))
      line.append(0x20)
    }
    line += "ino:".utf8
    line.append(number: UInt64(inode))
    guard cookie != 0 else { return }
    line += " sk:".utf8
    line.append(number: cookie, radix: 16)
  }

  private func append(_ memory: SocketMemory, from start: Int, to line: inout [UInt8]) {
    line.pad(to: Self.more, from: start)
    line += "skmem:(".utf8
    var isFirst = true
    for (name, value) in [
      ("r", memory.received), ("rb", memory.receiveBuffer), ("t", memory.sent), ("tb", memory.sendBuffer),
      ("f", memory.reserved), ("w", memory.queued), ("o", memory.options), ("bl", memory.backlog), ("d", memory.drops),
    ] {
      if !isFirst { line.append(0x2C) }
      isFirst = false
      line += name.utf8
      line.append(number: UInt64(value))
    }
    line.append(0x29)
  }

  /// The congestion control, and each field that is not 0 by the kernel's name.
  private func append(info record: SocketRecord, from start: Int, to line: inout [UInt8]) {
    line.pad(to: Self.more, from: start)
    if let name = record.congestionControl { line += name.safeForDisplay.utf8 }
    guard let info = record.info else { return }
    for field in TCPInfo.fields {
      guard let value = info.value(field), value != 0 else { continue }
      line.append(0x20)
      line += field.name.utf8
      line.append(0x3A)
      line.append(number: value)
    }
  }
}

extension ListedSocket {
  /// The transport, as tools of this field abbreviate it.
  var kind: String {
    switch self {
    case .internet(.tcp, _): return "tcp"
    case .internet(.udp, _): return "udp"
    case .unix(let record):
      return switch record.kind {
      case .stream: "u_str"
      case .datagram: "u_dgr"
      case .packets: "u_seq"
      case nil: "u_?"
      }
    }
  }
}

/// The names of interfaces, each asked for once.
struct InterfaceNames {
  private var names: [UInt32: String] = [:]

  /// The interface's name, or its number where that has none; nil for no interface.
  mutating func name(_ number: UInt32) -> String? {
    guard number != 0 else { return nil }
    if let name = names[number] { return name }
    let name = NetworkInterface.name(number) ?? String(number)
    names[number] = name
    return name
  }
}

extension [UInt8] {
  /// Adds spaces up to a column of the line that begins at `start`, at least one.
  fileprivate mutating func pad(to column: Int, from start: Int) {
    repeat { append(0x20) } while count - start < column
  }
}
