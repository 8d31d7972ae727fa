// SPDX-License-Identifier: Apache-2.0

import Bytes
import GRPC
import GRPCServer
import HTTP2
import Protobuf
import Schemas
import TestSupport
import Testing
import Transcoding

@testable import GatewayServer

private let context = TranslationContext(
  peer: Peer(address: "ipv4:10.0.0.7:1234"), messageLimit: 1_000, errorDomain: "gateway")

/// The routes of our own services.
private func routes(exposed: [String] = []) throws -> RESTRoutes {
  let pool = try DescriptorPool(set: DescriptorSet.bytes)
  return RESTRoutes([(pool, ["user.v1.UserService", "pb.Greeter"])], exposed: exposed)
}

private func rest(
  _ method: String, _ path: String, _ fields: [HeaderField] = [], end: Bool = true, exposed: [String] = []
) throws -> EdgeCall<RESTForm> {
  let call = EdgeCall(RESTForm(try routes(exposed: exposed), HeaderRules(), context))
  call.receive(request(method, path, fields, end: end))
  return call
}

private func request(_ method: String, _ path: String, _ fields: [HeaderField], end: Bool) -> HTTP2Event {
  let line = [HeaderField(":method", method), HeaderField(":path", path), HeaderField(":authority", "users.example")]
  return .headers(1, line + fields, kind: .request, endStream: end)
}

private func data(_ bytes: [UInt8], end: Bool = false) -> HTTP2Event {
  .data(1, bytes, flowControlled: bytes.count, endStream: end)
}

private func data(_ text: String, end: Bool = false) -> HTTP2Event { data(Array(text.utf8), end: end) }

/// What a response says, put together.
private struct Response: Equatable {
  var status = ""
  var fields: HeaderFields = []
  var body = ""
  var trailers: HeaderFields = []
  var ending = "open"

  subscript(_ name: String) -> String? { fields.first(named: name) }
}

private func response(_ call: any TranslatedCall) -> Response {
  var response = Response()
  while let action = call.nextAction() {
    switch action {
    case .headers(let fields, let endStream):
      response.status = fields.first(named: ":status") ?? ""
      response.fields = fields
      if endStream { response.ending = "headers" }
    case .data(let bytes): response.body += String(decoding: bytes, as: UTF8.self)
    case .trailers(let fields): (response.trailers, response.ending) = (fields, "trailers")
    case .end: response.ending = "end"
    case .reset: response.ending = "reset"
    }
  }
  return response
}

private func messages(_ call: any TranslatedCall) -> [[UInt8]] {
  var messages: [[UInt8]] = []
  while let event = call.nextEvent() { if case .message(let message) = event { messages.append(message) } }
  return messages
}

private func started(_ call: any TranslatedCall) -> ServerRequest? {
  if case .started(let request)? = call.nextCallEvent() { request } else { nil }
}

private func user(_ name: String) -> [UInt8] {
  var writer = WireWriter()
  writer.string(name, field: 1)
  return writer.bytes
}

@Suite(.endsIfItHangs) struct RESTCallTests {
  @Test("a path is the call of its method, whose message has the path's and the query's values")
  func unary() throws {
    let call = try rest(
      "GET", "/v1/users?pageSize=7", [HeaderField("x-request-id", "r"), HeaderField("grpc-timeout", "2S")])
    let request = try #require(started(call))
    #expect(request.path == "/user.v1.UserService/ListUsers")
    #expect(request.authority == "users.example")
    #expect(request.timeout == 2_000_000_000)
    #expect(request.metadata.first("x-request-id") == "r")
    #expect(request.metadata.first("x-forwarded-for") == "10.0.0.7")
    #expect(request.metadata.first("x-forwarded-host") == "users.example")
    #expect(call.nextEvent() == .message([8, 7]))
    #expect(call.nextEvent() == .halfClosed)
    #expect(call.nextEvent() == nil)
  }

