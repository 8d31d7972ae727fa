// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Netlink
internal import Sys

/// One attempt to connect to one address.
struct TCPAttempt {
  let address: SocketAddress
  let outcome: TCPOutcome
  /// Time until the outcome, in nanoseconds; for a connection, until it stood.
  let time: Int64
  /// How often the first packet was sent again.
  let retransmits: UInt32
  /// Whether the time was over before the connection had stood for as long as it has to.
  var isCutShort = false
}

/// Connects to addresses side by side and watches what comes of each.
struct TCPProbe {
  /// How long an attempt may take, in nanoseconds. A dead address on an own network shows after 3.1 seconds.
  let timeout: Int64
  /// How long a connection has to stay open to count as one, in nanoseconds. Docker's proxy accepts whatever it has
  /// behind it, and ends the connection when it finds nobody there. Nothing where bytes are exchanged afterwards, which
  /// tells the same sooner.
  var settlingTime: Int64 = 100_000_000

  /// An attempt on its way. A class, as a socket cannot be an array's element.
  private final class Attempt {
    var socket: StreamSocket
    let start: Instant
    var connected: Instant?

    init(_ socket: consuming StreamSocket, start: Instant) {
      self.socket = socket
      self.start = start
      if !self.socket.isConnecting { connected = .now }
    }
  }

  /// Connects to every address at once; the attempts come in the order of the addresses.
  func connect(to addresses: [SocketAddress], hopLimits: [UInt8?] = [nil]) -> [TCPAttempt] {
    var results: [TCPAttempt?] = []
    var running: [(index: Int, attempt: Attempt)] = []
    let deadline = Deadline(nanoseconds: timeout)
    for address in addresses {
      for hopLimit in hopLimits {
        let start = Instant.now
        do throws(SystemError) {
          let socket = try StreamSocket(connectingTo: address, keepsNetworkErrors: true, hopLimit: hopLimit)
          running.append((results.count, Attempt(socket, start: start)))
          results.append(nil)
        } catch {
          let time = Instant.now.nanoseconds(since: start)
          results.append(
            TCPAttempt(
              address: address, outcome: TCPOutcome(error, [], to: address, isSynchronous: true), time: time,
              retransmits: 0))
        }
      }
    }
    while !running.isEmpty {
      let settled = running.compactMap { $0.attempt.connected }.min().map {
        Deadline(nanoseconds: settlingTime, after: $0)
      }
      var poll = Poll()
      for entry in running {
        poll.add(entry.attempt.socket, for: entry.attempt.connected == nil ? .writable : .readable)
      }
      _ = try? poll.wait(until: settled.map { deadline.earlier($0) } ?? deadline)
      var rest: [(index: Int, attempt: Attempt)] = []
      for (position, entry) in running.enumerated() {
        if let result = look(at: entry.attempt, isReady: poll.isReady(position), isOver: deadline.hasPassed) {
          results[entry.index] = result
        } else {
          rest.append(entry)
        }
      }
      running = rest
    }
    let attempts = results.compactMap { $0 }
    // A packet that may not pass a router says nothing of who is behind it.
    return hopLimits == [nil] ? Self.explained(attempts) : attempts
  }

  /// The attempts, silence explained where the own network has looked for somebody with the address and found nobody.
  /// The kernel says so by itself after 3.1 seconds; its table of neighbours knows sooner.
  private static func explained(_ attempts: [TCPAttempt]) -> [TCPAttempt] {
    guard attempts.contains(where: { $0.outcome == .silence }), var socket = try? NetlinkSocket(.route) else {
      return attempts
    }
    var missing: Set<IPAddress> = []
    try? socket.neighbours { neighbour in
      if neighbour.state == .incomplete || neighbour.state == .failed { missing.insert(neighbour.address) }
    }
    return attempts.map { attempt in
      guard attempt.outcome == .silence, let address = attempt.address.ip?.0.unmapped, missing.contains(address) else {
        return attempt
      }
      return TCPAttempt(
        address: attempt.address, outcome: .hostDown(by: nil), time: attempt.time, retransmits: attempt.retransmits)
    }
  }

  /// What came of an attempt; nil while that is open.
  private func look(at attempt: Attempt, isReady: Bool, isOver: Bool) -> TCPAttempt? {
    guard let connected = attempt.connected else {
      if isReady {
        do throws(SystemError) { try attempt.socket.finishConnecting() } catch {
          return result(
            attempt,
            TCPOutcome(error, attempt.socket.networkErrors(), to: attempt.socket.address, isSynchronous: false),
            until: .now)
        }
        attempt.connected = .now
        return nil
      }
      return isOver ? result(attempt, .silence, until: .now) : nil
    }
    if isReady {
      var bytes: [UInt8] = []
      do throws(SystemError) {
        switch try attempt.socket.receive(into: &bytes, limit: 1_024) {
        case .bytes: return result(attempt, .open, until: connected)
        case .endOfFile: return result(attempt, .closedAtOnce(isReset: false), until: connected)
        case .wouldBlock: break
        }
      } catch { return result(attempt, .closedAtOnce(isReset: true), until: connected) }
    }
    // One that stands when the time is over has not had its moment: it counts as open all the same.
    let isSettled = Instant.now.nanoseconds(since: connected) >= settlingTime
    guard isSettled || isOver else { return nil }
    var open = result(attempt, .open, until: connected)
    open.isCutShort = !isSettled
    return open
  }

  private func result(_ attempt: Attempt, _ outcome: TCPOutcome, until end: Instant) -> TCPAttempt {
    let info = TCPInfo(attempt.socket.tcpInfo.span)
    return TCPAttempt(
      address: attempt.socket.address, outcome: outcome, time: end.nanoseconds(since: attempt.start),
      retransmits: info.totalRetransmits)
  }
}

/// One router on the way, or what stands at its end.
struct TCPHop {
  /// How many routers the packet might pass.
  let limit: UInt8
  /// Who sent the packet back; nil where nobody answered.
  let router: SocketAddress?
  /// What came of the attempt, where it was not sent back on the way.
  let end: TCPOutcome?
  /// Time until then, in nanoseconds.
  let time: Int64
}

extension TCPProbe {
  /// The way to an address, as the routers on it tell it. All distances are tried at once. No privilege is needed: each
  /// packet is the first one of a connection that may pass a few routers only.
  func trace(_ address: SocketAddress, longest: UInt8 = 30) -> [TCPHop] {
    let limits = (1...longest).map { Optional($0) }
    var hops: [TCPHop] = []
    for (limit, attempt) in zip(1...longest, connect(to: [address], hopLimits: limits)) {
      switch attempt.outcome {
      case .rejected(let error) where error.isHopLimitExceeded:
        hops.append(TCPHop(limit: limit, router: error.sender, end: nil, time: attempt.time))
      case .silence: hops.append(TCPHop(limit: limit, router: nil, end: nil, time: attempt.time))
      default:
        hops.append(TCPHop(limit: limit, router: nil, end: attempt.outcome, time: attempt.time))
        return hops
      }
    }
    // Beyond the last router that answered, there is nothing to show but one line.
    while hops.count > 1, let last = hops.last, last.router == nil, hops[hops.count - 2].router == nil {
      hops.removeLast()
    }
    return hops
  }
}
