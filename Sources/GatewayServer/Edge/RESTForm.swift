// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import GRPC
internal import GRPCServer
internal import HTTP2
internal import Protobuf
internal import Transcoding

/// Calls as `google.api.http` has them: paths, queries and JSON.
struct RESTForm: CallForm {
  private let routes: RESTRoutes
  private let rules: HeaderRules
  private let context: TranslationContext
  private var messages: RequestMessages?
  private var answer: RESTAnswer

  /// The form of a request, for which the routes stay as they are now.
  init(_ routes: RESTRoutes, _ rules: HeaderRules, _ context: TranslationContext) {
    self.routes = routes
    self.rules = rules
    self.context = context
    answer = RESTAnswer(rules)
  }

  // MARK: - Requests

  mutating func begin(
    _ fields: HeaderFields, _ actions: inout [ServerCallAction]
  ) throws(TranscodingError) -> ServerRequest? {
    let method = fields.first(named: ":method") ?? ""
    answer.isHead = method == "HEAD"
    answer.wantsTrailers = fields.contains { $0.name == "te" && $0.value.asciiLowercased.asciiTrimmed == "trailers" }
    answer.ownHeaders = context.responseHeaders
    if let id = fields.first(named: "x-request-id") { try? answer.ownHeaders.append("x-request-id", id) }
    let target = Array((fields.first(named: ":path") ?? "").utf8)
    let end = target.firstIndex(of: 0x3F) ?? target.endIndex
    let match: RouteMatch
    switch routes.match(method, target[..<end]) {
    case .found(let found): match = found
    case .malformed: throw TranscodingError.malformedPath
    case .notFound: throw TranscodingError.notFound
    case .methodNotAllowed(let methods):
      answer.allowed = methods
      throw TranscodingError.methodNotAllowed(method, allowed: methods)
    case .options(let methods):
      answer.allowed = methods
      answer.tellOptions(&actions)
      return nil
    }
    return try begin(match, query: target[min(end + 1, target.endIndex)...], fields)
  }

  private mutating func begin(
    _ match: RouteMatch, query: ArraySlice<UInt8>, _ fields: HeaderFields
  ) throws(TranscodingError) -> ServerRequest {
    let route = match.route
    let contentType = fields.first(named: "content-type")
    answer.begin(route, messageLimit: context.messageLimit)
    try RequestBodyType.check(contentType, for: route)
    answer.form = try ResponseForm.negotiate(fields.joined(named: "accept"), for: route)
    var options = RequestOptions()
    options.limits.bytes = context.messageLimit
    messages = RequestMessages(
      RequestTranscoder(match, query: query, contentType: contentType ?? "", options: options),
      limit: context.messageLimit)
    let origin = HeaderRules.Origin(
      peer: context.peer.host, scheme: context.peer.security == nil ? "http" : "https")
    return ServerRequest(
      path: route.method.callPath, authority: fields.authority,
      timeout: try DeadlineRules().timeout(
        grpcTimeout: fields.first(named: "grpc-timeout"), serverTimeout: fields.first(named: "x-server-timeout")),
      metadata: try rules.metadata(of: fields.headers, from: origin))
  }

  mutating func receive(_ bytes: [UInt8]) { messages?.receive(bytes) }

  mutating func receiveEnd() { messages?.receiveEnd() }

  mutating func nextMessage() throws(TranscodingError) -> [UInt8]? { try messages?.next() }

  // MARK: - Answers

  mutating func sendHeaders(_ metadata: Metadata, _ actions: inout [ServerCallAction]) {
    answer.sendHeaders(metadata, &actions)
  }

  mutating func sendFrame(_ frame: [UInt8], _ actions: inout [ServerCallAction]) throws(TranscodingError) {
    try answer.send(frame.dropFirst(MessageFramer.prefixLength), &actions)
  }

  mutating func finish(_ status: Status, _ metadata: Metadata, _ actions: inout [ServerCallAction]) {
    answer.finish(status, metadata, &actions)
  }

  mutating func refuse(_ failure: TranscodingError, _ actions: inout [ServerCallAction]) -> Status {
    answer.fail(failure.status(domain: context.errorDomain ?? ""), http: failure.httpStatus, Metadata(), &actions)
    return Status(failure.statusCode, failure.message)
  }
}

extension HeaderFields {
  /// The name that the client calls the server by.
  var authority: String { first(named: ":authority") ?? first(named: "host") ?? "" }

  /// All values of a name as one list; nil where there is none.
  func joined(named name: String) -> String? {
    var list: String?
    for field in self where field.name == name { list = list.map { $0 + ", " + field.value } ?? field.value }
    return list
  }

  /// What is no part of the request line, and the host.
  var headers: some Sequence<(name: String, value: String)> {
    lazy.filter { $0.name.utf8.first != 0x3A || $0.name == ":authority" }
      .map { (name: $0.name == ":authority" ? "host" : $0.name, value: $0.value) }
  }

  /// Fields of names and values.
  init(_ fields: [(name: String, value: String)]) { self = fields.map { HeaderField($0.name, $0.value) } }
}

extension Peer {
  /// The address without the port; empty where it is no address of IP.
  fileprivate var host: String {
    let text = address.after("ipv4:") ?? address.after("ipv6:") ?? ""
    guard let colon = text.utf8.lastIndex(of: 0x3A) else { return "" }
    var host = text[..<colon]
    if host.utf8.first == 0x5B { host = host.dropFirst().dropLast() }
    return String(host)
  }
}