  @Test("an answer of one message leaves whole, once its status is known")
  func answer() throws {
    let call = try rest("GET", "/v1/users/7", [HeaderField("te", "trailers")])
    #expect(started(call) != nil)
    var headers = Metadata()
    try headers.append("etag", "v1")
    call.sendHeaders(headers)
    call.sendFrame(MessageFrame(user("7")).bytes)
    #expect(call.nextAction() == nil)
    var trailers = Metadata()
    try trailers.append("cost", "3")
    call.finish(.ok, trailers: trailers)
    let response = response(call)
    #expect(response.status == "200" && response.body == #"{"id":"7"}"#)
    #expect(response["content-type"] == "application/json" && response["content-length"] == "10")
    #expect(response["etag"] == "v1")
    #expect(response.trailers == [HeaderField("grpc-trailer-cost", "3")])
  }

  @Test("a failure has the status of HTTP, and the details with the request's id")
  func failure() throws {
    let call = try rest("GET", "/v1/users/7")
    #expect(started(call) != nil)
    var trailers = Metadata()
    try trailers.append("x-request-id", "r-9")
    try trailers.append("grpc-status-details-bin", bytes: [])
    call.finish(Status(.notFound, "there is none"), trailers: trailers)
    let response = response(call)
    #expect(response.status == "404" && response.ending == "end")
    #expect(
      response.body == #"{"code":5,"message":"there is none","details":[{"#
        + #""@type":"type.googleapis.com/google.rpc.RequestInfo","requestId":"r-9"}]}"#)
    #expect(response["grpc-metadata-grpc-status-details-bin"] == nil)
  }

  @Test("HEAD has the fields of GET, and no body", arguments: [true, false])
  func head(isGood: Bool) throws {
    let call = try rest("HEAD", "/v1/users/7")
    #expect(started(call) != nil)
    if isGood { call.sendFrame(MessageFrame(user("7")).bytes) }
    call.finish(isGood ? .ok : Status(.notFound), trailers: Metadata())
    let response = response(call)
    #expect(response.status == (isGood ? "200" : "404") && response.ending == "headers" && response.body == "")
    #expect(response["content-length"] == (isGood ? "10" : "36"))
  }

