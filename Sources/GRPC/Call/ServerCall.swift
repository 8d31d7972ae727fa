// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import HTTP2

/// What a client asked for, before its first message.
public struct ServerRequest: Equatable, Sendable {
  /// The method, as `/package.Service/Method`.
  public let path: String
  /// The name that the client calls this server by.
  public let authority: String
  /// What the client gives the call, in nanoseconds; nil for a call without a deadline.
  public let timeout: Int64?
  /// The client's metadata.
  public let metadata: Metadata

  /// A request; `timeout` is in nanoseconds.
  public init(path: String, authority: String, timeout: Int64?, metadata: Metadata) {
    self.path = path
    self.authority = authority
    self.timeout = timeout
    self.metadata = metadata
  }
}

/// What a server learns of a call, in order.
public enum ServerCallEvent: Equatable, Sendable {
  /// The call began.
  case started(ServerRequest)
  /// A message.
  case message([UInt8])
  /// The client has sent all that it will.
  case halfClosed
  /// The client gave the call up, or the stream broke: nothing follows, and nothing can be sent any more.
  case cancelled(HTTP2ErrorCode)
  /// The call was refused by the state machine itself, whose answer is among the actions: nothing follows.
  case refused(Status)
}

/// What the driver is to do on the call's stream, in order.
public enum ServerCallAction: Equatable, Sendable {
  /// Send a header section.
  case headers(HeaderFields, endStream: Bool)
  /// Send body bytes.
  case data([UInt8])
  /// Send trailers, which end the stream.
  case trailers(HeaderFields)
  /// End the body without trailers. gRPC has no use for it; other forms of HTTP do.
  case end
  /// Cut the stream off, so that the client sees that what came is not the whole.
  case reset(HTTP2ErrorCode)
}

/// The server's side of one call, from the events of its HTTP/2 stream to messages, and from messages to what is sent.
///
/// ```
/// requests:   waiting ──HEADERS──► open ──END_STREAM──► halfClosed      any ──RST_STREAM──► over
///                │ not gRPC: 405, 415, 400, UNIMPLEMENTED ─────────────────────────────────► over
/// responses:  nothing ──headers──► streaming ──finish──► finished
///                └────────finish ("trailers-only")─────────▲
/// ```
public struct ServerCall: Sendable {
  /// Trailing metadata for a status that the state machine itself ends a call with. `isWhole` says that no header
  /// section went before, so that what belongs into the leading one has to be part of this.
  public typealias RefusalTrailers = @Sendable (Status, ServerFailure, _ isWhole: Bool) -> Metadata

  private enum Requests { case waiting, open, halfClosed, over }
  private enum Responses { case nothing, streaming, finished }

  private var requests = Requests.waiting
  private var responses = Responses.nothing
  private var deframer: MessageDeframer
  private var started: ServerRequest?
  /// The end that is no half-close, which follows the start and drops everything else.
  private var over: ServerCallEvent?
  private var actions: [ServerCallAction] = []
  private var nextActionIndex = 0
  private var ending: ServerCallEvent?
  private let isServed: Bool
  private let refusalTrailers: RefusalTrailers?

  /// Whether the leading header section was sent.
  public var hasSentHeaders: Bool { responses != .nothing }

  /// Whether the client understands compressed answers.
  public private(set) var acceptsGzip = false

  /// The encoding that the leading header section announces, so that frames compressed with it may follow.
  public var responseEncoding = MessageEncoding.identity

  /// A call with the largest message that is accepted in bytes. `isServed` says whether its path is one that the server
  /// knows, which makes a difference for those who do not speak gRPC. `refusalTrailers` adds to what the client is told
  /// of a call that is refused here.
  public init(
    receiveLimit: Int = defaultReceiveLimit, isServed: Bool = true, refusalTrailers: RefusalTrailers? = nil
  ) {
    deframer = MessageDeframer(limit: receiveLimit)
    self.isServed = isServed
    self.refusalTrailers = refusalTrailers
  }

  // MARK: - From the client

  /// Takes an event of the call's own stream. Others, and all that follow the end, are passed over.
  public mutating func receive(_ event: HTTP2Event) {
    switch event {
    case .headers(_, let fields, kind: .request, let endStream): start(fields, endStream: endStream)
    case .headers(_, _, kind: .trailers, endStream: _): halfClose()
    case .data(_, let bytes, flowControlled: _, let endStream):
      guard requests == .open else { return }
      deframer.receive(bytes)
      if endStream { halfClose() }
    case .reset(_, let code, by: _): cancel(code)
    case .streamClosed(_, let code): if responses != .finished || requests == .open { cancel(code) }
    default: break
    }
  }

