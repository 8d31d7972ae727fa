// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import HTTP2
internal import Sys
internal import TLS

/// Speaks HTTP/2 with a server from the preface to the end, makes no request, and notes what the server does.
struct HTTP2Probe {
  /// TLS; nil for plaintext.
  var tls: TLSOptions?
  /// How many PINGs are sent, one after another.
  var pings = 3
  /// How long the connection is left idle afterwards, in nanoseconds.
  var idle: Int64 = 0
  let waiter: Waiter

  /// Connects to the first of some addresses that accepts, and looks.
  ///
  /// A server that does not speak HTTP/2 in the clear is asked on a second connection whether it speaks TLS. The
  /// deadline holds for everything but the idle time.
  func run(_ addresses: [SocketAddress], until deadline: Deadline) throws(Fault) -> HTTP2Findings {
    let patience = deadline.remaining - (tls == nil ? min(SecondLook.time, deadline.remaining / 4) : 0)
    do throws(Fault) {
      var timings = Timings()
      let start = Instant.now
      let stream = try connect(addresses, until: deadline)
      timings.connect = Instant.now.nanoseconds(since: start)
      let limit = Deadline(nanoseconds: patience, after: start)
      return try run(on: stream, timings, settingsUntil: limit, until: deadline)
    } catch {
      guard tls == nil else { throw error }
      switch error.code {
      // nginx answers a preface on its port for TLS with HTTP/1.1, most others with silence or their end.
      case .noSettings, .closedBeforeSettings, .serverSpeaksHTTP1, .serverNotHTTP2:
        throw secondLook(addresses, after: error, until: deadline)
      default: throw error
      }
    }
  }

  private func connect(_ addresses: [SocketAddress], until deadline: Deadline) throws(Fault) -> ByteStream {
    ByteStream(try Connector(waiter: waiter).connect(to: addresses, until: deadline), waiter: waiter)
  }

  private func run(
    on stream: ByteStream, _ timings: Timings, settingsUntil limit: Deadline, until deadline: Deadline
  ) throws(Fault) -> HTTP2Findings {
    var timings = timings
    var facts: TLSPeerFacts?
    if let tls {
      let start = Instant.now
      do throws(Fault) { facts = try stream.startTLS(tls, until: deadline) } catch {
        stream.close(until: Deadline(nanoseconds: 0))
        throw error
      }
      timings.tls = Instant.now.nanoseconds(since: start)
    }
    let look = try HTTP2Look(stream, HTTP2Findings(peer: stream.name, security: facts, timings: timings))
    defer { look.close() }
    try look.handshake(until: limit)
    try look.ping(pings, until: deadline)
    try look.stayIdle(idle)
    return look.findings
  }

  /// The fault of a server that did not answer in the clear, once it is known whether it speaks TLS.
  private func secondLook(_ addresses: [SocketAddress], after fault: Fault, until deadline: Deadline) -> Fault {
    switch SecondLook(at: addresses, waiter: waiter, until: deadline) {
    case .speaksTLS: return Fault(.serverSpeaksTLS, fault.subject, detail: "it shakes hands on a second connection")
    case .speaksOther(let detail) where fault.code == .noSettings || fault.code == .closedBeforeSettings:
      return Fault(fault.code, fault.subject, detail: "on a TLS handshake, \(detail)")
    case .speaksOther, .unknown: return fault
    }
  }
}

/// One connection that is looked at. A class, as the link tells it of frames.
private final class HTTP2Look {
  private let link: HTTP2Link
  private let record = Record()
  private let start = Instant.now
  private(set) var findings: HTTP2Findings
  private var answeredPing: UInt64 = 0

  /// What frames say that no event tells.
  private final class Record {
    var settings: [[HTTP2Setting]] = []
    var windowIncrement = 0

    func note(_ frame: FrameTrace) {
      guard frame.direction == .received, frame.streamID == 0 else { return }
      switch frame.content {
      case .settings(let entries): if !entries.isEmpty { settings.append(entries) }
      case .windowUpdate(let increment): windowIncrement += increment
      default: break
      }
    }
  }

  init(_ stream: ByteStream, _ findings: HTTP2Findings) throws(Fault) {
    self.findings = findings
    let record = record
    link = try HTTP2Link(stream, limits: .client, onFrame: { record.note($0) })
  }

  func close() { link.close() }

  func handshake(until deadline: Deadline) throws(Fault) {
    try link.handshake(until: deadline)
    findings.timings.settings = Instant.now.nanoseconds(since: start)
    note()
  }

  /// Sends PINGs one after another, and waits for the answers and for our SETTINGS' acknowledgement.
  func ping(_ count: Int, until deadline: Deadline) throws(Fault) {
    var number: UInt64 = 0
    while number < UInt64(count), link.failure == nil {
      number += 1
      let start = Instant.now
      findings.sentPings += 1
      link.session.ping(number)
      try advance(until: deadline) { self.answeredPing == number }
      guard answeredPing == number else { break }
      findings.pings.append(Instant.now.nanoseconds(since: start))
    }
    try advance(until: deadline) { self.findings.acknowledgement != nil }
    findings.failure = link.failure
  }

  /// Does nothing but listen, for so many nanoseconds.
  func stayIdle(_ time: Int64) throws(Fault) {
    guard time > 0, link.failure == nil else { return }
    let start = Instant.now
    try advance(until: Deadline(nanoseconds: time)) { false }
    findings.idle = Instant.now.nanoseconds(since: start)
    guard let failure = link.failure else { return }
    if findings.goAway != nil {
      findings.idleEnd = .goAway
    } else if failure.code == .connectionLost {
      findings.idleEnd = failure.isEndOfFile ? .closed : .reset
    } else {
      findings.failure = failure
    }
  }

  private func advance(until deadline: Deadline, _ isDone: () -> Bool) throws(Fault) {
    // A server that never pauses must not outlast the deadline.
    while !isDone(), link.failure == nil, !deadline.hasPassed {
      guard try link.advance(until: deadline) else { return }
      note()
    }
  }

  private func note() {
    for event in link.takeEvents() {
      switch event {
      case .settingsAcknowledged:
        if findings.acknowledgement == nil { findings.acknowledgement = Instant.now.nanoseconds(since: start) }
      case .pingAcknowledged(let number): answeredPing = number
      case .goAway(let last, let code, let debugData):
        findings.goAway = HTTP2Findings.GoAway(
          code: code, lastStreamID: last, debugText: String(decoding: debugData, as: UTF8.self))
      default: break
      }
    }
    for entries in record.settings { findings.note(entries) }
    record.settings = []
    findings.windowIncrement = record.windowIncrement
  }
}
