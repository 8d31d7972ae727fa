// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Netlink
internal import Sys

// TCP: what comes of connecting, who listens where that can be seen, and the connections that are there already.
extension Doctor {
  /// How long an attempt may take, in nanoseconds: a dead address on an own network shows after 3.1 seconds.
  private static let attemptTime: Int64 = 4_000_000_000
  /// How long routers have to answer on the way of packets that are lost, in nanoseconds.
  private static let traceTime: Int64 = 1_000_000_000

  /// Connects to every address at once, as often as is wanted, and gives those that take connections.
  func connect(to addresses: [SocketAddress]) -> [SocketAddress] {
    guard !addresses.isEmpty else { return [] }
    var attempts: [[TCPAttempt]] = addresses.map { _ in [] }
    for _ in 0..<options.count where !deadline.hasPassed {
      var probe = TCPProbe(timeout: share(of: 2, atMost: Self.attemptTime))
      // Where more is expected than connections, what is said on them tells whether they are any good.
      if options.expectation > .tcp { probe.settlingTime = 0 }
      for (index, attempt) in probe.connect(to: addresses).enumerated() { attempts[index].append(attempt) }
    }
    let tried = attempts.indices.map { TCPReport.Address(address: addresses[$0], attempts: attempts[$0], hops: []) }
    let open = tried.filter { !$0.open.isEmpty }.map { $0.address }
    for one in tried { report(one, beside: open) }
    if let silent = tried.first(where: { $0.outcome == .silence }), open.isEmpty { examineLoss(to: silent.address) }
    return open
  }

  private func report(_ one: TCPReport.Address, beside open: [SocketAddress]) {
    guard let outcome = one.outcome else { return }
    let name = one.address.text
    if one.open.count == one.attempts.count {
      return add(.tcp, .ok, "\(name) \(one.summary)", at: name)
    }
    // Connections that come about now and then are as good as none for whom it hits.
    add(.tcp, markOfFailure(one.address, beside: open), outcome.code, "\(name) \(one.summary)", at: name)
  }

  /// How bad it is that an address takes no connections: where all of the other family do, clients go there.
  private func markOfFailure(_ address: SocketAddress, beside open: [SocketAddress]) -> Mark {
    let hasOther = open.contains { $0.isIPv6 != address.isIPv6 }
    return hasOther && !open.contains { $0.isIPv6 == address.isIPv6 } ? .note : .failure
  }

  /// Where packets are lost, as far as routers tell.
  private func examineLoss(to address: SocketAddress) {
    guard let ip = address.ip?.0.unmapped else { return }
    surroundings.hasNeighbour = hasNeighbour(ip)
    if surroundings.isOnLink == true {
      let state = surroundings.hasNeighbour ? "somebody has that address" : "nobody is known to have that address"
      return add(.route, .note, "\(ip.text) is on this link, where \(state)", at: address.text)
    }
    let hops = TCPProbe(timeout: share(of: 3, atMost: Self.traceTime)).trace(address, longest: 16)
    let routers = hops.compactMap { $0.router?.host }
    let way = routers.last.map { "the last router that answers is \($0)" } ?? "no router answers"
    add(.route, .note, "on the way to \(ip.text), \(way)", at: address.text)
  }

  // MARK: - Listeners

