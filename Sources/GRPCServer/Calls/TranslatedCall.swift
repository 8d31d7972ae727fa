// SPDX-License-Identifier: Apache-2.0

public import GRPC
public import HTTP2

/// Reads requests in other forms of HTTP as calls. It is asked on the loop's thread, which serves nobody else
/// meanwhile.
public protocol CallTranslator: Sendable {
  /// The call that begins with a header section whose content type is not gRPC's; nil where it is none, and is answered
  /// as a server of gRPC alone would do it. The section itself is the first event that the call receives.
  func call(for fields: HeaderFields, in context: TranslationContext) -> (any TranslatedCall)?
}

/// What a translated call needs to know of its connection and its server.
public struct TranslationContext: Sendable {
  /// The client.
  public let peer: Peer
  /// The largest request message in bytes.
  public let messageLimit: Int
  /// Leading metadata of every answer.
  public let responseHeaders: Metadata
  /// Whose reasons failures have; nil where they have none.
  public let errorDomain: String?

  /// A context.
  public init(peer: Peer, messageLimit: Int, responseHeaders: Metadata = Metadata(), errorDomain: String? = nil) {
    self.peer = peer
    self.messageLimit = messageLimit
    self.responseHeaders = responseHeaders
    self.errorDomain = errorDomain
  }
}

/// One call in another form of HTTP: the same machine as `ServerCall`, with messages in Protobuf on the inner side and
/// whatever the client speaks on the outer one. What is said of the members there holds here.
///
/// It belongs to its connection's loop.
public protocol TranslatedCall: AnyObject {
  /// Takes an event of the call's own stream.
  func receive(_ event: HTTP2Event)
  /// The next of the events that concern the call as a whole.
  func nextCallEvent() -> ServerCallEvent?
  /// What the call has to say next; nil until more events come in.
  func nextEvent() -> ServerCallEvent?
  /// Received bytes that are held back until somebody reads.
  var unreadBytes: Int { get }

  /// Whether the leading metadata of the answer is known to the call, sent or not.
  var hasSentHeaders: Bool { get }
  /// Takes the leading metadata.
  func sendHeaders(_ metadata: Metadata)
  /// Takes a message in its frame, which is not compressed.
  func sendFrame(_ frame: [UInt8])
  /// Ends the call with a status.
  func finish(_ status: Status, trailers: Metadata)
  /// What the driver is to do next; nil where there is nothing.
  func nextAction() -> ServerCallAction?
}

/// A call as its stream holds it. Nearly all are of gRPC: those cost a look at `translated`, and nothing else.
struct OpenCall {
  private var grpc: ServerCall
  private let translated: (any TranslatedCall)?

  init(_ call: ServerCall) {
    grpc = call
    translated = nil
  }

  init(_ call: any TranslatedCall) {
    grpc = ServerCall()
    translated = call
  }

  mutating func receive(_ event: HTTP2Event) {
    if let translated { translated.receive(event) } else { grpc.receive(event) }
  }

  mutating func nextCallEvent() -> ServerCallEvent? {
    if let translated { translated.nextCallEvent() } else { grpc.nextCallEvent() }
  }

  mutating func nextEvent() -> ServerCallEvent? {
    if let translated { translated.nextEvent() } else { grpc.nextEvent() }
  }

  var lastMessageWasCompressed: Bool { translated == nil && grpc.lastMessageWasCompressed }

  var unreadBytes: Int { translated?.unreadBytes ?? grpc.unreadBytes }

  var hasSentHeaders: Bool { translated?.hasSentHeaders ?? grpc.hasSentHeaders }

  var acceptsGzip: Bool { translated == nil && grpc.acceptsGzip }

  /// The encoding of answers. A translated call compresses none.
  var responseEncoding: MessageEncoding {
    get { grpc.responseEncoding }
    set { grpc.responseEncoding = newValue }
  }

  mutating func sendHeaders(_ metadata: Metadata) {
    if let translated { translated.sendHeaders(metadata) } else { grpc.sendHeaders(metadata) }
  }

  mutating func sendFrame(_ frame: [UInt8]) {
    if let translated { translated.sendFrame(frame) } else { grpc.sendFrame(frame) }
  }

  mutating func finish(_ status: Status, trailers: Metadata) {
    if let translated { translated.finish(status, trailers: trailers) } else { grpc.finish(status, trailers: trailers) }
  }

  mutating func nextAction() -> ServerCallAction? {
    if let translated { translated.nextAction() } else { grpc.nextAction() }
  }
}
