// SPDX-License-Identifier: Apache-2.0

import GRPC
import HTTP2
import Testing

@Suite struct ServerCallTests {
  func request(_ changes: [String: String?] = [:], end: Bool = false) -> HTTP2Event {
    var fields = ClientRequest(path: "/a.B/C", authority: "h:1", isSecure: false, timeout: 5_000_000).fields
    for (name, value) in changes {
      fields.removeAll { $0.name == name }
      if let value { fields.append(name, value) }
    }
    return .headers(1, fields, kind: .request, endStream: end)
  }

  func events(_ call: inout ServerCall) -> [ServerCallEvent] {
    var events: [ServerCallEvent] = []
    while let event = call.nextEvent() { events.append(event) }
    return events
  }

  func actions(_ call: inout ServerCall) -> [ServerCallAction] {
    var actions: [ServerCallAction] = []
    while let action = call.nextAction() { actions.append(action) }
    return actions
  }

  @Test("a call starts, gives its messages and half-closes")
  func requestSide() {
    var call = ServerCall()
    call.receive(request(["x-a": "1"]))
    call.receive(data(serving + [0, 0], end: false))
    call.receive(data([0, 0, 0], end: true))
    let read = events(&call)
    guard case .started(let head) = read.first else { return #expect(Bool(false), "the call did not start") }
    #expect(head.path == "/a.B/C")
    #expect(head.authority == "h:1")
    #expect(head.timeout == 5_000_000)
    #expect(head.metadata.first("x-a") == "1")
    #expect(Array(read.dropFirst()) == [.message([8, 1]), .message([]), .halfClosed])
  }

  @Test("an answer is headers, messages and trailers; a bare status is one header section")
  func responseSide() throws {
    var call = ServerCall()
    call.receive(request(end: true))
    _ = events(&call)
    try call.sendMessage([8, 1])
    call.finish(Status(.notFound, "no é"))
    call.finish(.ok)
    let sent = actions(&call)
    #expect(sent.count == 3)
    #expect(sent[1] == .data(serving))
    #expect(sent[2] == .trailers([HeaderField("grpc-status", "5"), HeaderField("grpc-message", "no %C3%A9")]))

    var bare = ServerCall()
    bare.receive(request(end: true))
    bare.finish(Status(.unimplemented))
    #expect(
      actions(&bare) == [
        .headers(
          [
            HeaderField(":status", "200"), HeaderField("content-type", "application/grpc"),
            HeaderField("grpc-status", "12"),
          ], endStream: true)
      ])
  }

  @Test(
    "who does not speak gRPC is told so in HTTP's terms",
    arguments: [
      (":method", "GET", "405"), ("content-type", "text/html", "415"), ("content-type", nil, "415"),
      ("content-type", "application/grpcx", "415"),
    ] as [(String, String?, String)])
  func foreign(name: String, value: String?, status: String) {
    var call = ServerCall()
    call.receive(request([name: value], end: true))
    let read = events(&call)
    #expect(read.count == 1)
    guard case .headers(let fields, endStream: true) = actions(&call).first else {
      return #expect(Bool(false), "no answer")
    }
    #expect(fields.first(named: ":status") == status)
  }

