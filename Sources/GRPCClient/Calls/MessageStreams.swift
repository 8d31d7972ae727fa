// SPDX-License-Identifier: Apache-2.0

public import GRPC
internal import GRPCMethods

/// A call's responses in order. One task at a time may read them.
///
/// The server's window opens as messages are read: one that is not read holds the server back, and costs no more memory
/// than ``ClientLimits`` says.
public struct ResponseStream<Message: Sendable>: AsyncSequence, Sendable {
  private let call: OutgoingCall
  private let codec: MessageCodec<Message>
  private let chain: ClientInterceptorChain

  init(_ call: OutgoingCall, _ codec: MessageCodec<Message>, _ chain: ClientInterceptorChain) {
    self.call = call
    self.codec = codec
    self.chain = chain
  }

  /// The next message; nil once the server has sent all and said that the call went well. Throws `RPCError` where the
  /// call failed, or the message is none of its type.
  public func next() async throws -> Message? {
    guard let bytes = try await call.nextMessage() else { return nil }
    return try call.decode(bytes, codec, chain)
  }

  /// The server's leading metadata; waits for it, and not for a message. Empty where a call that went well has none.
  /// Throws `RPCError` where the call failed before.
  public var headers: Metadata { get async throws { try await call.headers() } }

  /// The server's trailing metadata, once ``next()`` gave nil. That of a failed call is in its `RPCError`.
  public var trailers: Metadata { call.context.responseTrailers }

  /// Whether the message that was read last came compressed.
  public var lastWasCompressed: Bool { call.context.responseWasCompressed }

  /// Reads the messages of a ``ResponseStream``.
  public struct Iterator: AsyncIteratorProtocol {
    let stream: ResponseStream

    /// The next message; see ``ResponseStream/next()``.
    public mutating func next() async throws -> Message? { try await stream.next() }
  }

  /// An iterator; all of them read the same messages.
  public func makeAsyncIterator() -> Iterator { Iterator(stream: self) }
}

/// Where a caller writes its requests. One task at a time may write.
public struct RequestWriter<Message: Sendable>: Sendable {
  private let call: OutgoingCall
  private let codec: MessageCodec<Message>
  private let core: ClientCore
  private let sizeLimit: Int

  init(_ call: OutgoingCall, _ codec: MessageCodec<Message>, _ core: ClientCore, sizeLimit: Int) {
    self.call = call
    self.codec = codec
    self.core = core
    self.sizeLimit = sizeLimit
  }

  /// Sends a message, and waits while the server does not read. Throws ``CallIsOver`` once the server has answered
  /// without waiting for more, and `RPCError` once the call has failed.
  ///
  /// One that holds secrets and what others chose side by side should not be `compressible`: its size would tell.
  public func write(_ message: Message, compressible: Bool = true) async throws {
    let frame = try core.encode(message, codec, call.context, sizeLimit: sizeLimit, compressible: compressible)
    try await call.send(frame)
  }

  /// Says that no message follows. A call whose responses are one message does so itself.
  public func finish() { call.endRequests() }
}

extension OutgoingCall {
  /// The message that the bytes stand for, after the interceptors have seen it.
  func decode<Message: Sendable>(
    _ bytes: [UInt8], _ codec: MessageCodec<Message>, _ chain: ClientInterceptorChain
  ) throws -> Message {
    let message: Message
    do { message = try codec.decode(bytes) } catch {
      throw RPCError(.internal, "the response is no message of the method's type")
    }
    try chain.received(message, context)
    return message
  }
}

extension ClientCore {
  /// The frame of a message that the interceptors have seen, compressed where the call wants that.
  func encode<Message: Sendable>(
    _ message: Message, _ codec: MessageCodec<Message>, _ context: ClientContext, sizeLimit: Int,
    compressible: Bool = true
  ) throws -> MessageFrame {
    try chain.sending(message, context)
    let frame: MessageFrame
    do { frame = try codec.encode(message).checked(limit: sizeLimit) } catch let status as Status {
      throw RPCError(status)
    } catch {
      throw RPCError(.internal, "the request cannot be encoded")
    }
    let isCompressed =
      compressible && context.compressesRequests && frame.messageCount >= configuration.compressionThreshold
    return isCompressed ? frame.gzipped() : frame
  }
}
