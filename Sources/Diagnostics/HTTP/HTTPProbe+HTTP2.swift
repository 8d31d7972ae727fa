// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import HTTP1
internal import HTTP2
internal import Sys

extension HTTPProbe {
  /// The request's header section as HTTP/2 has it.
  private var http2Fields: HeaderFields {
    var section: HeaderFields = [
      HeaderField(":method", method), HeaderField(":scheme", url.isSecure ? "https" : "http"),
      HeaderField(":authority", fields.first("Host") ?? url.authority), HeaderField(":path", url.target),
    ]
    for field in fields {
      // In HTTP/2, the host is the authority (RFC 9113 section 8.3.1).
      let name = field.name.asciiLowercased
      if name != "host" { section.append(HeaderField(name, field.value)) }
    }
    if let body { section.append(HeaderField("content-length", String(body.count))) }
    return section
  }

  /// Asks over HTTP/2, and closes.
  func exchangeHTTP2(on stream: ByteStream, _ findings: inout HTTPFindings, until deadline: Deadline) {
    findings.version = "HTTP/2"
    do throws(Fault) {
      let link = try HTTP2Link(stream, limits: .client)
      defer { link.close() }
      let start = Instant.now
      try link.handshake(until: deadline)
      findings.timings.settings = Instant.now.nanoseconds(since: start)
      try exchange(on: link, &findings, until: deadline)
    } catch { findings.failure = Problem(error) }
  }

  private func exchange(on link: HTTP2Link, _ findings: inout HTTPFindings, until deadline: Deadline) throws(Fault) {
    let start = Instant.now
    let id: StreamID
    do throws(HTTP2Error) {
      id = try link.session.submitRequest(http2Fields, endStream: body == nil)
      if let body { try link.session.send(body, on: id, endStream: true) }
    } catch { throw link.goAway ?? Fault(.protocolViolation, link.peerName, detail: error.message) }
    while true {
      for event in link.takeEvents() {
        if case .headers = event, findings.firstByte == nil {
          findings.firstByte = Instant.now.nanoseconds(since: start)
        }
        if case .data(let id, _, let count, endStream: _) = event { link.session.consume(id, count) }
        if try take(event, &findings, on: link) { return }
      }
      if let failure = link.failure { throw failure }
      guard !deadline.hasPassed, try link.advance(until: deadline) else {
        let what = findings.status == nil ? "no response" : "the response is not whole"
        findings.failure = Problem("DEADLINE_EXPIRED", "\(what) in time from \(link.peerName)")
        return
      }
    }
  }

  /// Takes an event; whether the exchange is over.
  private func take(_ event: HTTP2Event, _ findings: inout HTTPFindings, on link: HTTP2Link) throws(Fault) -> Bool {
    switch event {
    case .headers(_, let fields, let kind, let endStream):
      let section = fields.filter { $0.name.utf8.first != 0x3A }.map { HTTP1Field($0.name, $0.value) }
      let status = fields.first { $0.name == ":status" }.flatMap { parseDecimal($0.value.utf8, atMost: 999) }
      switch kind {
      case .informational:
        guard findings.interim.count < HTTP1Limits().interimCount else {
          throw Fault(.protocolViolation, link.peerName, detail: "too many interim responses")
        }
        if let status { findings.interim.append(status) }
      case .response, .request: (findings.status, findings.fields) = (status, section)
      case .trailers: findings.trailers = section
      }
      return endStream
    case .data(_, let bytes, flowControlled: _, let endStream):
      return !findings.take(bytes, atMost: bodyLimit) || endStream
    case .reset(_, let code, by: .peer): throw Fault(reset: code, at: link.peerName)
    case .reset(_, let code, by: _): throw Fault(.protocolViolation, link.peerName, detail: code.name)
    case .streamClosed(_, .noError): return true
    // A GOAWAY closes the streams that it leaves out, and says more of the reason.
    case .streamClosed(_, let code): throw link.goAway ?? Fault(reset: code, at: link.peerName)
    default: return false
    }
  }
}
