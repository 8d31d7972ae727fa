// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Netlink
internal import Sys

/// A socket that takes connections.
struct Listener: Equatable {
  let address: IPAddress
  let port: UInt16
  /// Whether it takes IPv6 alone; nil where that is not known. IPv4 sockets: false.
  let isIPv6Only: Bool?
  /// Connections that wait to be accepted.
  let queued: UInt32
  /// How many may; nil where that is not known.
  let limit: UInt32?
  let userID: UInt32
  let inode: UInt32

  /// The families of clients that reach it.
  var families: Families {
    if !address.isIPv6 || address.isMappedIPv4 { return .ipv4 }
    return address.isAny && isIPv6Only == false ? [.ipv4, .ipv6] : .ipv6
  }

  /// Whether more connections wait than may: the kernel drops what comes now.
  var isFull: Bool { limit.map { queued > $0 } ?? false }

  /// Whether it is Docker's own name server, which every container on a network of its own has.
  var isDockerResolver: Bool { address == IPAddress("127.0.0.11") }
}

/// Families of addresses.
struct Families: OptionSet {
  let rawValue: UInt8
  static let ipv4 = Families(rawValue: 1)
  static let ipv6 = Families(rawValue: 2)

  var text: String {
    switch self {
    case [.ipv4, .ipv6]: "IPv4 and IPv6"
    case .ipv4: "IPv4 only"
    default: "IPv6 only"
    }
  }
}

/// All listening TCP sockets of a network namespace, and what it took to know them.
struct ListenerTable {
  /// The sockets, by port and address.
  private(set) var listeners: [Listener] = []
  /// Why the kernel was not asked; nil where it was.
  private(set) var netlinkFailure: String?
  /// The folder of the tables that were read, or would be.
  private(set) var tables = NetworkPlace.own.tables
  /// Why nothing can be known at all.
  private(set) var failure: String?
  /// Connections dropped since the start since a queue was full; nil where that is not known.
  private(set) var overflows: UInt64?

  /// A table of sockets; for tests.
  init(_ listeners: [Listener], overflows: UInt64? = nil) {
    self.listeners = listeners
    self.overflows = overflows
  }

  /// Asks the kernel, and where that is forbidden or not possible, reads the tables of `/proc`.
  init(in place: NetworkPlace) {
    overflows = (try? Files.read(place.tables + "/netstat")).flatMap { Counters($0)["TcpExt", "ListenOverflows"] }
    tables = place.tables
    if let refusal = place.refusal {
      netlinkFailure = refusal
      readTables(in: place)
    } else {
      askKernel(orReadTablesIn: place)
    }
    listeners.sort {
      ($0.port, $0.address.isIPv6 ? 1 : 0, $0.address.text) < ($1.port, $1.address.isIPv6 ? 1 : 0, $1.address.text)
    }
  }

  private mutating func askKernel(orReadTablesIn place: NetworkPlace) {
    do throws(NetlinkError) {
      var socket = try NetlinkSocket(.socketDiagnostics)
      var failures: [NetlinkError] = []
      for isIPv6 in [false, true] {
        do throws(NetlinkError) { try ask(&socket, isIPv6: isIPv6) } catch { failures.append(error) }
      }
      // A kernel without IPv6 has nothing to say of it.
      if failures.count == 2 { throw failures[0] }
    } catch {
      listeners = []
      netlinkFailure = SystemError(error.operation, errno: error.errno).text
      readTables(in: place)
    }
  }

  private mutating func ask(_ socket: inout NetlinkSocket, isIPv6: Bool) throws(NetlinkError) {
    // LISTEN alone: with more states the kernel would walk through every connection there is.
    let query = SocketQuery(.tcp, isIPv6: isIPv6, states: [.listen])
    var found: [Listener] = []
    try socket.sockets(query, restart: { found = [] }) { record in
      found.append(
        Listener(
          address: record.localAddress, port: record.localPort,
          isIPv6Only: isIPv6 ? record.isIPv6Only : false, queued: record.receiveQueue, limit: record.sendQueue,
          userID: record.userID, inode: record.inode))
    }
    listeners += found
  }

  private mutating func readTables(in place: NetworkPlace) {
    var isRead = false
    for name in ["/tcp", "/tcp6"] {
      let outcome: Void? = try? Files.forEachLine(of: place.tables + name) { line in
        guard let socket = ProcNetSocket(line: line), socket.state == .listen else { return }
        listeners.append(
          Listener(
            address: socket.localAddress, port: socket.localPort,
            isIPv6Only: socket.localAddress.isIPv6 ? nil : false, queued: socket.receiveQueue, limit: nil,
            userID: socket.userID, inode: socket.inode))
      }
      if outcome != nil { isRead = true }
    }
    if !isRead {
      failure = "the kernel does not tell its sockets (\(netlinkFailure ?? "")), and \(place.tables) cannot be read"
    }
  }
}

/// The kernel's counters as `/proc/self/net/netstat` and `snmp` have them: a line of names, a line of numbers.
struct Counters {
  private var values: [String: UInt64] = [:]

  init(_ table: [UInt8]) {
    var names: [ArraySlice<UInt8>] = []
    for line in table.split(separator: 0x0A) {
      let words = line.split(separator: 0x20)
      guard let group = words.first else { continue }
      if names.first == group, names.count == words.count, words.count > 1 {
        for (name, word) in zip(names.dropFirst(), words.dropFirst()) {
          guard let value = parseDecimal(word) else { continue }
          values[String(decoding: group + name, as: UTF8.self)] = UInt64(value)
        }
        names = []
      } else {
        names = words
      }
    }
  }

  subscript(group: String, name: String) -> UInt64? { values[group + ":" + name] }
}
