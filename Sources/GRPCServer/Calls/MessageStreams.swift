// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods

/// A call's requests in order. One task at a time may read them.
///
/// The client's window opens as messages are read: one that is not read holds the client back, and costs no more memory
/// than ``ServerLimits`` says.
public struct RequestStream<Message: Sendable>: AsyncSequence, Sendable {
  private let stream: ServerStream
  private let codec: MessageCodec<Message>
  private let chain: InterceptorChain

  init(_ stream: ServerStream, _ codec: MessageCodec<Message>, _ chain: InterceptorChain) {
    self.stream = stream
    self.codec = codec
    self.chain = chain
  }

  /// The next message; nil once the client has sent all. Throws `RPCError` where the call is over for another reason,
  /// or the message is none.
  public func next() async throws -> Message? {
    guard let bytes = try await stream.nextMessage() else { return nil }
    return try stream.decode(bytes, codec, chain)
  }

  /// Reads the messages of a ``RequestStream``.
  public struct Iterator: AsyncIteratorProtocol {
    let stream: RequestStream

    /// The next message; see ``RequestStream/next()``.
    public mutating func next() async throws -> Message? { try await stream.next() }
  }

  /// An iterator; all of them read the same messages.
  public func makeAsyncIterator() -> Iterator { Iterator(stream: self) }
}

/// Where a handler writes its responses. One task at a time may write.
public struct ResponseWriter<Message: Sendable>: Sendable {
  private let stream: ServerStream
  private let codec: MessageCodec<Message>
  private let chain: InterceptorChain

  init(_ stream: ServerStream, _ codec: MessageCodec<Message>, _ chain: InterceptorChain) {
    self.stream = stream
    self.codec = codec
    self.chain = chain
  }

  /// Sends a message, and waits while the client does not read. Throws `RPCError` once the call is over.
  ///
  /// One that holds secrets and what others chose side by side should not be `compressible`: its size would tell.
  public func write(_ message: Message, compressible: Bool = true) async throws {
    try await stream.send(try stream.encode(message, codec, chain), compressible: compressible)
  }

  /// Sends the leading metadata now, and not with the first message.
  public func sendHeaders() async throws { try await stream.send(nil) }
}
