// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import HTTP1
internal import Sys
internal import TLS

/// One request of HTTP, in whichever version, on a connection of its own.
struct HTTPProbe {
  /// Which version of HTTP is spoken.
  enum Version {
    /// What TLS agrees on by ALPN; HTTP/1.1 in the clear.
    case any
    case http1
    /// HTTP/2, in the clear without asking before.
    case http2
  }

  let url: HTTPURL
  var method = "GET"
  /// The request's fields, those that netdiag adds included, but for what each version has in its own form.
  var fields: [HTTP1Field] = []
  var body: [UInt8]?
  var version = Version.any
  /// How much of the response's body is kept, in bytes; no more is read.
  var bodyLimit = 16 << 20
  /// TLS, for a URL that wants it.
  var tls: TLSContext?
  let waiter: Waiter

  /// The protocols that ALPN offers for a version.
  static func protocols(_ version: Version) -> [String] {
    switch version {
    case .any: ["h2", "http/1.1"]
    case .http1: ["http/1.1"]
    case .http2: ["h2"]
    }
  }

  /// Connects, asks, and reads the response.
  func run(until deadline: Deadline) throws(Problem) -> HTTPFindings {
    let start = Instant.now
    var timings = Timings()
    let addresses: [SocketAddress]
    let stream: ByteStream
    var facts: TLSPeerFacts?
    do throws(Fault) {
      let connector = Connector(waiter: waiter)
      addresses = try connector.resolve(url.host, port: url.port, until: deadline)
      timings.resolve = Instant.now.nanoseconds(since: start)
      let connecting = Instant.now
      stream = ByteStream(try connector.connect(to: addresses, until: deadline), waiter: waiter)
      timings.connect = Instant.now.nanoseconds(since: connecting)
      if let tls {
        let shaking = Instant.now
        var options = TLSOptions(context: tls)
        options.requiresALPN = version == .http2
        facts = try stream.startTLS(options, until: deadline)
        timings.tls = Instant.now.nanoseconds(since: shaking)
      }
    } catch { throw Problem(error) }
    var findings = HTTPFindings(peer: stream.name, security: facts, timings: timings)
    if version == .http2 || facts?.alpn == "h2" {
      exchangeHTTP2(on: stream, &findings, until: deadline)
    } else {
      exchangeHTTP1(on: stream, &findings, until: deadline)
    }
    findings.total = Instant.now.nanoseconds(since: start)
    // A server that only hangs up on what it cannot read may be one of TLS.
    if tls == nil, findings.status == nil, findings.failure?.code == "ACCEPTED_THEN_CLOSED",
      case .speaksTLS = SecondLook(at: addresses, waiter: waiter, until: deadline)
    {
      findings.failure = Problem(Fault(.serverSpeaksTLS, stream.name))
    }
    return findings
  }
}
