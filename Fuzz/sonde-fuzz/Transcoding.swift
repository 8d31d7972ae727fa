// SPDX-License-Identifier: Apache-2.0

import GRPC
import Protobuf
import Transcoding

/// A template of paths. The one that is read leads from a path that is made of its segments.
@Sendable func pathTemplate(_ input: [UInt8]) {
  let text = String(decoding: input, as: UTF8.self)
  let template: PathTemplate
  do throws(PathTemplateError) { template = try PathTemplate(text) } catch {
    check(!error.message.utf8.contains { $0 < 0x20 }, "an error is one line")
    check((1...max(input.count * 3, 1) + 1).contains(error.column), "an error has a place")
    return
  }
  guard let pool else { return }
  var rule = HTTPRule("GET", text)
  rule.selector = "t.S.Get"
  var options = RouteOptions()
  options.rules = [rule]
  let table = RouteTable(pool, options: options)
  check(table.problems.allSatisfy { !$0.message.utf8.contains { $0 < 0x20 } }, "a problem is one line")
  guard !table.routes.isEmpty else { return }
  var path: [UInt8] = []
  for segment in template.segments {
    path.append(0x2F)
    switch segment {
    case .literal(let bytes): for byte in bytes { path += escaped(byte) }
    case .any: path.append(0x78)
    case .rest: path += [0x78, 0x2F, 0x2F]
    }
  }
  if let verb = template.verb { path += [0x3A] + verb }
  guard case .found(let match) = table.match("GET", path[...]) else { fatalError("a route has a path") }
  _ = try? RequestTranscoder(match).message(body: [])
}

/// A byte as an escape, so that it stands for itself wherever it is.
private func escaped(_ byte: UInt8) -> [UInt8] {
  [0x25] + [byte >> 4, byte & 15].map { $0 < 10 ? 0x30 + $0 : 0x37 + $0 }
}

/// A method, a target and a body, with a line's end behind each of the first two: what is bound can be encoded, and
/// the strict reading takes nothing that the lenient one takes otherwise.
@Sendable func restRequest(_ input: [UInt8]) {
  guard let routes else { return }
  let lines = input.split(separator: 0x0A, maxSplits: 2, omittingEmptySubsequences: false)
  guard lines.count == 3 else { return }
  let target = lines[1]
  let mark = target.firstIndex(of: 0x3F) ?? target.endIndex
  guard case .found(let match) = routes.match(String(decoding: lines[0], as: UTF8.self), target[..<mark]) else {
    return
  }
  func message(isStrict: Bool) -> DynamicMessage? {
    var options = RequestOptions()
    options.isStrict = isStrict
    options.limits.depth = 20
    options.parameterLimit = 100
    let query = mark < target.endIndex ? target[(mark + 1)...] : []
    let request = RequestTranscoder(match, query: query, contentType: "a/b", options: options)
    do throws(TranscodingError) { return try request.message(body: lines[2]) } catch {
      check(!error.message.utf8.contains { $0 < 0x20 }, "an error is one line")
      var json: [UInt8] = []
      error.status(domain: "a").writeJSON(into: &json, pools: [match.route.method.pool])
      return nil
    }
  }
  let lenient = message(isStrict: false)
  if let strict = message(isStrict: true) { check(strict == lenient, "the strict reading is the lenient one") }
  guard let lenient else { return }
  var (encoded, json): ([UInt8], [UInt8]) = ([], [])
  check((try? lenient.encode(into: &encoded)) != nil, "what was bound can be encoded")
  do throws(TranscodingError) { try ResponseTranscoder(match.route).writeJSON(encoded[...], into: &json) } catch {
    check(!error.message.utf8.contains { $0 < 0x20 }, "an error is one line")
  }
}

/// Headers that choose the forms of bodies, and the bytes of a status' details.
@Sendable func restHeaders(_ input: [UInt8]) {
  guard let routes else { return }
  let text = String(decoding: input, as: UTF8.self)
  for route in routes.routes {
    if let form = try? ResponseForm.negotiate(text, for: route) {
      check((try? ResponseForm.negotiate(form.contentType, for: route)) == form, "a form is what it is called")
    }
    do throws(TranscodingError) { try RequestBodyType.check(text, for: route) } catch {
      check(!error.message.utf8.contains { $0 < 0x20 }, "an error is one line")
    }
  }
  _ = try? DeadlineRules().timeout(grpcTimeout: text, serverTimeout: nil)
  if let time = (try? DeadlineRules().timeout(grpcTimeout: nil, serverTimeout: text)) ?? nil {
    check(time >= 0, "no time is negative")
  }
  var json: [UInt8] = []
  RPCStatus(Status(.unknown, text), details: input).writeJSON(into: &json, pools: [routes.routes[0].method.pool])
  check(json.last == 0x7D, "a status is written")
}

