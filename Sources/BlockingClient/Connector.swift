// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Fault
package import Sys

/// Opens a TCP or Unix connection: names become addresses, addresses are tried as RFC 8305 ("Happy Eyeballs") has it,
/// and every address that failed is named.
///
/// ```
///                  ┌──────────── next address: after a failure at once, otherwise after 250 ms ───────────┐
///                  ▼                                                                                      │
/// addresses ──► connecting ──► connected: the first wins, the others are closed                           │
///                  └─────────► failed ────────────────────────────────────────────────────────────────────┘
/// ```
package struct Connector {
  /// How long an address may stay silent before the next one is tried beside it (RFC 8305 section 5).
  static let attemptDelay: Int64 = 250_000_000
  /// How many addresses of a name are tried: more than any sensible name has, fewer than would hold up a deadline.
  static let maxAddresses = 16

  let waiter: Waiter

  /// A connector whose waits end with the waiter's.
  package init(waiter: Waiter) { self.waiter = waiter }

  /// Addresses of a host, in the order in which they are tried.
  package func resolve(_ host: String, port: UInt16, until deadline: Deadline) throws(Fault) -> [SocketAddress] {
    if let known = Resolver.immediate(host: host, port: port) { return known }
    let resolver = try systemCall(for: "the look-up of \(host)") { () throws(SystemError) in
      try Resolver(host: host, port: port)
    }
    var poll = waiter.makePoll()
    resolver.add(to: &poll)
    guard try waiter.wait(&poll, until: deadline) else { throw Fault(.resolveTimeout, host) }
    return Array(Self.interleaved(try finish(resolver, host)).prefix(Self.maxAddresses))
  }

  /// Connects to the first of some addresses that accepts.
  package func connect(to addresses: [SocketAddress], until deadline: Deadline) throws(Fault) -> StreamSocket {
    var attempts = Attempts()
    var failures: [Fault] = []
    var next = 0
    var nextStart = Instant.now
    while true {
      // Start what is due. A refusal at once, as on loopback, moves on to the next address in the same breath.
      while next < addresses.count, attempts.isEmpty || Instant.now >= nextStart {
        let address = addresses[next]
        next += 1
        nextStart = Deadline(nanoseconds: Self.attemptDelay).instant
        do throws(SystemError) {
          let socket = try StreamSocket(connectingTo: address)
          if !socket.isConnecting { return socket }
          attempts.add(socket)
        } catch { failures.append(Fault(error, to: address.text)) }
      }
      if attempts.isEmpty { throw Self.combined(failures) }
      var poll = waiter.makePoll()
      attempts.add(to: &poll)
      let wake = next < addresses.count ? deadline.earlier(Deadline(instant: nextStart)) : deadline
      let isReady = try waiter.wait(&poll, until: wake)
      if isReady {
        let failed = failures.count
        if let socket = attempts.takeConnected(poll, failures: &failures) { return socket }
        if failures.count > failed { nextStart = .now }
      } else if deadline.hasPassed {
        throw Fault(.connectTimeout, attempts.names, detail: failures.map { $0.summary }.joined(separator: ", "))
      }
    }
  }

  private func finish(_ resolver: borrowing Resolver, _ host: String) throws(Fault) -> [SocketAddress] {
    do throws(ResolveError) { return try resolver.finish() } catch {
      let code: FaultCode =
        switch error.code {
        case .notFound: .nameNotFound
        case .noAddress: .nameHasNoAddress
        case .temporary, .failed: .resolverFailed
        }
      throw Fault(code, host, detail: code == .resolverFailed ? error.text : "")
    }
  }

  /// The families in turn, beginning with the one that the system prefers (RFC 8305 section 4).
  static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
    addresses.interleaved { $0.isIPv6 }
  }

  /// One fault for several addresses: the last one's code unless an earlier one says more, and the name of each.
  static func combined(_ failures: [Fault]) -> Fault {
    guard let last = failures.last else { return Fault(.nameHasNoAddress, "") }
    // An address family that this machine lacks says nothing about the server.
    let telling = failures.filter { $0.code != .noRoute }
    guard let main = telling.last else { return last }
    let alike = telling.filter { $0.code == main.code }
    let different = failures.filter { $0.code != main.code }
    let subjects = alike.map { $0.subject }.joined(separator: " and ")
    let others = different.map { $0.summary }.joined(separator: ", ")
    return Fault(main.code, subjects, detail: others.isEmpty ? main.detail : others)
  }
}

/// The connections that are being opened side by side.
private struct Attempts: ~Copyable {
  private var sockets: [Slot] = []

  var isEmpty: Bool { sockets.isEmpty }
  var names: String { sockets.map { $0.name }.joined(separator: " and ") }

  mutating func add(_ socket: consuming StreamSocket) { sockets.append(Slot(socket)) }

  func add(to poll: inout Poll) {
    for slot in sockets { slot.add(to: &poll) }
  }

  /// The first socket that is connected; those that failed are dropped and told of.
  mutating func takeConnected(_ poll: Poll, failures: inout [Fault]) -> StreamSocket? {
    var rest: [Slot] = []
    var winner: Slot?
    for (index, slot) in sockets.enumerated() {
      // The poll's first entry is the signals.
      guard winner == nil, poll.isReady(index + 1) else {
        rest.append(slot)
        continue
      }
      if let fault = slot.finish() { failures.append(fault) } else { winner = slot }
    }
    sockets = rest
    return winner?.take()
  }
}

/// A place for a socket in an array: arrays hold no values that cannot be copied.
private final class Slot {
  private var socket: StreamSocket?
  let name: String

  init(_ socket: consuming StreamSocket) {
    name = socket.address.text
    self.socket = consume socket
  }

  func add(to poll: inout Poll) {
    // Never empty here: a slot that was taken leaves the array.
    switch socket {
    case .some(let socket): poll.add(socket, for: .writable)
    case .none: break
    }
  }

  func finish() -> Fault? {
    do throws(SystemError) {
      try socket?.finishConnecting()
      return nil
    } catch { return Fault(error, to: name) }
  }

  func take() -> StreamSocket? { socket.take() }
}
