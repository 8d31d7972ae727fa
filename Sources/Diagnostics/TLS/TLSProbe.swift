// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import HTTP2
internal import Sys
internal import TLS

/// What a TLS server showed of itself.
struct TLSFindings {
  /// The address that was connected to.
  let peer: String
  let facts: TLSPeerFacts
  /// All that is wrong with the chain by the roots that were given, first cause first.
  let faults: [CertificateFault]
  /// What came after the handshake that a client would stumble over: a client certificate that is missing shows there.
  let aftermath: Fault?
  /// Whether a second connection could go on with the first one's session; nil where it was not tried.
  let isResumable: Bool?
  /// Time of the handshake, in nanoseconds.
  let handshakeTime: Int64
}

/// Shakes hands with a server without a claim on its certificate, and looks at what it showed afterwards.
struct TLSProbe {
  let endpoint: Endpoint
  /// The client's side: its roots, its identity, the name that it asks for.
  let configuration: TLSClientConfiguration
  let waiter: Waiter
  let deadline: Deadline

  /// How long to wait for what a server says after the handshake, in nanoseconds. A TLS 1.3 server that misses a
  /// client certificate says so within a round trip.
  static let aftermathTime: Int64 = 300_000_000

  /// Shakes hands twice: the second time to see whether the session can be resumed.
  func run() throws(Fault) -> TLSFindings {
    var lenient = configuration
    // Every fault is to be found, and not the first one alone.
    lenient.verification = .none
    lenient.requestsOCSPStaple = true
    let context: TLSContext
    do throws(TLSConfigurationError) { context = try TLSContext(client: lenient) } catch {
      throw Fault(.systemFailure, "TLS", detail: "the context could not be made")
    }
    let stream = try connect()
    let start = Instant.now
    let facts: TLSPeerFacts
    do throws(Fault) { facts = try stream.startTLS(context, until: deadline) } catch {
      stream.close(until: Deadline(nanoseconds: 50_000_000))
      throw error
    }
    let time = Instant.now.nanoseconds(since: start)
    let aftermath = try aftermath(stream, facts)
    let ticket = stream.resumptionTicket()
    // Before the second connection: some servers serve one at a time.
    stream.close(until: Deadline(nanoseconds: 50_000_000))
    var isResumable: Bool?
    if aftermath == nil { isResumable = ticket.map { isResumed(context, $0) } ?? false }
    return TLSFindings(
      peer: stream.name, facts: facts, faults: context.faults(of: facts.certificates), aftermath: aftermath,
      isResumable: isResumable, handshakeTime: time)
  }

  private func connect() throws(Fault) -> ByteStream {
    let connector = Connector(waiter: waiter)
    let addresses = try connector.resolve(endpoint.host, port: endpoint.port, until: deadline)
    return ByteStream(try connector.connect(to: addresses, until: deadline), waiter: waiter)
  }

  /// Says hello in the protocol that was agreed on, and listens for a moment. Session tickets come meanwhile, too.
  /// Throws where a signal ends it.
  private func aftermath(_ stream: ByteStream, _ facts: TLSPeerFacts) throws(Fault) -> Fault? {
    let limit = Deadline(nanoseconds: Self.aftermathTime).earlier(deadline)
    do throws(Fault) {
      if facts.alpn == "h2" {
        var session = try Self.hello()
        var bytes: [UInt8] = []
        session.drain(into: &bytes)
        try stream.send(bytes)
      }
      while try stream.waitUntilReadable(limit) {
        switch try stream.receive() {
        case .bytes: return nil
        case .nothing: continue
        case .endOfStream: return nil
        }
      }
      return nil
    } catch {
      if error.code == .cancelled { throw error }
      return error
    }
  }

  private static func hello() throws(Fault) -> HTTP2Session {
    do throws(HTTP2Error) { return try HTTP2Session(role: .client, limits: .client) } catch {
      throw Fault(.systemFailure, "HTTP/2", detail: error.message)
    }
  }

  private func isResumed(_ context: TLSContext, _ ticket: TLSResumptionTicket) -> Bool {
    guard let stream = try? connect() else { return false }
    defer { stream.close(until: Deadline(nanoseconds: 50_000_000)) }
    return (try? stream.startTLS(context, resuming: ticket, until: deadline).isResumed) ?? false
  }
}
