// SPDX-License-Identifier: Apache-2.0

import GRPC
import HTTP2
import Testing

/// Short words for the events of stream 1.
func response(_ fields: (String, String)..., end: Bool = false) -> HTTP2Event {
  .headers(1, fields.map { HeaderField($0.0, $0.1) }, kind: .response, endStream: end)
}
func trailers(_ fields: (String, String)...) -> HTTP2Event {
  .headers(1, fields.map { HeaderField($0.0, $0.1) }, kind: .trailers, endStream: true)
}
func data(_ bytes: [UInt8], end: Bool = false) -> HTTP2Event {
  .data(1, bytes, flowControlled: bytes.count, endStream: end)
}
func data(_ text: String, end: Bool = false) -> HTTP2Event { data(Array(text.utf8), end: end) }
func reset(_ code: UInt32, by initiator: Initiator = .peer) -> HTTP2Event {
  .reset(1, HTTP2ErrorCode(rawValue: code), by: initiator)
}

let ok = response((":status", "200"), ("content-type", "application/grpc"))
let serving: [UInt8] = [0, 0, 0, 0, 2, 8, 1]

func run(_ events: [HTTP2Event], kind: CallKind = .unary) -> [ClientCallEvent] {
  var call = ClientCall(kind: kind)
  var out: [ClientCallEvent] = []
  for event in events {
    call.receive(event)
    while let next = call.nextEvent() { out.append(next) }
  }
  return out
}

func end(_ events: [HTTP2Event], kind: CallKind = .unary) -> Status? {
  guard case .ended(let end) = run(events, kind: kind).last else { return nil }
  return end.status
}

@Suite struct ClientCallTests {
  @Test("a unary call gives its headers, its message and its status")
  func unary() {
    let events = run([
      response((":status", "200"), ("content-type", "application/grpc+proto"), ("x-a", "1")), data(serving),
      trailers(("grpc-status", "0"), ("x-b", "2")),
    ])
    #expect(events.count == 3)
    #expect(events[0] == .headers(Metadata([HeaderField("x-a", "1")])))
    #expect(events[1] == .message([8, 1]))
    guard case .ended(let end) = events[2] else { return #expect(Bool(false), "the call did not end") }
    #expect(end.status == Status(.ok, "", origin: .peer))
    #expect(end.trailers == Metadata([HeaderField("x-b", "2")]))
  }

  @Test("interim responses are passed over, and what follows the end is too")
  func interim() {
    #expect(
      end([
        .headers(1, [HeaderField(":status", "103")], kind: .informational, endStream: false), ok, data(serving),
        trailers(("grpc-status", "0")), reset(8), .streamClosed(1, .cancel),
      ])?.code == .ok)
  }

