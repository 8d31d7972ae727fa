// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import HTTP2

/// How a call ended, and what else the end said.
public struct CallEnd: Equatable, Sendable {
  /// The status.
  public let status: Status
  /// The trailing metadata.
  public let trailers: Metadata
  /// Whether the server said that it did not touch the call, so that sending it once more repeats nothing.
  public let isUnprocessed: Bool
  /// The code of the RST_STREAM by which the server ended the call; nil where it ended otherwise.
  public let resetCode: HTTP2ErrorCode?

  /// An end.
  public init(
    status: Status, trailers: Metadata = Metadata(), isUnprocessed: Bool = false, resetCode: HTTP2ErrorCode? = nil
  ) {
    self.status = status
    self.trailers = trailers
    self.isUnprocessed = isUnprocessed
    self.resetCode = resetCode
  }
}

/// What a client learns of its call, in order.
public enum ClientCallEvent: Equatable, Sendable {
  /// The server's leading metadata.
  case headers(Metadata)
  /// A message.
  case message([UInt8])
  /// The end; nothing follows. Where the stream is still open, the driver resets it with CANCEL.
  case ended(CallEnd)
}

/// The client's side of one call, from the events of its HTTP/2 stream to messages and a status.
///
/// ```
///            gRPC HEADERS                 HEADERS + END_STREAM
/// waiting ────────────────► receiving ──────────────────────────┐
///    │ │ └─ HEADERS + END_STREAM ("trailers-only") ─────────────┤
///    │ │                       │ DATA + END_STREAM, RST_STREAM,  ▼
///    │ │ other HEADERS         │ connection lost, bad message   ended
///    │ └──────────► foreign ───┼── body read or END_STREAM ─────▲
///    └── RST_STREAM, connection lost ───────────────────────────┘
/// ```
///
/// The texts of what went wrong are the ones that users of gRPC's Go implementation search their logs for.
public struct ClientCall: Sendable {
  /// How much of a foreign answer's body is kept for the message.
  static let foreignBodyLimit = 1024

  private enum State: Equatable {
    case waiting
    case receiving
    /// The answer is HTTP, but not gRPC: its first bytes go into the status's message.
    case foreign(code: StatusCode, message: String, body: [UInt8])
    case ending(CallEnd)
    case ended
  }

  private let kind: CallKind
  private var state = State.waiting
  private var deframer: MessageDeframer
  private var headers: Metadata?
  private var messages = 0

  /// A call of a kind, with the largest message that is accepted in bytes.
  public init(kind: CallKind, receiveLimit: Int = defaultReceiveLimit) {
    self.kind = kind
    deframer = MessageDeframer(limit: receiveLimit)
  }

  /// Takes an event of the call's own stream. Others, and all that follow the end, are passed over.
  public mutating func receive(_ event: HTTP2Event) {
    switch event {
    case .headers(_, _, kind: .informational, endStream: _): break
    case .headers(_, let fields, kind: _, let endStream): receive(fields, endStream: endStream)
    case .data(_, let bytes, flowControlled: _, let endStream): receive(bytes, endStream: endStream)
    case .reset(_, let code, let initiator): receive(reset: code, by: initiator)
    case .streamClosed(_, .refusedStream): end(.unavailable, "the connection is draining", isUnprocessed: true)
    case .streamClosed(_, let code): receive(reset: code, by: .peer)
    default: break
    }
  }

  /// Ends the call for a reason that its stream does not know: a lost connection, a deadline, the user.
  public mutating func end(_ status: Status) { end(CallEnd(status: status)) }

  /// Whether the message that ``nextEvent()`` gave last came compressed.
  public var lastMessageWasCompressed: Bool { deframer.lastWasCompressed }

  /// Received bytes that wait as whole messages for ``nextEvent()``. A driver that gives all others back to the window
  /// holds back a server whose messages nobody reads, and never one whose message has to become whole first.
  public var unreadBytes: Int { deframer.hasMessage ? deframer.bufferedBytes : 0 }

  /// What the call has to say next; nil until more events come in.
  public mutating func nextEvent() -> ClientCallEvent? {
    if let headers {
      self.headers = nil
      return .headers(headers)
    }
    if state == .ended { return nil }
    do throws(Status) {
      if let message = try deframer.nextMessage() {
        messages += 1
        if messages > 1, kind.hasOneResponse {
          throw Status(
            .internal,
            "cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message")
        }
        return .message(message)
      }
    } catch {
      state = .ended
      return .ended(CallEnd(status: error))
    }
    guard case .ending(let end) = state else { return nil }
    state = .ended
    return .ended(checked(end))
  }

  // MARK: - What comes in

