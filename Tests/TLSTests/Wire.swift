// SPDX-License-Identifier: Apache-2.0

@testable import TLS

/// One end of a connection in memory, with everything that happened there.
final class End {
  private var session: TLSSession
  var facts: TLSPeerFacts?
  var failure: TLSFailure?
  var data: [UInt8] = []
  var closed = false
  /// Everything that this end sent, to look for what must not be there.
  var sent: [UInt8] = []

  init(_ context: TLSContext, resuming ticket: TLSResumptionTicket? = nil) throws {
    session = try TLSSession(context, resuming: ticket)
  }

  func collect() {
    while let event = session.nextEvent() {
      switch event {
      case .handshakeCompleted(let facts): self.facts = facts
      case .data(let bytes): data += bytes
      case .closed: closed = true
      case .failed(let failure): self.failure = failure
      }
    }
  }

  func takeOutput() -> [UInt8] {
    var bytes: [UInt8] = []
    session.drain(into: &bytes)
    sent += bytes
    return bytes
  }

  func receive(_ bytes: [UInt8], step: Int = .max) {
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + min(step, bytes.count))
      session.receive(bytes[start..<end].span)
      start = end
    }
    collect()
  }

  /// Sends, as far as the session lets it.
  @discardableResult func send(_ bytes: [UInt8]) -> Bool { session.send(bytes.span) }

  func close() { session.close() }

  var ticket: TLSResumptionTicket? { session.resumptionTicket() }

  func endOfFile() {
    session.receiveEndOfFile()
    collect()
  }
}

/// A client and a server joined without a socket.
final class Wire {
  var client: End
  var server: End
  /// How many bytes arrive at once.
  var step = Int.max

  init(client: TLSContext, server: TLSContext, resuming ticket: TLSResumptionTicket? = nil, step: Int = .max) throws {
    self.client = try End(client, resuming: ticket)
    self.server = try End(server)
    self.step = step
  }

  convenience init(_ client: TLSClientConfiguration, _ server: TLSServerConfiguration, step: Int = .max) throws {
    try self.init(client: TLSContext(client: client), server: TLSContext(server: server), step: step)
  }

  /// Carries bytes both ways until both are silent.
  func run() {
    client.collect()
    server.collect()
    while true {
      let up = client.takeOutput()
      server.receive(up, step: step)
      let down = server.takeOutput()
      client.receive(down, step: step)
      if up.isEmpty, down.isEmpty { return }
    }
  }
}
