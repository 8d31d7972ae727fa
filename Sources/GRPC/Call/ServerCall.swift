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
  private enum Requests { case waiting, open, halfClosed, over }
  private enum Responses { case nothing, streaming, finished }

  private var requests = Requests.waiting
  private var responses = Responses.nothing
  private var deframer: MessageDeframer
  private var events: [ServerCallEvent] = []
  private var actions: [ServerCallAction] = []
  private var ending: ServerCallEvent?

  /// A call with the largest message that is accepted in bytes.
  public init(receiveLimit: Int = defaultReceiveLimit) { deframer = MessageDeframer(limit: receiveLimit) }

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

  /// What the call has to say next; nil until more events come in.
  public mutating func nextEvent() -> ServerCallEvent? {
    if !events.isEmpty { return events.removeFirst() }
    guard requests == .open || requests == .halfClosed else { return nil }
    do throws(Status) {
      if let message = try deframer.nextMessage() { return .message(message) }
    } catch {
      refuse(error)
      return events.isEmpty ? nil : events.removeFirst()
    }
    guard let ending else { return nil }
    self.ending = nil
    if deframer.isInsideMessage {
      refuse(Status(.internal, "the request ends inside a message"))
      return events.isEmpty ? nil : events.removeFirst()
    }
    return ending
  }

  // MARK: - To the client

  /// What the driver is to do next; nil where there is nothing.
  public mutating func nextAction() -> ServerCallAction? { actions.isEmpty ? nil : actions.removeFirst() }

  /// Sends the leading metadata; without this call it goes out empty with the first message. Later calls do nothing.
  public mutating func sendHeaders(_ metadata: Metadata = Metadata()) {
    guard responses == .nothing, requests != .over else { return }
    responses = .streaming
    actions.append(.headers(Self.responseFields + metadata.fields, endStream: false))
  }

  /// Sends a message. Does nothing once the call is over.
  public mutating func sendMessage(_ message: [UInt8]) throws(Status) {
    guard responses != .finished, requests != .over else { return }
    let frame = try MessageFramer.frame(message)
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
    guard fields.first(named: ":method") == "POST" else {
      return answer(http: 405, [HeaderField("allow", "POST")], "gRPC calls are POST requests")
    }
    guard let type = fields.first(named: "content-type"), isGRPC(contentType: type) else {
      return answer(http: 415, [HeaderField("accept", "application/grpc")], "the content type is not application/grpc")
    }
    var timeout: Int64?
    if let text = fields.first(named: "grpc-timeout") {
      guard let value = Timeout.decode(text) else {
        return refuse(Status(.internal, "malformed grpc-timeout: \(text.safeForDisplay)"))
      }
      timeout = value
    }
    let encoding = fields.first(named: "grpc-encoding") ?? ""
    guard let known = MessageEncoding(name: encoding) else {
      var trailers = Metadata()
      trailers.appendReserved("grpc-accept-encoding", "identity,gzip")
      return refuse(
        Status(.unimplemented, "grpc: Decompressor is not installed for grpc-encoding \(encoding.quoted)"), trailers)
    }
    deframer.encoding = known
    deframer.encodingName = encoding
    let authority = fields.first(named: ":authority") ?? fields.first(named: "host") ?? ""
    events.append(
      .started(
        ServerRequest(
          path: fields.first(named: ":path") ?? "", authority: authority, timeout: timeout, metadata: Metadata(fields)))
    )
    if endStream { halfClose() }
  }

  private mutating func halfClose() {
    guard requests == .open else { return }
    requests = .halfClosed
    ending = .halfClosed
  }

  private mutating func cancel(_ code: HTTP2ErrorCode) {
    guard requests != .over else { return }
    requests = .over
    if responses != .finished { events.append(.cancelled(code)) }
    actions = []
  }

  /// Answers in gRPC's terms and ends the call.
  private mutating func refuse(_ status: Status, _ trailers: Metadata = Metadata()) {
    finish(status, trailers: trailers)
    requests = .over
    events.append(.refused(status))
  }

  /// Answers somebody who does not speak gRPC in HTTP's terms, with the status for those who do.
  private mutating func answer(http: Int, _ fields: HeaderFields, _ message: String) {
    let code: StatusCode = http == 405 ? .unimplemented : .internal
    actions.append(
      .headers(
        [HeaderField(":status", String(http))] + fields + [
          HeaderField("grpc-status", String(code.rawValue)), HeaderField("grpc-message", StatusMessage.encode(message)),
        ], endStream: true))
    responses = .finished
    requests = .over
    events.append(.refused(Status(code, message)))
  }
}