/// The body of a request of gRPC-Web, cut where the input's first byte says; then in one piece.
@Sendable func grpcWeb(_ input: [UInt8]) {
  guard let first = input.first else { return }
  let bytes = Array(input.dropFirst())
  let form: GRPCWebForm = first & 1 == 0 ? .binary : .text
  func messages(_ size: Int) -> ([[UInt8]], Status?) {
    var decoder = GRPCWebDecoder(form, limit: 1_000)
    var found: [[UInt8]] = []
    do throws(Status) {
      for start in stride(from: 0, to: bytes.count, by: size) {
        decoder.receive(bytes[start..<min(start + size, bytes.count)])
        while let message = try decoder.nextMessage() { found.append(message) }
      }
      try decoder.checkEnd()
    } catch { return (found, error) }
    return (found, nil)
  }
  let whole = messages(max(bytes.count, 1))
  check(messages(Int(first) / 2 + 1) == whole, "cuts make no difference")
  var again: [UInt8] = [first]
  for message in whole.0 { GRPCWebEncoder(form).message(MessageFrame(message), into: &again) }
  if whole.1 == nil, again.count == input.count, form == .binary { check(again == input, "frames read back") }
}

/// `t.S`, whose request has a field of most kinds.
private let pool: DescriptorPool? = {
  let source = """
    syntax = "proto3";
    package t;
    import "google/protobuf/known.proto";
    enum E { ZERO = 0; ONE = 1; }
    message M {
      string s = 1; int32 i = 2; uint64 u = 3; sint64 z = 4; double d = 5; float f = 6; bool b = 7;
      bytes y = 8; E e = 9;
      repeated string rs = 11; repeated int64 ri = 12; repeated bytes ry = 13; repeated M rm = 14;
      map<string, string> ms = 15; map<int32, E> mi = 16; M m = 17; optional int32 o = 18;
      oneof one { string a = 21; M c = 22; }
      google.protobuf.Timestamp t = 31; google.protobuf.Duration du = 32; google.protobuf.FieldMask mask = 33;
      google.protobuf.Struct st = 34; google.protobuf.Value v = 35; google.protobuf.ListValue l = 36;
      google.protobuf.Int64Value w = 37;
    }
    service S { rpc Get(M) returns (M); rpc Put(M) returns (stream M); rpc Send(stream M) returns (M); }
    """
  let known = """
    syntax = "proto3";
    package google.protobuf;
    message Timestamp { int64 seconds = 1; int32 nanos = 2; }
    message Duration { int64 seconds = 1; int32 nanos = 2; }
    message FieldMask { repeated string paths = 1; }
    message Struct { map<string, Value> fields = 1; }
    message Value {
      oneof kind {
        NullValue null_value = 1; double number_value = 2; string string_value = 3; bool bool_value = 4;
        Struct struct_value = 5; ListValue list_value = 6;
      }
    }
    enum NullValue { NULL_VALUE = 0; }
    message ListValue { repeated Value values = 1; }
    message Int64Value { int64 value = 1; }
    """
  let files = try? SchemaSource.compile(["t.proto"]) { name in
    .success(Array((name == "t.proto" ? source : known).utf8))
  }
  return files.flatMap { try? DescriptorPool(files: $0) }
}()

private let routes: RouteTable? = pool.map { pool in
  var get = HTTPRule("GET", "/a/{s}")
  get.selector = "t.S.Get"
  get.additionalBindings = [
    HTTPRule("POST", "/a", body: "*"), HTTPRule("PATCH", "/a/{m.s}", body: "m"), HTTPRule("GET", "/b/{s=x/**}"),
    HTTPRule("GET", "/b/{i}/{c.d}/{t}:go"), HTTPRule("PUT", "/c", body: "rm", responseBody: "rm"),
    HTTPRule("*", "/**", responseBody: "v"),
  ]
  var put = HTTPRule("GET", "/stream")
  put.selector = "t.S.Put"
  var send = HTTPRule("POST", "/send", body: "*")
  send.selector = "t.S.Send"
  var options = RouteOptions()
  options.rules = [get, put, send]
  return RouteTable(pool, options: options)
}