  /// Who listens on the port, where an address is this place's own: the kernel knows it, and no guess is needed.
  func examineListeners(of addresses: [SocketAddress]) {
    let own = addresses.filter { $0.ip.map { isOwn($0.0.unmapped) } ?? false }
    guard !own.isEmpty else { return }
    let table = ListenerTable(in: .own)
    if let failure = table.failure { return add(.port, .note, "UNDETERMINED", failure) }
    let listeners = table.listeners.filter { $0.port == endpoint.port }
    let owners = SocketOwners(of: Set(listeners.map { $0.inode }))
    for listener in listeners {
      let queue = listener.limit.map { ", queue \(listener.queued) of \($0)" } ?? ""
      let who = owners.owner(inode: listener.inode, userID: listener.userID).text
      let text = "\(listener.address.text(port: listener.port)) is listened on by \(who)\(queue)"
      add(.port, listener.isFull ? .failure : .ok, listener.isFull ? "ACCEPT_QUEUE_FULL" : "OK", text)
    }
    for address in own {
      guard let ip = address.ip?.0.unmapped, !listeners.contains(where: { $0.takes(ip) }) else { continue }
      // A rule of the firewall may lead the connection elsewhere: what came of it counts.
      guard let check = checks.first(where: { $0.layer == .tcp && $0.address == address.text }), check.mark != .ok
      else { continue }
      let finding = notListening(on: ip, listeners, table)
      add(.port, check.mark, finding.code, finding.text, at: address.text)
    }
  }

  private func notListening(on ip: IPAddress, _ listeners: [Listener], _ table: ListenerTable)
    -> (code: String, text: String)
  {
    let port = endpoint.port
    guard listeners.isEmpty else {
      let places = listeners.map { $0.address.text }.joined(separator: " and ")
      let isLocal = listeners.allSatisfy { $0.address.isLoopback } && !ip.isLoopback
      return (
        isLocal ? "LOCALHOST_ONLY" : "NOT_LISTENING",
        "port \(port) is listened on at \(places) alone, not at \(ip.text)"
      )
    }
    let near = ListenersReport.near(port, table.listeners).map { "\($0.port)" }
    let hint = near.isEmpty ? "" : "; ports that are: \(near.prefix(5).joined(separator: ", "))"
    return ("NOT_LISTENING", "port \(port) is not listened on in this network namespace\(hint)")
  }

  // MARK: - Sidecars

  /// How often a connection is looked for that was taken over: whoever took it may have ended it already.
  private static let looks = 3

  /// Whether a rule of this network namespace leads connections to an address elsewhere: to a socket of the same
  /// namespace whose peer is our own end. A service mesh does so for its proxy.
  func examineRedirection(of address: SocketAddress) {
    guard let ip = address.ip?.0.unmapped, !isOwn(ip) else { return }
    for _ in 0..<Self.looks where !deadline.hasPassed {
      guard let port = takingPort(address) else { continue }
      let listeners = ListenerTable(in: .own).listeners.filter { $0.port == port }
      let owners = SocketOwners(of: Set(listeners.map { $0.inode }))
      let who = listeners.first.map { owners.owner(inode: $0.inode, userID: $0.userID).text }
      let taker = "\(who ?? "a process that is not seen") on port \(port)"
      surroundings.sidecar = taker
      return add(
        .route, .note, "MESH_SIDECAR", "connections to \(address.text) are taken over here by \(taker)",
        at: address.text)
    }
  }

  /// The port of this network namespace that has taken a connection to an address; nil where none has.
  private func takingPort(_ address: SocketAddress) -> UInt16? {
    // All is ready before: what is redirected within a machine stands before connect(2) returns.
    guard var netlink = try? NetlinkSocket(.socketDiagnostics),
      let socket = try? StreamSocket(connectingTo: address), let (own, _) = socket.localAddress?.ip,
      let ownPort = socket.localAddress?.port
    else { return nil }
    var port: UInt16?
    // A port may be shared by sockets of several connections: whose the other end is cannot be told then.
    var isShared = false
    let ports = [SocketEnd.source, .destination].map { SocketCondition.port($0, .equal, ownPort) }
    for isIPv6 in [false, true] {
      let states: SocketStates = [.established, .synReceived, .synSent, .closeWait]
      try? netlink.sockets(SocketQuery(.tcp, isIPv6: isIPv6, states: states, condition: .any(ports))) { record in
        if record.localPort == ownPort, record.localAddress.unmapped == own.unmapped {
          if record.remotePort != endpoint.port || record.remoteAddress.unmapped != address.ip?.0.unmapped {
            isShared = true
          }
        } else if record.remotePort == ownPort, record.remoteAddress.unmapped == own.unmapped {
          port = record.localPort
        }
      }
    }
    return isShared ? nil : port
  }

