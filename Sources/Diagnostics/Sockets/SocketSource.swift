// SPDX-License-Identifier: Apache-2.0

internal import Netlink
internal import Sys

/// One socket, as the kernel or a table of `/proc` tells it.
enum ListedSocket {
  case internet(SocketQuery.Transport, SocketRecord)
  case unix(UnixSocketRecord)

  var inode: UInt32 {
    switch self {
    case .internet(_, let record): record.inode
    case .unix(let record): record.inode
    }
  }

  var state: TCPState? {
    switch self {
    case .internet(_, let record): record.state
    case .unix(let record): record.state
    }
  }

  /// The user who made it; nil where that is not known.
  var userID: UInt32? {
    switch self {
    case .internet(_, let record): record.userID
    case .unix(let record): record.userID
    }
  }
}

/// Where sockets are told: by the kernel, or where that is forbidden or not possible, in the tables of `/proc`. Sockets
/// are handed on one by one as they come.
struct SocketSource {
  /// What is to be said of how the sockets became known.
  private(set) var remarks: [String] = []
  /// Whether any were read from tables, which tell less.
  private(set) var isFromTables = false
  /// Why some or all of the sockets cannot be known; nil where they can.
  private(set) var failure: String?

  private let selection: SocketSelection
  private let place: NetworkPlace

  /// A source of the sockets of a place.
  init(_ selection: SocketSelection, in place: NetworkPlace) {
    (self.selection, self.place) = (selection, place)
  }

  /// Calls the body with each socket.
  mutating func forEach(_ body: (ListedSocket) -> Void) {
    (remarks, isFromTables, failure) = ([], false, nil)
    guard place.refusal == nil else { return readTables(selection.transports, body) }
    do throws(NetlinkError) {
      var socket = try NetlinkSocket(.socketDiagnostics)
      if selection.transports.contains(.tcp) { ask(&socket, .tcp, body) }
      if selection.transports.contains(.udp) { ask(&socket, .udp, body) }
      if selection.transports.contains(.unix) { askUnix(&socket, body) }
    } catch {
      readTables(selection.transports, because: error, body)
    }
  }

  private mutating func ask(
    _ socket: inout NetlinkSocket, _ transport: SocketQuery.Transport, _ body: (ListedSocket) -> Void
  ) {
    let queries = selection.queries(transport)
    var failures: [NetlinkError] = []
    var count = 0
    for query in queries {
      do throws(NetlinkError) {
        try socket.sockets(query, attempts: 1) { record in
          count += 1
          body(.internet(transport, record))
        }
      } catch { failures.append(error) }
    }
    // A kernel without IPv6 has nothing to say of it.
    guard let error = failures.first, failures.count == queries.count || count > 0 else { return }
    if count == 0 {
      readTables(transport == .tcp ? .tcp : .udp, because: error, body)
    } else {
      noteIncomplete(error)
    }
  }

  private mutating func askUnix(_ socket: inout NetlinkSocket, _ body: (ListedSocket) -> Void) {
    var count = 0
    do throws(NetlinkError) {
      let query = UnixSocketQuery(states: selection.states(of: .unix), wantsMemory: selection.wantsMemory)
      try socket.sockets(query, attempts: 1) { record in
        count += 1
        body(.unix(record))
      }
    } catch {
      if count == 0 { readTables(.unix, because: error, body) } else { noteIncomplete(error) }
    }
  }

  private mutating func noteIncomplete(_ error: NetlinkError) {
    if error.isInterrupted {
      remarks.append("sockets were opened or closed while they were listed: some may be missing")
    } else {
      failure = "the kernel stopped to tell its sockets: \(SystemError(error.operation, errno: error.errno).text)"
    }
  }

  // MARK: - Tables

  private mutating func readTables(
    _ transports: SocketSelection.Transports, because error: NetlinkError? = nil, _ body: (ListedSocket) -> Void
  ) {
    isFromTables = true
    let reason = error.map { SystemError($0.operation, errno: $0.errno).text } ?? place.refusal ?? ""
    var missing: [String] = []
    for (transport, name) in [(SocketQuery.Transport.tcp, "tcp"), (.udp, "udp")] {
      guard transports.contains(transport == .tcp ? .tcp : .udp) else { continue }
      let queries = selection.queries(transport)
      let isRead = queries.map { read(name + ($0.isIPv6 ? "6" : ""), $0, body) }.contains(true)
      if !isRead, !queries.isEmpty { missing.append(name) }
    }
    if transports.contains(.unix), !readUnix(body) { missing.append("unix") }
    if missing.isEmpty {
      remarks.append(
        "the kernel does not tell its sockets (\(reason)): read from \(place.tables), without limits of queues, "
          + "timers, memory and tcp_info")
    } else {
      let tables = missing.map { place.tables + "/" + $0 }.joined(separator: ", ")
      failure = "the kernel does not tell its sockets (\(reason)), and \(tables) cannot be read"
    }
  }

  private func read(_ name: String, _ query: SocketQuery, _ body: (ListedSocket) -> Void) -> Bool {
    let path = place.tables + "/" + name
    let outcome: Void? = try? Files.forEachLine(of: path) { line in
      guard let record = ProcNetSocket(line: line).map({ SocketRecord($0) }), let state = record.state,
        query.states.contains(SocketStates(state)), query.condition?.matches(record) != false
      else { return }
      body(.internet(query.transport, record))
    }
    return outcome != nil
  }

  private func readUnix(_ body: (ListedSocket) -> Void) -> Bool {
    let states = selection.states(of: .unix)
    let outcome: Void? = try? Files.forEachLine(of: place.tables + "/unix") { line in
      guard let record = UnixSocketRecord(line: line), let state = record.state, states.contains(SocketStates(state))
      else { return }
      body(.unix(record))
    }
    return outcome != nil
  }
}