  private mutating func receive(_ fields: HeaderFields, endStream: Bool) {
    switch state {
    case .waiting:
      let contentType = fields.first(named: "content-type")
      guard let contentType, isGRPC(contentType: contentType) else {
        return receive(foreign: fields, contentType: contentType, endStream: endStream)
      }
      if endStream { return end(from: fields) }
      let name = fields.first(named: "grpc-encoding") ?? ""
      deframer.encoding = MessageEncoding(name: name)
      deframer.encodingName = name
      headers = Metadata(fields)
      state = .receiving
    case .receiving:
      if endStream { end(from: fields) }
    case .foreign(let code, let message, let body):
      if endStream { end(foreign: code, message, body) }
    case .ending, .ended: break
    }
  }

  private mutating func receive(_ bytes: [UInt8], endStream: Bool) {
    switch state {
    case .receiving:
      deframer.receive(bytes)
      if endStream { end(.internal, "server closed the stream without sending trailers") }
    case .foreign(let code, let message, var body):
      body += bytes.prefix(Self.foreignBodyLimit - body.count)
      if endStream || body.count == Self.foreignBodyLimit {
        end(foreign: code, message, body)
      } else {
        state = .foreign(code: code, message: message, body: body)
      }
    case .waiting, .ending, .ended: break  // DATA before HEADERS is a violation that HTTP/2 ends itself
    }
  }

  private mutating func receive(foreign fields: HeaderFields, contentType: String?, endStream: Bool) {
    let status = fields.first(named: ":status").flatMap { parseDecimal($0.utf8, atMost: 999) }
    let code = status.map { HTTPMapping.code(httpStatus: $0) } ?? .internal
    var message = "malformed header: missing HTTP status"
    if let status {
      message = "unexpected HTTP status code received from server: \(status) (\(HTTPMapping.reasonPhrase(status)))"
    }
    message += "; "
    if let contentType {
      message += "transport: received unexpected content-type \(contentType.quoted)"
    } else {
      message += "malformed header: missing HTTP content-type"
    }
    if endStream { return end(code, message) }
    state = .foreign(code: code, message: message, body: [])
  }

  private mutating func receive(reset code: HTTP2ErrorCode, by initiator: Initiator) {
    // A foreign answer that is cut off still says more than the cut.
    if case .foreign(let status, let message, let body) = state { return end(foreign: status, message, body) }
    switch initiator {
    case .peer:
      let status = Status(
        HTTPMapping.code(reset: code), "stream terminated by RST_STREAM with error code: \(code.name)")
      end(CallEnd(status: status, isUnprocessed: code == .refusedStream, resetCode: code))
    case .local, .library:
      end(.internal, "the server broke a rule of HTTP/2 on this stream: \(code.name)")
    }
  }

  // MARK: - The end

  private mutating func end(from fields: HeaderFields) {
    var status = Status(.unknown, origin: .peer)
    if let text = fields.first(named: "grpc-status") {
      switch statusCode(text) {
      case .success(let code):
        status.code = code
        status.message = StatusMessage.decode(fields.first(named: "grpc-message") ?? "")
      case .failure(let why):
        status = Status(
          .unknown, "transport: malformed grpc-status: strconv.ParseInt: parsing \(text.quoted): \(why.text)")
      }
    }
    end(CallEnd(status: status, trailers: Metadata(fields)))
  }

  private mutating func end(foreign code: StatusCode, _ message: String, _ body: [UInt8]) {
    end(code, message + "\ndata: " + String(decoding: body, as: UTF8.self).quoted)
  }

  private mutating func end(_ code: StatusCode, _ message: String, isUnprocessed: Bool = false) {
    end(CallEnd(status: Status(code, message), isUnprocessed: isUnprocessed))
  }

  private mutating func end(_ end: CallEnd) {
    switch state {
    case .ending, .ended: break  // the first end counts
    default: state = .ending(end)
    }
  }

  /// Success is success only with the messages that the kind of call promises.
  private func checked(_ end: CallEnd) -> CallEnd {
    guard end.status.code == .ok else { return end }
    var status = end.status
    if deframer.isInsideMessage {
      status = Status(.internal, "unexpected EOF")
    } else if messages == 0, kind.hasOneResponse {
      status = Status(
        .internal, "cardinality violation: received no response message from non-server-streaming RPC")
    }
    return CallEnd(status: status, trailers: end.trailers)
  }
}

private struct NumberError: Error {
  let text: String
}

/// Reads `grpc-status`: a decimal 32-bit number with an optional sign. A negative one is taken modulo 2^32.
private func statusCode(_ text: String) -> Result<StatusCode, NumberError> {
  var digits = Substring(text).utf8
  let isNegative = digits.first == 0x2D
  if isNegative || digits.first == 0x2B { digits.removeFirst() }
  guard !digits.isEmpty, digits.allSatisfy({ $0.isASCIIDigit }) else {
    return .failure(NumberError(text: "invalid syntax"))
  }
  guard let value = parseDecimal(digits, atMost: Int(Int32.max)) else {
    return .failure(NumberError(text: "value out of range"))
  }
  return .success(StatusCode(rawValue: isNegative && value > 0 ? 1 << 32 - value : value))
}
