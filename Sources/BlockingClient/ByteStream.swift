// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Fault
package import Sys
package import TLS

/// What came of reading from a ``ByteStream``.
package enum StreamRead: Equatable {
  /// Bytes of the application.
  case bytes([UInt8])
  /// Nothing for the application yet.
  case nothing
  /// The peer has ended its side.
  case endOfStream
}

/// A connected socket, in the clear or under TLS: bytes of the application on one side, poll(2) on the other.
package final class ByteStream {
  private var socket: StreamSocket
  private let waiter: Waiter
  private var tls: TLSSession?
  /// Bytes for the socket that the kernel has not taken yet.
  private var outgoing: [UInt8] = []
  /// Bytes of the application that came along with something else and were not taken yet.
  private var incoming: [UInt8] = []

  /// The address at the other end.
  package let address: SocketAddress
  /// The address at the other end, for messages.
  package let name: String

  package init(_ socket: consuming StreamSocket, waiter: Waiter) {
    address = socket.address
    name = address.text
    self.socket = consume socket
    self.waiter = waiter
  }

  /// What the kernel knows of the connection; see ``Sys/StreamSocket/tcpInfo``.
  var tcpInfo: [UInt8] { socket.tcpInfo }

  // MARK: - TLS

  /// Shakes hands over TLS; from then on all bytes are encrypted. `early` is what the peer has said already.
  package func startTLS(
    _ context: TLSContext, resuming ticket: TLSResumptionTicket? = nil, early: [UInt8] = [], until deadline: Deadline
  ) throws(Fault) -> TLSPeerFacts {
    do throws(TLSConfigurationError) { tls = try TLSSession(context, resuming: ticket) } catch {
      throw Fault(.systemFailure, "TLS", detail: "the session could not be made")
    }
    if !early.isEmpty { tls?.receive(early.span) }
    while true {
      let facts = try takeTLSEvents()
      try sendTLSOutput()
      if let facts { return facts }
      guard !deadline.hasPassed, try waitUntilReadable(deadline) else { throw Fault(.tlsTimeout, name) }
      _ = try receiveFromSocket()
    }
  }

  /// Handles what the session has to say; the facts, where the handshake has just ended.
  private func takeTLSEvents() throws(Fault) -> TLSPeerFacts? {
    var facts: TLSPeerFacts?
    while let event = tls?.nextEvent() {
      switch event {
      case .handshakeCompleted(let found): facts = found
      case .data(let bytes): if incoming.isEmpty { incoming = bytes } else { incoming += bytes }
      case .closed: hasEnded = true
      case .failed(let failure):
        // The alert goes out first: it is how the peer learns why.
        try? sendTLSOutput()
        throw Fault(failure, at: name)
      }
    }
    return facts
  }

  private func sendTLSOutput() throws(Fault) {
    tls?.drain(into: &outgoing)
    if !outgoing.isEmpty { try flush() }
  }

  /// What a later connection needs to go on with this session; nil where the server gave nothing, or has not yet.
  package func resumptionTicket() -> TLSResumptionTicket? { tls?.resumptionTicket() }

  // MARK: - Bytes

  private var hasEnded = false

  /// Hands bytes to the socket; what it does not take now goes out while waiting.
  package func send(_ bytes: [UInt8]) throws(Fault) {
    if tls != nil {
      tls?.send(bytes.span)
      return try sendTLSOutput()
    }
    if outgoing.isEmpty { outgoing = bytes } else { outgoing += bytes }
    try flush()
  }

  /// Waits until there is something to read, sending meanwhile what is due; false where the deadline came first.
  package func waitUntilReadable(_ deadline: Deadline) throws(Fault) -> Bool {
    if !incoming.isEmpty || hasEnded { return true }
    while !outgoing.isEmpty {
      guard try waiter.wait(for: socket, [.readable, .writable], until: deadline) else { return false }
      let before = outgoing.count
      try flush()
      if outgoing.count == before { return true }
    }
    return try waiter.wait(for: socket, .readable, until: deadline)
  }

  /// Adds the socket to a poll: for what the peer says, and for room where something is still to be sent.
  func add(to poll: inout Poll) { poll.add(socket, for: outgoing.isEmpty ? .readable : [.readable, .writable]) }

  /// Whether there is something to read that no poll tells of.
  var hasReceived: Bool { !incoming.isEmpty || hasEnded }

  /// Sends what is still to be sent, as far as the kernel takes it.
  func sendRest() throws(Fault) { if !outgoing.isEmpty { try flush() } }

  /// Reads what is there.
  package func receive() throws(Fault) -> StreamRead {
    if incoming.isEmpty, !hasEnded {
      let read = try receiveFromSocket()
      if tls == nil { return read }
      _ = try takeTLSEvents()
      try sendTLSOutput()
    }
    if !incoming.isEmpty {
      let bytes = incoming
      incoming = []
      return .bytes(bytes)
    }
    return hasEnded ? .endOfStream : .nothing
  }

  /// Reads from the socket; under TLS, into the session.
  private func receiveFromSocket() throws(Fault) -> StreamRead {
    var bytes: [UInt8] = []
    do throws(SystemError) {
      switch try socket.receive(into: &bytes) {
      case .bytes:
        if tls == nil { return .bytes(bytes) }
        tls?.receive(bytes.span)
        return .nothing
      case .wouldBlock: return .nothing
      case .endOfFile:
        if tls == nil { hasEnded = true } else { tls?.receiveEndOfFile() }
        return .endOfStream
      }
    } catch {
      let isHandshaking = tls != nil && tls?.negotiated == nil
      throw Fault(isHandshaking ? .tlsClosed : .connectionLost, name, detail: error.text)
    }
  }

  /// Ends our side, and reads what the peer still says until it ends its own or the deadline comes: a socket that is
  /// closed with bytes unread, or before the peer's last ones arrive, answers with a reset that servers log as an
  /// error.
  package func close(until deadline: Deadline) {
    do throws(Fault) {
      tls?.close()
      try sendTLSOutput()
      while !outgoing.isEmpty {
        guard try waiter.wait(for: socket, .writable, until: deadline) else { return }
        try flush()
      }
      socket.shutdownWriting()
      var bytes: [UInt8] = []
      while !deadline.hasPassed {
        guard try waiter.wait(for: socket, .readable, until: deadline) else { return }
        bytes.removeAll(keepingCapacity: true)
        guard case .bytes? = try? socket.receive(into: &bytes) else { return }
      }
    } catch {
      // The connection is broken, or a signal came: there is nobody left to be polite to.
    }
  }

  private func flush() throws(Fault) {
    do throws(SystemError) {
      var sent = 0
      while sent < outgoing.count {
        let count = try socket.send(outgoing.span.extracting(sent..<outgoing.count))
        if count == 0 { break }
        sent += count
      }
      if sent == outgoing.count { outgoing = [] } else { outgoing.removeFirst(sent) }
    } catch { throw Fault(.connectionLost, name, detail: error.text) }
  }
}