  @Test("who asks for a path that is not served, and does not speak gRPC, gets 404; who does gets to the methods")
  func notServed() {
    var foreign = ServerCall(isServed: false)
    foreign.receive(request([":method": "GET", "content-type": nil], end: true))
    guard case .headers(let fields, endStream: true) = actions(&foreign).first else {
      return #expect(Bool(false), "no answer")
    }
    #expect(fields.first(named: ":status") == "404")
    #expect(fields.first(named: "grpc-status") == "12")

    var call = ServerCall(isServed: false)
    call.receive(request())
    guard case .started = call.nextCallEvent() else { return #expect(Bool(false), "not started") }
  }

  @Test("whole messages that nobody has read are counted, and part of one is not")
  func unread() {
    var call = ServerCall()
    call.receive(request())
    #expect(call.nextCallEvent() != nil)
    call.receive(data([0, 0, 0, 0, 3, 1]))
    #expect(call.unreadBytes == 0)
    call.receive(data([2, 3, 0, 0, 0, 0, 1]))
    #expect(call.unreadBytes == 13)
    #expect(call.nextEvent() == .message([1, 2, 3]))
    #expect(call.unreadBytes == 0)
  }

  @Test("secrets and what is another in every call stay out of the compression tables")
  func keptOut() throws {
    var metadata = Metadata()
    for name in ["authorization", "x-request-id", "traceparent", "x-served-by"] { try metadata.append(name, "v") }
    #expect(metadata.fields.map(\.isSensitive) == [true, true, true, false])
  }

  @Test("answers are announced as compressed only where the driver says so", arguments: [true, false])
  func encoding(announced: Bool) throws {
    var call = ServerCall()
    call.receive(request(["grpc-accept-encoding": "br, gzip"]))
    #expect(call.acceptsGzip)
    if announced { call.responseEncoding = .gzip }
    let frame = MessageFrame([UInt8](repeating: 7, count: 1_000))
    call.sendFrame((announced ? frame.gzipped() : frame).bytes)
    let sent = actions(&call)
    guard case .headers(let fields, endStream: false) = sent.first, case .data(let bytes) = sent.last else {
      return #expect(Bool(false), "no answer")
    }
    #expect(fields.first(named: "grpc-encoding") == (announced ? "gzip" : nil))
    #expect(bytes.first == (announced ? 1 : 0))
    var deframer = MessageDeframer(limit: 2_000)
    deframer.encoding = .gzip
    deframer.receive(bytes)
    #expect(try deframer.nextMessage() == [UInt8](repeating: 7, count: 1_000))
    #expect(deframer.lastWasCompressed == announced)
  }

  @Test("a frame knows its message, its limit, and when compression does not pay")
  func frames() throws {
    let frame = MessageFrame(behindRoom: [9, 9, 9, 9, 9, 1, 2, 3])
    #expect(frame.bytes == [0, 0, 0, 0, 3, 1, 2, 3])
    #expect(frame == MessageFrame([1, 2, 3]))
    #expect(Array(frame.message) == [1, 2, 3])
    #expect(frame.gzipped() == frame)
    #expect(try frame.checked(limit: 3) == frame)
    #expect(throws: Status.self) { try frame.checked(limit: 2) }
    #expect(MessageFrame(behindRoom: []).bytes == [0, 0, 0, 0, 0])
  }

  @Test("a broken timeout, an unknown encoding and a broken message are refused with a status")
  func refusals() {
    var timeout = ServerCall()
    timeout.receive(request(["grpc-timeout": "1x"]))
    #expect(events(&timeout).last == .refused(Status(.internal, "malformed grpc-timeout: 1x")))

    var encoding = ServerCall()
    encoding.receive(request(["grpc-encoding": "br"]))
    guard case .refused(let status) = events(&encoding).last else { return #expect(Bool(false), "not refused") }
    #expect(status.code == .unimplemented)
    guard case .headers(let fields, endStream: true) = actions(&encoding).first else {
      return #expect(Bool(false), "no answer")
    }
    #expect(fields.first(named: "grpc-accept-encoding") == "identity,gzip")

    var large = ServerCall(receiveLimit: 10)
    large.receive(request())
    large.receive(data([0, 0, 0, 0, 11]))
    guard case .refused(let tooLarge) = events(&large).last else { return #expect(Bool(false), "not refused") }
    #expect(tooLarge.code == .resourceExhausted)

    var cut = ServerCall()
    cut.receive(request())
    cut.receive(data([0, 0, 0], end: true))
    #expect(events(&cut).last == .refused(Status(.internal, "the request ends inside a message")))
  }

  @Test("a reset ends the call, and nothing is sent any more")
  func cancellation() throws {
    var call = ServerCall()
    call.receive(request())
    _ = events(&call)
    call.sendHeaders()
    call.receive(reset(8))
    #expect(events(&call) == [.cancelled(.cancel)])
    try call.sendMessage([1])
    call.finish(.ok)
    #expect(actions(&call) == [])
  }

  @Test("client and server, joined, carry all four kinds of call", arguments: [0, 1, 3])
  func joined(count: Int) throws {
    var server = ServerCall()
    server.receive(request(end: false))
    for index in 0..<count { server.receive(data(try MessageFramer.frame([UInt8(index)], encoding: .identity))) }
    server.receive(data([], end: true))
    for event in events(&server) { if case .message(let message) = event { try server.sendMessage(message) } }
    server.finish(Status(.ok))
    var client = ClientCall(kind: .bidirectional)
    var received: [ClientCallEvent] = []
    for action in actions(&server) {
      switch action {
      case .headers(let fields, let end): client.receive(.headers(1, fields, kind: .response, endStream: end))
      case .data(let bytes): client.receive(data(bytes))
      case .trailers(let fields): client.receive(.headers(1, fields, kind: .trailers, endStream: true))
      case .end, .reset: Issue.record("a call of gRPC ends with its trailers")
      }
      while let event = client.nextEvent() { received.append(event) }
    }
    let messages = received.compactMap { event -> [UInt8]? in
      if case .message(let message) = event { message } else { nil }
    }
    #expect(messages == (0..<count).map { [UInt8($0)] })
    guard case .ended(let end) = received.last else { return #expect(Bool(false), "no end") }
    #expect(end.status.code == .ok)
  }
}