  static let rows: [(String, [HTTP2Event], StatusCode, String)] = [
    (
      "HTTP 503 text/html",
      [response((":status", "503"), ("content-type", "text/html")), data("<html>busy</html>", end: true)],
      .unavailable,
      "unexpected HTTP status code received from server: 503 (Service Unavailable); transport: received unexpected "
        + "content-type \"text/html\"\ndata: \"<html>busy</html>\""
    ),
    (
      "HTTP 404 text/plain", [response((":status", "404"), ("content-type", "text/plain"), end: true)], .unimplemented,
      "unexpected HTTP status code received from server: 404 (Not Found); transport: received unexpected content-type "
        + "\"text/plain\""
    ),
    (
      "HTTP 200 text/html", [response((":status", "200"), ("content-type", "text/html"), end: true)], .unknown,
      "unexpected HTTP status code received from server: 200 (OK); transport: received unexpected content-type "
        + "\"text/html\""
    ),
    (
      "HTTP 302 without a content type", [response((":status", "302"), end: true)], .unknown,
      "unexpected HTTP status code received from server: 302 (Found); malformed header: missing HTTP content-type"
    ),
    (
      "401 with gRPC's content type", [response((":status", "401"), ("content-type", "application/grpc"), end: true)],
      .unknown, ""
    ),
    (
      "503 with a grpc-status",
      [
        response(
          (":status", "503"), ("content-type", "application/grpc"), ("grpc-status", "8"), ("grpc-message", "full%21"),
          end: true)
      ], .resourceExhausted, "full!"
    ),
    ("no trailers", [ok, data(serving, end: true)], .internal, "server closed the stream without sending trailers"),
    ("trailers without a status", [ok, data(serving), trailers(("x", "y"))], .unknown, ""),
    (
      "a status that is no number", [ok, trailers(("grpc-status", "abc"))], .unknown,
      "transport: malformed grpc-status: strconv.ParseInt: parsing \"abc\": invalid syntax"
    ),
    (
      "a status out of range", [ok, trailers(("grpc-status", "99999999999999999999"))], .unknown,
      "transport: malformed grpc-status: strconv.ParseInt: parsing \"99999999999999999999\": value out of range"
    ),
    (
      "success without a message",
      [response((":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0"), end: true)], .internal,
      "cardinality violation: received no response message from non-server-streaming RPC"
    ),
    (
      "two messages", [ok, data(serving + serving)], .internal,
      "cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message"
    ),
    ("half a message", [ok, data([0, 0, 0, 0, 9, 1]), trailers(("grpc-status", "0"))], .internal, "unexpected EOF"),
    (
      "a message that is too large", [ok, data([0, 0, 0x50, 0, 0])], .resourceExhausted,
      "grpc: received message larger than max (5242880 vs. 4194304)"
    ),
    (
      "a compressed message without an encoding", [ok, data([1, 0, 0, 0, 2, 8, 1])], .internal,
      "grpc: compressed flag set with identity or empty encoding"
    ),
    (
      "a message, then a status", [ok, data(serving), trailers(("grpc-status", "14"), ("grpc-message", "gone"))],
      .unavailable, "gone"
    ),
    ("an unknown status", [ok, trailers(("grpc-status", "17"))], StatusCode(rawValue: 17), ""),
    ("reset", [ok, reset(2)], .internal, "stream terminated by RST_STREAM with error code: INTERNAL_ERROR"),
    (
      "reset before headers", [reset(11)], .resourceExhausted,
      "stream terminated by RST_STREAM with error code: ENHANCE_YOUR_CALM"
    ),
    ("refused", [reset(7)], .unavailable, "stream terminated by RST_STREAM with error code: REFUSED_STREAM"),
    (
      "violation", [reset(1, by: .local)], .internal, "the server broke a rule of HTTP/2 on this stream: PROTOCOL_ERROR"
    ),
    (
      "reset within a foreign answer",
      [response((":status", "502"), ("content-type", "text/html")), data("x"), reset(8)],
      .unavailable,
      "unexpected HTTP status code received from server: 502 (Bad Gateway); transport: received unexpected "
        + "content-type \"text/html\"\ndata: \"x\""
    ),
  ]

  @Test("every way in which a call ends has its code and its words", arguments: rows.indices)
  func endings(row: Int) {
    let (name, events, code, message) = Self.rows[row]
    let status = end(events)
    #expect(status?.code == code, "\(name)")
    #expect(status?.message == message, "\(name)")
  }

  @Test("the peer's own words are told from ours")
  func origins() {
    #expect(end([ok, trailers(("grpc-status", "4"))])?.origin == .peer)
    #expect(end([ok, reset(8)])?.origin == .local)
  }

  @Test("a refused stream and one beyond a GOAWAY were not processed, others may have been")
  func unprocessed() {
    func isUnprocessed(_ event: HTTP2Event) -> Bool? {
      guard case .ended(let end) = run([event]).last else { return nil }
      return end.isUnprocessed
    }
    #expect(isUnprocessed(reset(7)) == true)
    #expect(isUnprocessed(.streamClosed(1, .refusedStream)) == true)
    #expect(isUnprocessed(reset(8)) == false)
  }