  // MARK: - Connections

  /// The connections with the target that this network namespace has beside ours.
  func examineConnections(to addresses: [SocketAddress]) {
    let remote = Set(addresses.compactMap { $0.ip?.0.unmapped })
    let own = remote.filter { isOwn($0) }
    var tally = ConnectionTally()
    do throws(NetlinkError) {
      var socket = try NetlinkSocket(.socketDiagnostics)
      let states = SocketStates.all.subtracting([.listen, .timeWait, .closed, .boundInactive])
      let ports = [SocketEnd.source, .destination].map { SocketCondition.port($0, .equal, endpoint.port) }
      for isIPv6 in [false, true] {
        let query = SocketQuery(.tcp, isIPv6: isIPv6, states: states, extensions: .info, condition: .any(ports))
        let before = tally
        try socket.sockets(query, restart: { tally = before }) { record in
          if record.remotePort == endpoint.port, remote.contains(record.remoteAddress.unmapped) {
            tally.add(record)
          } else if record.localPort == endpoint.port, own.contains(record.localAddress.unmapped) {
            tally.add(incoming: record)
          }
        }
      }
    } catch { return add(.connections, .note, "UNDETERMINED", "the kernel does not tell connections: \(error.text)") }
    for text in tally.texts { add(.connections, .note, text) }
  }
}

/// Counts of connections with a target.
struct ConnectionTally {
  private var (established, closeWait, retransmitting, opening): (Int, Int, Int, Int) = (0, 0, 0, 0)
  private var longestSilence: UInt32 = 0
  private var incoming: [IPAddress: Int] = [:]
  private var incomingCloseWait = 0

  /// Counts a connection from here.
  mutating func add(_ record: SocketRecord) {
    switch record.state {
    case .established?:
      established += 1
      longestSilence = max(longestSilence, record.info?.lastDataReceived ?? 0)
      // The kernel's number of the timer: retransmission.
      if record.timer == 1, record.retransmits > 0 { retransmitting += 1 }
    case .closeWait?: closeWait += 1
    case .synSent?: opening += 1
    default: break
    }
  }

  /// Counts a connection to here.
  mutating func add(incoming record: SocketRecord) {
    switch record.state {
    case .established?: incoming[record.remoteAddress.unmapped, default: 0] += 1
    case .closeWait?: incomingCloseWait += 1
    default: break
    }
  }

  /// What there is to say: nothing where nobody is connected.
  var texts: [String] {
    var texts: [String] = []
    if established + closeWait + opening + retransmitting > 0 {
      var words = ["\(established) established from here"]
      if longestSilence >= 1_000 { words.append("the quietest has heard nothing for \(longestSilence / 1_000) s") }
      if opening > 0 { words.append("\(opening) still being opened") }
      if retransmitting > 0 { words.append("\(retransmitting) sending again what nobody acknowledges") }
      if closeWait > 0 { words.append("\(closeWait) in CLOSE-WAIT: the server has ended them, a program here has not") }
      texts.append(words.joined(separator: ", "))
    }
    let total = incoming.values.reduce(0, +)
    if total + incomingCloseWait > 0 {
      var words = [
        "\(total) established to here, from \(incoming.count) \(incoming.count == 1 ? "address" : "addresses")"
      ]
      if incomingCloseWait > 0 {
        words.append("\(incomingCloseWait) in CLOSE-WAIT: clients have ended them, the server has not")
      }
      texts.append(words.joined(separator: ", "))
    }
    return texts
  }
}

extension Listener {
  /// Whether connections to one of this place's own addresses reach it.
  func takes(_ ip: IPAddress) -> Bool {
    if address == ip { return true }
    guard address.isAny else { return address.unmapped == ip }
    return families.contains(ip.isIPv6 ? .ipv6 : .ipv4)
  }
}