  /// The next of the events that concern the call as a whole: its start, and an end that is no half-close. Messages
  /// stay where they are, so that a driver can leave them undecoded until somebody reads.
  public mutating func nextCallEvent() -> ServerCallEvent? {
    if let started {
      self.started = nil
      return .started(started)
    }
    guard let over else { return nil }
    self.over = nil
    return over
  }

  /// Whether the message that ``nextEvent()`` gave last came compressed.
  public var lastMessageWasCompressed: Bool { deframer.lastWasCompressed }

  /// Received bytes that wait as whole messages for ``nextEvent()``. A driver that gives all others back to the window
  /// holds back a client whose messages nobody reads, and never one whose message has to become whole first.
  public var unreadBytes: Int { deframer.hasMessage ? deframer.bufferedBytes : 0 }

  /// What the call has to say next; nil until more events come in.
  public mutating func nextEvent() -> ServerCallEvent? {
    if let event = nextCallEvent() { return event }
    guard requests == .open || requests == .halfClosed else { return nil }
    do throws(Status) {
      if let message = try deframer.nextMessage() { return .message(message) }
    } catch {
      refuse(error, error.code == .resourceExhausted ? .messageTooLarge : .malformedMessage)
      return nextCallEvent()
    }
    guard let ending else { return nil }
    self.ending = nil
    if deframer.isInsideMessage {
      refuse(Status(.internal, "the request ends inside a message"), .malformedMessage)
      return nextCallEvent()
    }
    return ending
  }

  // MARK: - To the client

  /// What the driver is to do next; nil where there is nothing.
  public mutating func nextAction() -> ServerCallAction? {
    guard nextActionIndex < actions.count else { return nil }
    let action = actions[nextActionIndex]
    nextActionIndex += 1
    if nextActionIndex == actions.count {
      actions.removeAll(keepingCapacity: true)
      nextActionIndex = 0
    }
    return action
  }

  /// Sends the leading metadata; without this call it goes out empty with the first message. Later calls do nothing.
  public mutating func sendHeaders(_ metadata: Metadata = Metadata()) {
    guard responses == .nothing, requests != .over else { return }
    responses = .streaming
    // Most answers are these three: headers, one message, trailers.
    actions.reserveCapacity(3)
    var fields = Self.responseFields
    if responseEncoding != .identity { fields.append("grpc-encoding", responseEncoding.name) }
    if !metadata.entries.isEmpty { fields += metadata.fields }
    actions.append(.headers(fields, endStream: false))
  }

  /// Sends a message. Does nothing once the call is over.
  public mutating func sendMessage(_ message: [UInt8]) throws(Status) {
    guard responses != .finished, requests != .over else { return }
    sendFrame(try MessageFramer.frame(message))
  }

  /// Sends a message that is framed already. Does nothing once the call is over.
  public mutating func sendFrame(_ frame: [UInt8]) {
    guard responses != .finished, requests != .over else { return }
    sendHeaders()
    actions.append(.data(frame))
  }

  /// Ends the call with a status: in trailers, or in the one header section of a call that sent nothing before.
  public mutating func finish(_ status: Status, trailers: Metadata = Metadata()) {
    guard responses != .finished, requests != .over else { return }
    var fields = [HeaderField("grpc-status", String(status.code.rawValue))]
    if !status.message.isEmpty { fields.append("grpc-message", StatusMessage.encode(status.message)) }
    fields += trailers.fields
    if responses == .nothing {
      actions.append(.headers(Self.responseFields + fields, endStream: true))
    } else {
      actions.append(.trailers(fields))
    }
    responses = .finished
  }

  // MARK: - Rules

  private static let responseFields = [HeaderField(":status", "200"), HeaderField("content-type", "application/grpc")]

