// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import GRPC
internal import Health
internal import Netlink
internal import Sys

/// How many connections of this network namespace each address of a target has.
struct PeerCounts {
  /// The addresses that have any, and how many.
  private(set) var peers: [(address: String, count: Int)] = []
  /// Why nobody could be asked; nil where somebody could.
  private(set) var failure: String?

  /// Counts that were found elsewhere; for tests.
  init(peers: [(address: String, count: Int)]) { self.peers = peers }

  /// Asks the kernel for connections to a port of some addresses.
  init(to addresses: [SocketAddress], port: UInt16) {
    var counts = addresses.map { (address: $0, count: 0) }
    do throws(NetlinkError) {
      var socket = try NetlinkSocket(.socketDiagnostics)
      for isIPv6 in [false, true] {
        let before = counts
        let query = SocketQuery(
          .tcp, isIPv6: isIPv6, states: [.established], condition: .port(.destination, .equal, port))
        try socket.sockets(query, restart: { counts = before }) { record in
          let peer = record.remoteAddress.unmapped
          if let index = counts.firstIndex(where: { $0.address.ip?.0.unmapped == peer }) { counts[index].count += 1 }
        }
      }
    } catch {
      failure = error.text
      return
    }
    peers = counts.filter { $0.count > 0 }.map { ($0.address.text, $0.count) }
  }

  /// How many there are in all.
  var total: Int { peers.reduce(0) { $0 + $1.count } }
}

/// Who answered some calls.
struct ServedBy: Equatable {
  /// How many calls were made.
  private(set) var made = 0
  /// How many of them had an answer.
  private(set) var answered = 0
  /// How many of the answers each server gave that names itself; no more names than ``maxNames``.
  private(set) var counts: [String: Int] = [:]
  /// Why a call had none, the last one that had none.
  private(set) var fault: Fault?

  /// A server may give every answer a name of its own.
  static let maxNames = 256
  /// The longest name that is kept, in bytes.
  private static let maxName = 200

  /// Notes a call that was answered, by whom.
  mutating func note(answerOf name: String?) {
    made += 1
    answered += 1
    guard let name = name?.shortened(toUTF8Count: Self.maxName) else { return }
    guard counts[name] != nil || counts.count < Self.maxNames else { return }
    counts[name, default: 0] += 1
  }

  /// Notes a call that was not.
  mutating func note(_ fault: Fault) {
    made += 1
    self.fault = fault
  }

  /// The names, the most frequent first.
  var names: [(name: String, count: Int)] {
    counts.map { (name: $0.key, count: $0.value) }.sorted { a, b in
      a.count == b.count ? a.name < b.name : a.count > b.count
    }
  }
}

/// Makes calls on one connection and on many, and notes who answers.
struct BalanceProbe {
  /// What was found.
  struct Findings: Equatable {
    /// The metadata that told who answered.
    var header: String
    /// Calls on one connection.
    var oneConnection = ServedBy()
    /// Calls on a connection each.
    var manyConnections = ServedBy()
  }

  let endpoint: Endpoint
  let addresses: [SocketAddress]
  let tls: TLSOptions?
  let header: String
  let waiter: Waiter
  let deadline: Deadline

  /// Makes so many calls either way, or as many as there is time for.
  func run(_ count: Int) -> Findings {
    var findings = Findings(header: header)
    // Each half has half of the time.
    let half = Deadline(nanoseconds: deadline.remaining / 2)
    call(count, perConnection: count, until: half, &findings.oneConnection)
    call(count, perConnection: 1, until: deadline, &findings.manyConnections)
    return findings
  }

  private func call(_ count: Int, perConnection: Int, until deadline: Deadline, _ served: inout ServedBy) {
    var connections = 0
    while served.made < count, !deadline.hasPassed, waiter.termination == nil {
      // In turn, as clients do that look the name up for each connection.
      let address = addresses[connections % addresses.count]
      connections += 1
      do throws(Fault) {
        let connection = try connect(to: address, until: deadline)
        defer { connection.close() }
        let end = served.made + min(perConnection, count - served.made)
        while served.made < end, !deadline.hasPassed {
          served.note(answerOf: try call(on: connection, until: deadline))
        }
      } catch {
        served.note(error)
        // One connection is one: what follows would be another.
        if perConnection > 1 { return }
      }
    }
  }

  private func connect(to address: SocketAddress, until deadline: Deadline) throws(Fault) -> Connection {
    guard let target = try? Target(address.text) else { throw Fault(.badTarget, address.text) }
    var options = DialOptions(target: target)
    options.tls = tls
    return try Dialer(options, waiter: waiter).attempt(until: deadline)
  }

  /// Asks for the server's health, whatever it is, and gives who answered. Any status is an answer: the metadata comes
  /// with it.
  private func call(on connection: Connection, until deadline: Deadline) throws(Fault) -> String? {
    let request = ClientRequest(
      path: HealthMethod.check, authority: endpoint.address, isSecure: tls != nil, userAgent: "sonde/" + sondeVersion,
      timeout: deadline.remaining)
    let call = try connection.start(request, kind: .unary)
    try call.send(HealthCheckRequest(service: "").encoded, isLast: true, until: deadline)
    var name: String?
    while let event = try call.nextEvent(until: deadline) {
      switch event {
      case .headers(let metadata): name = metadata.first(header)
      case .message: break
      case .ended(let end):
        guard end.status.origin == .peer else {
          throw connection.failure ?? Fault(.connectionLost, connection.peerName)
        }
        return name ?? end.trailers.first(header)
      }
    }
    return name
  }
}
