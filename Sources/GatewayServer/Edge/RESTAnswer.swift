// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import HTTP2
internal import Protobuf
internal import Transcoding

/// Writes the answer to a REST request.
///
/// ```
/// waiting ──(a stream's headers, its first message)──► begun ──message…──► ended
///    └──────────(one message and the status; a failure)─────────────────────►┘
/// ```
///
/// Of an answer of one message nothing leaves before the status is known, which the first line of the response is made
/// of. A stream begins as soon as the service has said its first word.
struct RESTAnswer {
  private enum State { case waiting, begun, ended }

  /// Whether the answer has no body whatever it says.
  var isHead = false
  /// Whether the client reads trailers.
  var wantsTrailers = false
  /// The methods that the path can be asked by.
  var allowed: [String] = []
  /// Metadata of an answer that no service has said anything to.
  var ownHeaders = Metadata()
  /// How the body holds messages; nil until that is agreed on.
  var form: ResponseForm? {
    didSet { framer = ResponseFramer(form ?? .single) }
  }

  private let rules: HeaderRules
  private var route: Route?
  private var transcoder: ResponseTranscoder?
  private var framer = ResponseFramer(.single)
  private var state = State.waiting
  private var leading: Metadata?
  /// The one message of an answer that has one.
  private var whole: (contentType: String, body: [UInt8])?

  init(_ rules: HeaderRules) { self.rules = rules }

  /// Takes note of the route that the request leads to.
  mutating func begin(_ route: Route, messageLimit: Int) {
    self.route = route
    var limits = MessageLimits()
    // What a service may say is the client's limit towards it, and no other one's.
    limits.bytes = max(limits.bytes, messageLimit)
    transcoder = ResponseTranscoder(route, limits: limits)
  }

  // MARK: - A good answer

  mutating func sendHeaders(_ metadata: Metadata, _ actions: inout [ServerCallAction]) {
    leading = metadata
    if let route, !route.kind.hasOneResponse, let contentType = form?.contentType {
      beginStream(contentType, &actions)
    }
  }

  mutating func send(_ message: ArraySlice<UInt8>, _ actions: inout [ServerCallAction]) throws(TranscodingError) {
    guard let transcoder, let route, state != .ended else { return }
    let raw = try transcoder.rawBody(message)
    if route.kind.hasOneResponse {
      if let raw {
        whole = (raw.contentType, raw.data)
      } else {
        var json: [UInt8] = []
        try transcoder.writeJSON(message, into: &json)
        whole = ("application/json", json)
      }
      return
    }
    if let raw {
      if state == .waiting { beginStream(raw.contentType, &actions) }
      if state == .begun, !raw.data.isEmpty { actions.append(.data(raw.data)) }
      return
    }
    var bytes: [UInt8] = []
    try framer.message(into: &bytes) { bytes throws(TranscodingError) in try transcoder.writeJSON(message, into: &bytes)
    }
    if state == .begun { actions.append(.data(bytes)) }
  }

  mutating func finish(_ status: Status, _ metadata: Metadata, _ actions: inout [ServerCallAction]) {
    guard state != .ended else { return }
    guard status.code == .ok else {
      let details = metadata.entries.first { $0.name == "grpc-status-details-bin" }?.bytes
      let status = RPCStatus(status, details: details)
      return fail(status, http: status.httpStatus, metadata, &actions)
    }
    let trailers = wantsTrailers ? HeaderFields(rules.trailers(of: metadata)) : []
    guard let route, !route.kind.hasOneResponse else {
      guard let whole else {
        return fail(
          RPCStatus(.internal, "the service has answered without a message"), http: 500, metadata, &actions)
      }
      return end(200, contentType: whole.contentType, whole.body, leading ?? ownHeaders, trailers, &actions)
    }
    // A stream without a message may not have begun; it has a type that nobody needs, as there are no bytes.
    if state == .waiting { beginStream(form?.contentType ?? "application/octet-stream", &actions) }
    guard state == .begun else { return }
    var bytes: [UInt8] = []
    framer.end(into: &bytes)
    if !bytes.isEmpty { actions.append(.data(bytes)) }
    actions.append(trailers.isEmpty ? .end : .trailers(trailers))
    state = .ended
  }

  private mutating func beginStream(_ contentType: String, _ actions: inout [ServerCallAction]) {
    let metadata = leading ?? ownHeaders
    var fields = [HeaderField(":status", "200"), HeaderField("content-type", contentType)]
    if form == .events, metadata.first("cache-control") == nil { fields.append("cache-control", "no-cache") }
    actions.append(.headers(fields + HeaderFields(rules.headers(of: metadata)), endStream: isHead))
    state = isHead ? .ended : .begun
  }

  // MARK: - Other answers

  /// Says which methods the path can be asked by.
  mutating func tellOptions(_ actions: inout [ServerCallAction]) {
    let fields = [HeaderField(":status", "204"), HeaderField("allow", allow)]
    actions.append(.headers(fields + HeaderFields(rules.headers(of: ownHeaders)), endStream: true))
    state = .ended
  }

  /// Ends the answer with a failure: as a response of its own where none has begun, else in its body.
  mutating func fail(_ status: RPCStatus, http: Int, _ metadata: Metadata, _ actions: inout [ServerCallAction]) {
    guard state != .ended else { return }
    let headers = headers(ofFailureWith: metadata)
    var status = status
    status.add(requestID: headers.first("x-request-id") ?? "")
    let pools = [route?.method.pool, RESTRoutes.errorDetails].compactMap { $0 }
    if state == .waiting {
      var json: [UInt8] = []
      status.writeJSON(into: &json, pools: pools)
      let trailers = wantsTrailers && leading != nil ? HeaderFields(rules.trailers(of: metadata)) : []
      return end(http, contentType: "application/json", json, headers, trailers, &actions)
    }
    var bytes: [UInt8] = []
    switch framer.failure(into: &bytes, { status.writeJSON(into: &$0, pools: pools) }) {
    case .told: actions += [.data(bytes), .end]
    case .cutOff: actions.append(.reset(.internalError))
    }
    state = .ended
  }

  /// The metadata that go before the body of a failure: what came before it, or else all that came.
  private func headers(ofFailureWith metadata: Metadata) -> Metadata {
    if let leading { return leading }
    return metadata.entries.isEmpty ? ownHeaders : metadata
  }

  private var allow: String { allowed.joined(separator: ", ") }

  /// Sends a response whose body is whole.
  private mutating func end(
    _ status: Int, contentType: String, _ body: [UInt8], _ metadata: Metadata, _ trailers: HeaderFields,
    _ actions: inout [ServerCallAction]
  ) {
    var fields = [
      HeaderField(":status", String(status)), HeaderField("content-type", contentType),
      HeaderField("content-length", String(body.count)),
    ]
    if status == 405 { fields.append("allow", allow) }
    // Who is not known is told how to say it (RFC 9110 section 15.5.2).
    if status == 401 { fields.append("www-authenticate", "Bearer") }
    fields += HeaderFields(rules.headers(of: metadata))
    state = .ended
    guard !isHead else { return actions.append(.headers(fields, endStream: true)) }
    actions.append(.headers(fields, endStream: false))
    if !body.isEmpty { actions.append(.data(body)) }
    actions.append(trailers.isEmpty ? .end : .trailers(trailers))
  }
}