  @Test("a foreign body is kept to a kilobyte, however long it goes on")
  func foreignBody() {
    let events =
      [response((":status", "200"), ("content-type", "text/plain"))]
      + Array(repeating: data(Array(repeating: 0x61, count: 700)), count: 3)
    #expect((end(events)?.message.utf8.count ?? 0) < 1024 + 200)
  }

  @Test("a server stream gives each message, and may end with none")
  func serverStream() {
    let events = run(
      [ok, data(serving + serving), data(serving), trailers(("grpc-status", "0"))], kind: .serverStreaming)
    #expect(events.filter { if case .message = $0 { true } else { false } }.count == 3)
    #expect(end([ok, trailers(("grpc-status", "0"))], kind: .serverStreaming)?.code == .ok)
  }

  @Test("the driver's own end counts unless the server's came first")
  func ownEnd() {
    var call = ClientCall(kind: .unary)
    call.end(Status(.unavailable, "lost"))
    call.receive(ok)
    #expect(
      call.nextEvent()
        == .ended(CallEnd(status: Status(.unavailable, "lost"), trailers: Metadata(), isUnprocessed: false)))
    #expect(call.nextEvent() == nil)
  }

  @Test("whole messages that nobody asked for are counted, and parts of one are not")
  func unread() {
    var call = ClientCall(kind: .serverStreaming)
    call.receive(response((":status", "200"), ("content-type", "application/grpc")))
    call.receive(data([0, 0, 0, 0, 2, 7]))
    #expect(call.unreadBytes == 0)
    call.receive(data([8, 0, 0, 0, 0, 9]))
    #expect(call.unreadBytes == 12)
    _ = call.nextEvent()
    #expect(call.nextEvent() == .message([7, 8]))
    #expect(!call.lastMessageWasCompressed)
    #expect(call.unreadBytes == 0)
  }

  @Test("random sequences of events end in at most one end, never in a trap")
  func anyOrder() {
    var random = SystemRandomNumberGenerator()
    let all = Self.rows.flatMap(\.1) + [.streamClosed(1, .noError), .settingsAcknowledged]
    for _ in 0..<5_000 {
      let events = (0..<Int.random(in: 0...6, using: &random)).compactMap { _ in all.randomElement(using: &random) }
      let ends = run(events, kind: Bool.random() ? .unary : .bidirectional).filter {
        if case .ended = $0 { true } else { false }
      }
      #expect(ends.count <= 1)
    }
  }
}

@Suite struct ClientRequestTests {
  @Test("the header section has the fields of gRPC's Go implementation in its order, the user's last")
  func order() throws {
    var metadata = Metadata()
    try metadata.append("x-b", "1")
    try metadata.append("user-agent", "mine")
    try metadata.append("grpc-foo", "2")
    let request = ClientRequest(
      path: "/a.B/C", authority: "localhost:1", isSecure: true, userAgent: "probe sonde/1", timeout: 999_984_000,
      encoding: .gzip, metadata: metadata)
    #expect(
      request.fields.map { "\($0.name) \($0.value)" } == [
        ":method POST", ":scheme https", ":path /a.B/C", ":authority localhost:1", "content-type application/grpc",
        "user-agent probe sonde/1", "te trailers", "grpc-encoding gzip", "grpc-accept-encoding gzip",
        "grpc-timeout 999984u", "x-b 1", "grpc-foo 2",
      ])
  }

  @Test("what is not asked for is not sent")
  func minimal() {
    let request = ClientRequest(path: "/a.B/C", authority: "a", isSecure: false)
    #expect(
      request.fields.map(\.name) == [":method", ":scheme", ":path", ":authority", "content-type", "te"])
    #expect(request.fields[1].value == "http")
  }

  @Test("a request that is not compressed may ask for answers that are")
  func acceptsGzip() {
    let request = ClientRequest(path: "/a.B/C", authority: "a", isSecure: false, acceptsGzip: true)
    #expect(request.fields.first(named: "grpc-accept-encoding") == "gzip")
    #expect(request.fields.first(named: "grpc-encoding") == nil)
  }
}
