// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import HTTP1
internal import Sniff
internal import Sys

extension HTTPProbe {
  /// The request as HTTP/1.1 has it.
  func http1Request() throws(HTTP1RequestError) -> HTTP1Request {
    let host = fields.contains { $0.name.equalsIgnoringASCIICase("Host") } ? [] : [HTTP1Field("Host", url.authority)]
    return try HTTP1Request(
      method: method, target: url.target, fields: host + fields + [HTTP1Field("Connection", "close")], body: body)
  }

  /// Asks over HTTP/1.1, and closes.
  func exchangeHTTP1(on stream: ByteStream, _ findings: inout HTTPFindings, until deadline: Deadline) {
    defer { stream.close(until: Deadline(nanoseconds: 0)) }
    let request: HTTP1Request
    do throws(HTTP1RequestError) { request = try http1Request() } catch {
      findings.failure = Problem("BAD_TARGET", error.message, isPermanent: true)
      return
    }
    findings.version = "HTTP/1.1"
    var reading = Reading(method: method, peer: stream.name, bodyLimit: bodyLimit)
    do throws(Fault) {
      do throws(Fault) {
        try stream.send(request.encoded)
        while !reading.isOver, !deadline.hasPassed, try stream.waitUntilReadable(deadline) {
          reading.take(try stream.receive(), &findings)
        }
      } catch {
        // A server that refuses a body answers before all of it is sent, and hangs up.
        if let read = try? stream.receive() { reading.take(read, &findings) }
        if reading.isOver { return }
        guard error.isEndOfFile else { throw error }
        reading.take(.endOfStream, &findings)
      }
      guard reading.isOver else {
        let what = findings.status == nil ? "no response" : "the response is not whole"
        findings.failure = Problem("DEADLINE_EXPIRED", "\(what) in time from \(stream.name)")
        return
      }
    } catch {
      let isSilent = findings.firstByte == nil && error.code == .connectionLost
      findings.failure =
        isSilent
        ? Problem("ACCEPTED_THEN_CLOSED", "connection ended without a response by \(stream.name) (\(error.detail))")
        : Problem(error)
    }
  }

  /// The state of reading one response.
  private struct Reading {
    private var parser: HTTP1ResponseParser
    private let peer: String
    private let bodyLimit: Int
    private let start = Instant.now
    private var firstBytes: [UInt8] = []
    private(set) var isOver = false

    init(method: String, peer: String, bodyLimit: Int) {
      parser = HTTP1ResponseParser(method: method)
      (self.peer, self.bodyLimit) = (peer, bodyLimit)
    }

    mutating func take(_ read: StreamRead, _ findings: inout HTTPFindings) {
      switch read {
      case .nothing: return
      case .endOfStream: parser.receiveEnd()
      case .bytes(let bytes):
        if findings.firstByte == nil { findings.firstByte = Instant.now.nanoseconds(since: start) }
        firstBytes += bytes.prefix(Speech.bytesSeen - firstBytes.count)
        parser.receive(bytes.span)
      }
      while !isOver, let event = parser.nextEvent() { take(event, &findings) }
    }

    private mutating func take(_ event: HTTP1Event, _ findings: inout HTTPFindings) {
      switch event {
      case .head(let head):
        guard !head.isInterim else { return findings.interim.append(head.status) }
        findings.version = "HTTP/1.\(head.minorVersion)"
        (findings.status, findings.reason, findings.fields) = (head.status, head.reason, head.fields)
      case .body(let bytes): isOver = !findings.take(bytes, atMost: bodyLimit)
      case .end(let trailers):
        findings.trailers = trailers
        isOver = true
      case .failed(let error):
        findings.failure = failure(error, findings)
        isOver = true
      }
      // The page of a status of 400 may tell that TLS is wanted.
      if isOver, findings.status == 400, case .tlsWanted = Speech(firstBytes) {
        findings.failure = Problem(Fault(insteadOfHTTP2: firstBytes, at: peer))
      }
    }

    private func failure(_ error: HTTP1Error, _ findings: HTTPFindings) -> Problem {
      switch error.code {
      case .noResponse:
        return Problem("ACCEPTED_THEN_CLOSED", "connection closed without a response by \(peer)")
      case .endedInHead where isHTTP1, .endedInBody:
        return Problem("CONNECTION_LOST", "\(peer): \(error.message)")
      default: break
      }
      guard findings.status == nil, findings.interim.isEmpty, !isHTTP1 else {
        return Problem("HTTP1_PROTOCOL_ERROR", "\(peer) breaks a rule of HTTP/1.1: \(error.message)")
      }
      let speech = Speech(firstBytes)
      switch speech {
      case .tls: return Problem(Fault(insteadOfHTTP2: firstBytes, at: peer))
      case .http2:
        return Problem(
          "NOT_HTTP1", "\(peer) speaks HTTP/2 in the clear, as gRPC servers do, and no HTTP/1.1; ask it with --http2",
          isPermanent: true)
      default:
        let sentence = Finding(speech, after: .http1, ending: .open).sentence
        return Problem("NOT_HTTP1", "\(peer) \(sentence)", isPermanent: true)
      }
    }

    private var isHTTP1: Bool { if case .http1 = Speech(firstBytes) { true } else { false } }
  }
}