  @Test(
    "what leads to no call is answered",
    arguments: [
      ("GET", "/v1/nothing", "404", "ROUTE_NOT_FOUND"), ("PUT", "/v1/users", "405", "METHOD_NOT_ALLOWED"),
      ("GET", "/v1/users/%zz", "400", "INVALID_PATH"),
    ])
  func noCall(method: String, path: String, status: String, reason: String) throws {
    let call = try rest(method, path)
    guard case .refused? = call.nextCallEvent() else { return #expect(Bool(false), "the call began") }
    let response = response(call)
    #expect(response.status == status && response.body.contains("\"reason\":\"\(reason)\",\"domain\":\"gateway\""))
    #expect(response["allow"] == (status == "405" ? "GET, HEAD, OPTIONS, POST" : nil))
  }

  @Test("OPTIONS says which methods there are")
  func options() throws {
    let response = response(try rest("OPTIONS", "/v1/users"))
    #expect(response.status == "204" && response["allow"] == "GET, HEAD, OPTIONS, POST")
    #expect(response.ending == "headers")
  }

  @Test("bodies of other types, and answers in other types, are refused")
  func types() throws {
    #expect(response(try rest("POST", "/v1/users", [HeaderField("content-type", "text/xml")])).status == "415")
    #expect(response(try rest("GET", "/v1/users", [HeaderField("accept", "text/html")])).status == "406")
  }

  @Test("a body that is no message is refused, and a larger one than the limit before it ends")
  func badBody() throws {
    let call = try rest("POST", "/v1/users", end: false)
    #expect(started(call) != nil)
    call.receive(data(#"{"name":3}"#, end: true))
    guard case .refused(let status)? = call.nextEvent() else { return #expect(Bool(false), "it was not refused") }
    #expect(status.code == .invalidArgument)
    let refusal = response(call)
    #expect(refusal.status == "400" && refusal.body.contains(#""field":"user.name""#))
    let large = try rest("POST", "/v1/users", end: false)
    #expect(started(large) != nil)
    large.receive(data([UInt8](repeating: 0x20, count: 1_001)))
    guard case .refused? = large.nextEvent() else { return #expect(Bool(false), "it was not refused") }
    #expect(response(large).status == "413")
    large.receive(data("more"))
    #expect(large.nextEvent() == nil && large.unreadBytes == 0)
  }

  @Test("a stream of documents becomes messages one by one, as they are asked for")
  func clientStream() throws {
    let call = try rest("POST", "/v1/users:batchCreate", end: false)
    #expect(started(call)?.path == "/user.v1.UserService/CreateUsers")
    let line = #"{"user":{"name":"A"}}"#
    call.receive(data(line + "\n" + line))
    call.receive(data("\n" + line.dropLast(2)))
    #expect(call.unreadBytes == 3 * line.utf8.count)
    #expect(messages(call).count == 2)
    #expect(call.unreadBytes == 0)
    call.receive(data("}}", end: true))
    #expect(messages(call).count == 1)
    #expect(call.nextEvent() == nil)
  }

  @Test("a stream that is cut within a document is refused")
  func cutStream() throws {
    let call = try rest("POST", "/v1/users:batchCreate", end: false)
    #expect(started(call) != nil)
    call.receive(data(#"[{"user":{}},"#, end: true))
    #expect(messages(call).count == 1)
    #expect(response(call).status == "400")
  }

  @Test(
    "a stream of answers has the form that the client accepts",
    arguments: [
      ("application/x-ndjson", "{\"result\":{\"id\":\"7\"}}\n", "", "end", "{\"error\":{"),
      ("text/event-stream", "data: {\"id\":\"7\"}\n\n", "event: end\ndata: {}\n\n", "end", "event: error\ndata: {"),
      ("application/json", "[{\"id\":\"7\"}", "]", "reset", ""),
    ])
  func serverStream(accept: String, first: String, last: String, failed: String, failure: String) throws {
    for isGood in [true, false] {
      let call = try rest("GET", "/v1/users:stream", [HeaderField("accept", accept)])
      #expect(started(call) != nil)
      call.sendHeaders(Metadata())
      let begin = response(call)
      #expect(begin.status == "200" && begin["content-type"] == accept && begin.ending == "open")
      call.sendFrame(MessageFrame(user("7")).bytes)
      #expect(response(call).body == first)
      call.finish(isGood ? .ok : Status(.dataLoss, "it broke"), trailers: Metadata())
      let end = response(call)
      #expect(isGood ? end.body == last : end.body.hasPrefix(failure))
      #expect(end.ending == (isGood ? "end" : failed))
    }
  }

  @Test("a stream that fails before its first word has the failure's status")
  func failedStream() throws {
    let call = try rest("GET", "/v1/users:stream")
    #expect(started(call) != nil)
    call.finish(Status(.permissionDenied, "no"), trailers: Metadata())
    let response = response(call)
    #expect(response.status == "403" && response["content-type"] == "application/json")
  }

  @Test("an answer that is no message of its type is a failure, and ends the call with the stream")
  func unreadable() throws {
    let call = try rest("GET", "/v1/users/7")
    #expect(started(call) != nil)
    call.sendFrame(MessageFrame([0xFF]).bytes)
    #expect(response(call).status == "500")
    call.finish(.ok, trailers: Metadata())
    #expect(call.nextAction() == nil)
    let stream = try rest("GET", "/v1/users:stream")
    #expect(started(stream) != nil)
    stream.sendFrame(MessageFrame([0xFF]).bytes)
    #expect(response(stream).body.hasPrefix(#"{"error":{"code":13,"#))
    stream.receive(.streamClosed(1, .noError))
    #expect(stream.nextCallEvent() == .cancelled(.noError))
  }

  @Test("a reset cancels the call, once, and nothing is sent any more")
  func cancelled() throws {
    let call = try rest("GET", "/v1/users:stream")
    #expect(started(call) != nil)
    call.receive(.reset(1, .cancel, by: .peer))
    #expect(call.nextCallEvent() == .cancelled(.cancel))
    call.receive(.streamClosed(1, .cancel))
    #expect(call.nextCallEvent() == nil)
    call.sendFrame(MessageFrame(user("7")).bytes)
    #expect(call.nextAction() == nil)
  }

  @Test("methods without annotations are reached where a pattern opens them")
  func exposed() throws {
    let path = "/pb.Greeter/SayHello"
    #expect(response(try rest("POST", path)).status == "404")
    let call = try rest("POST", path, end: false, exposed: ["pb.*"])
    #expect(started(call)?.path == path)
    call.receive(data(#"{"name":"Ada"}"#, end: true))
    #expect(messages(call) == [user("Ada")])
  }

  @Test("a pattern that means nothing is told, and one that fits another schema is not")
  func patterns() throws {
    let pool = try DescriptorPool(set: DescriptorSet.bytes)
    let routes = RESTRoutes([(pool, ["pb.Greeter"]), (pool, ["user.v1.UserService"])], exposed: ["pb.*", "no.*"])
    #expect(routes.problems.map(\.subject) == ["no.*"])
  }
}

@Suite(.endsIfItHangs) struct WebCallTests {
  private func web(_ type: String, _ fields: [HeaderField] = []) throws -> EdgeCall<WebForm> {
    let form = try #require(GRPCWebForm(contentType: type))
    let call = EdgeCall(WebForm(form, accept: nil, HeaderRules(), context))
    call.receive(request("POST", "/pb.Greeter/SayHello", [HeaderField("content-type", type)] + fields, end: false))
    return call
  }

  @Test("a call of gRPC-Web has its trailers behind the messages", arguments: [true, false])
  func call(isText: Bool) throws {
    func coded(_ bytes: [UInt8]) -> [UInt8] { isText ? Array(Base64.encode(bytes.span, padded: true).utf8) : bytes }
    let type = isText ? "application/grpc-web-text" : "application/grpc-web+proto"
    let call = try web(type, [HeaderField("authorization", "Bearer t"), HeaderField("origin", "https://a.example")])
    let request = try #require(started(call))
    #expect(request.path == "/pb.Greeter/SayHello" && request.metadata.first("authorization") == "Bearer t")
    #expect(request.metadata.first("origin") == nil)
    call.receive(data(coded(MessageFrame(user("Ada")).bytes), end: true))
    #expect(messages(call) == [user("Ada")])
    call.sendFrame(MessageFrame(user("Hi")).bytes)
    call.finish(Status(.dataLoss, "gone"), trailers: Metadata())
    let response = response(call)
    let end = "grpc-status: 15\r\ngrpc-message: gone\r\n"
    let body = coded(MessageFrame(user("Hi")).bytes) + coded([0x80, 0, 0, 0, UInt8(end.utf8.count)] + end.utf8)
    #expect(response.status == "200" && response.ending == "end")
    #expect(response.body == String(decoding: body, as: UTF8.self))
  }

  @Test("a body that is none of gRPC-Web is refused in its trailers")
  func malformed() throws {
    let call = try web("application/grpc-web")
    #expect(started(call) != nil)
    call.receive(data([9, 0, 0, 0, 0]))
    guard case .refused(let status)? = call.nextEvent() else { return #expect(Bool(false), "it was not refused") }
    #expect(status.code == .internal)
    #expect(response(call).body.contains("grpc-status: 13"))
    let cut = try web("application/grpc-web")
    #expect(started(cut) != nil)
    cut.receive(data([0, 0, 0], end: true))
    guard case .refused? = cut.nextEvent() else { return #expect(Bool(false), "it was not refused") }
  }
}