  private mutating func start(_ fields: HeaderFields, endStream: Bool) {
    guard requests == .waiting else { return }
    requests = .open
    let request = RequestFields(fields)
    let isCall = isGRPC(contentType: request.contentType)
    guard isServed || isCall else { return answer(http: 404, [], "there is no such method") }
    guard request.method == "POST" else {
      return answer(http: 405, [HeaderField("allow", "POST")], "gRPC calls are POST requests")
    }
    guard isCall else {
      return answer(http: 415, [HeaderField("accept", "application/grpc")], "the content type is not application/grpc")
    }
    var timeout: Int64?
    if let text = request.timeout {
      guard let value = Timeout.decode(text) else {
        return refuse(Status(.internal, "malformed grpc-timeout: \(text.safeForDisplay)"), .malformedTimeout)
      }
      timeout = value
    }
    guard let known = MessageEncoding(name: request.encoding) else {
      var trailers = Metadata()
      trailers.appendReserved("grpc-accept-encoding", "identity,gzip")
      return refuse(
        Status(
          .unimplemented, "grpc: Decompressor is not installed for grpc-encoding \(request.encoding.quoted)"),
        .unknownEncoding, trailers)
    }
    acceptsGzip = Self.namesGzip(request.acceptedEncodings)
    deframer.encoding = known
    deframer.encodingName = request.encoding
    started = ServerRequest(
      path: request.path, authority: request.authority, timeout: timeout, metadata: request.metadata)
    if endStream { halfClose() }
  }

  private static func namesGzip(_ list: String) -> Bool {
    if list.isEmpty { return false }
    for name in list.split(onASCII: 0x2C) where name.asciiTrimmed == "gzip" { return true }
    return false
  }

  private mutating func halfClose() {
    guard requests == .open else { return }
    requests = .halfClosed
    ending = .halfClosed
  }

  private mutating func cancel(_ code: HTTP2ErrorCode) {
    guard requests != .over else { return }
    requests = .over
    if responses != .finished { over = .cancelled(code) }
    actions = []
    nextActionIndex = 0
  }

  /// Answers in gRPC's terms and ends the call.
  private mutating func refuse(_ status: Status, _ failure: ServerFailure, _ trailers: Metadata = Metadata()) {
    var trailers = trailers
    if let refusalTrailers { trailers.append(contentsOf: refusalTrailers(status, failure, !hasSentHeaders)) }
    finish(status, trailers: trailers)
    requests = .over
    over = .refused(status)
  }

  /// Answers somebody who does not speak gRPC in HTTP's terms, with the status for those who do.
  private mutating func answer(http: Int, _ fields: HeaderFields, _ message: String) {
    let code: StatusCode = http == 415 ? .internal : .unimplemented
    actions.append(
      .headers(
        [HeaderField(":status", String(http))] + fields + [
          HeaderField("grpc-status", String(code.rawValue)), HeaderField("grpc-message", StatusMessage.encode(message)),
        ], endStream: true))
    responses = .finished
    requests = .over
    over = .refused(Status(code, message))
  }
}

/// The fields of a request that mean something to a server, found in one pass, and the rest.
private struct RequestFields {
  var method = ""
  var path = ""
  var authority = ""
  var contentType = ""
  var encoding = ""
  var acceptedEncodings = ""
  var timeout: String?
  var metadata = Metadata()

  init(_ fields: HeaderFields) {
    for field in fields {
      switch RequestField(field.name) {
      case .method: method = field.value
      case .path: path = field.value
      case .authority: authority = field.value
      case .contentType: if contentType.isEmpty { contentType = field.value }
      case .encoding: encoding = field.value
      case .acceptedEncodings: acceptedEncodings = field.value
      case .timeout: if timeout == nil { timeout = field.value }
      case nil: metadata.append(received: field)
      }
    }
    if authority.isEmpty { authority = fields.first(named: "host") ?? "" }
  }
}

/// A field of a request that means something to a server.
private enum RequestField {
  case method, path, authority, contentType, encoding, acceptedEncodings, timeout

  /// The field of a name. By its length first: comparing each name with all of them took as long as all the rest that
  /// is done with a request's fields.
  init?(_ name: String) {
    switch name.utf8.count {
    case 5 where name == ":path": self = .path
    case 7 where name == ":method": self = .method
    case 10 where name == ":authority": self = .authority
    case 12 where name == "content-type": self = .contentType
    case 12 where name == "grpc-timeout": self = .timeout
    case 13 where name == "grpc-encoding": self = .encoding
    case 20 where name == "grpc-accept-encoding": self = .acceptedEncodings
    default: return nil
    }
  }
}
