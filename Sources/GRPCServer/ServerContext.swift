// SPDX-License-Identifier: Apache-2.0

public import GRPC
public import GRPCMethods
public import NIOCore
internal import Synchronization
public import TLS

/// Who is at the other end of a connection.
public struct Peer: Sendable {
  /// The address as logs write it: `ipv4:127.0.0.1:41234`, `ipv6:[::1]:41234`, `unix:`.
  public let address: String
  /// The TLS handshake's outcome, the client's certificates included; nil in plaintext.
  public let security: TLSPeerFacts?

  /// A peer of an address as logs write it.
  public init(address: String, security: TLSPeerFacts? = nil) {
    self.address = address
    self.security = security
  }

  /// The names in the client's verified certificate: its DNS names, URIs (a SPIFFE ID among them) and addresses. Empty
  /// where it showed none.
  public var certificateNames: [String] {
    guard let certificate = security?.chain.first else { return [] }
    return certificate.dnsNames + certificate.uris + certificate.ipAddresses
  }
}

/// A value that interceptors leave with a call for those after them, by its type.
public protocol ServerContextKey {
  /// What is left.
  associatedtype Value: Sendable
}

/// What a handler knows of its call beside the messages. It may be used from any thread.
public final class ServerContext: Sendable {
  /// The method.
  public var method: MethodInfo { handler.method }
  /// The client's metadata.
  public let metadata: Metadata
  /// The name that the client calls this server by.
  public let authority: String
  /// The client.
  public let peer: Peer
  /// When the call's headers were read.
  public let start: NIODeadline
  /// What goes along with the calls that the handler makes; interceptors add to its metadata.
  public let scope: CallScope

  private struct Answer {
    var headers = Metadata()
    var trailers = Metadata()
    var compresses: Bool?
    var values = KeyedValues()
  }

  private let handler: MethodHandler
  private let answer: Mutex<Answer>
  let counts = CallCounts()

  init(
    handler: MethodHandler, request: ServerRequest, peer: Peer, start: NIODeadline, deadline: NIODeadline?,
    responseHeaders: Metadata
  ) {
    self.handler = handler
    metadata = request.metadata
    authority = request.authority
    self.peer = peer
    self.start = start
    scope = CallScope(deadline: deadline)
    answer = Mutex(Answer(headers: responseHeaders))
  }

  /// When the call ends, finished or not: by the client's deadline, or the server's or method's limit. Nil for never.
  public var deadline: NIODeadline? { scope.deadline }

  /// What is left until the deadline, not below zero; nil without one.
  public var timeRemaining: TimeAmount? { deadline.map { max(.zero, $0 - .now()) } }

  /// Whether the client gave the call up, its deadline passed, or its connection was lost. The handler's task is
  /// cancelled then too.
  public var isCancelled: Bool { counts.isCancelled }

  /// The code that the client was told already, while the handler still ran: DEADLINE_EXCEEDED, UNAVAILABLE for a
  /// drain, or CANCELLED where it told us. Nil as long as the outcome is the handler's.
  public var endCode: StatusCode? {
    let code = counts.endCode.load(ordering: .acquiring)
    return code < 0 ? nil : StatusCode(rawValue: code)
  }

  /// Leading metadata of the answer. Entries that are added once the first message was sent do not go out.
  public var responseHeaders: Metadata {
    get { answer.withLock { $0.headers } }
    set { answer.withLock { $0.headers = newValue } }
  }

  /// Trailing metadata of the answer, whether the call succeeds or fails.
  public var responseTrailers: Metadata {
    get { answer.withLock { $0.trailers } }
    set { answer.withLock { $0.trailers = newValue } }
  }

  /// Whether responses are compressed where the client understands it; nil leaves it to the server's configuration. To
  /// be set before the first message.
  public var compressesResponses: Bool? {
    get { answer.withLock { $0.compresses } }
    set { answer.withLock { $0.compresses = newValue } }
  }

  /// What an interceptor left under a key; nil where none did.
  public subscript<Key: ServerContextKey>(key: Key.Type) -> Key.Value? {
    get { answer.withLock { $0.values[key, as: Key.Value.self] } }
    set { answer.withLock { $0.values[key, as: Key.Value.self] = newValue } }
  }

  /// Whether the request message that was read last came compressed.
  public var requestWasCompressed: Bool { counts.wasCompressed.load(ordering: .relaxed) }

  /// Bytes of request messages received up to now, without their frames.
  public var receivedBytes: Int { counts.receivedBytes.load(ordering: .relaxed) }
  /// Bytes of response messages sent up to now, without their frames.
  public var sentBytes: Int { counts.sentBytes.load(ordering: .relaxed) }
  /// Request messages received up to now.
  public var receivedMessages: Int { counts.receivedMessages.load(ordering: .relaxed) }
  /// Response messages sent up to now.
  public var sentMessages: Int { counts.sentMessages.load(ordering: .relaxed) }
}

/// What is counted of a call while it runs.
struct CallCounts: ~Copyable, Sendable {
  let receivedBytes = Atomic(0)
  let sentBytes = Atomic(0)
  let receivedMessages = Atomic(0)
  let sentMessages = Atomic(0)
  let wasCompressed = Atomic(false)
  let endCode = Atomic(-1)

  var isCancelled: Bool { endCode.load(ordering: .acquiring) >= 0 }

  /// Takes note of a message; on the loop's thread alone, so that no atomic addition is needed.
  func received(_ bytes: Int, compressed: Bool) {
    if compressed != wasCompressed.load(ordering: .relaxed) { wasCompressed.store(compressed, ordering: .relaxed) }
    receivedBytes.store(receivedBytes.load(ordering: .relaxed) &+ bytes, ordering: .relaxed)
    receivedMessages.store(receivedMessages.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
  }

  /// Takes note of a message. A call's messages are sent one after another, so that no atomic addition is needed here
  /// either.
  func sent(_ bytes: Int) {
    sentBytes.store(sentBytes.load(ordering: .relaxed) &+ bytes, ordering: .relaxed)
    sentMessages.store(sentMessages.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
  }
}
