// SPDX-License-Identifier: Apache-2.0

public import NIOCore
public import TLS

/// TLS on a channel whose handlers are chosen by what the handshake agreed on: the first one of its pipeline, behind
/// which bytes are plain.
///
/// ``HTTP2Connection`` needs none where nothing is to be chosen.
public final class TLSHandler: ChannelDuplexHandler {
  /// The bytes of the channel.
  public typealias InboundIn = ByteBuffer
  /// Plain bytes.
  public typealias InboundOut = ByteBuffer
  /// Plain bytes.
  public typealias OutboundIn = ByteBuffer
  /// The bytes of the channel.
  public typealias OutboundOut = ByteBuffer

  /// What the handlers behind are told as an event once the handshake is done.
  public struct Opened: Sendable {
    /// What was agreed on.
    public let facts: TLSPeerFacts
  }

  /// The error that the handlers behind are told of.
  public struct Failed: Error {
    /// What went wrong.
    public let failure: TLSFailure
  }

  private var session: TLSSession

  /// A handler of one connection.
  public init(_ session: consuming TLSSession) { self.session = session }

  // MARK: - In

  /// Decrypts.
  public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    bytes.withUnsafeReadableBytes { session.receive(unsafe Span(_unsafeBytes: $0)) }
    takeEvents(context)
  }

  /// Takes note that the peer closed its half, properly or not.
  public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .some(.inputClosed) = event as? ChannelEvent {
      session.receiveEndOfFile()
      takeEvents(context)
    }
    context.fireUserInboundEventTriggered(event)
  }

  private func takeEvents(_ context: ChannelHandlerContext) {
    while let event = session.nextEvent() {
      switch event {
      case .handshakeCompleted(let facts): context.fireUserInboundEventTriggered(Opened(facts: facts))
      case .data(let plaintext): context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: plaintext)))
      case .closed: context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
      case .failed(let failure):
        // What is left is the alert.
        if writeCiphertext(context, nil) { context.flush() }
        context.fireErrorCaught(Failed(failure: failure))
      }
    }
    if writeCiphertext(context, nil) { context.flush() }
  }

  // MARK: - Out

  /// Encrypts.
  public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let bytes = unwrapOutboundIn(data)
    bytes.withUnsafeReadableBytes { _ = session.send(unsafe Span(_unsafeBytes: $0)) }
    if !writeCiphertext(context, promise) { promise?.fail(ChannelError.ioOnClosedChannel) }
  }

  /// Ends the session in an orderly way before the channel is closed.
  public func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    if mode != .input {
      session.close()
      if writeCiphertext(context, nil) { context.flush() }
    }
    context.close(mode: mode, promise: promise)
  }

  private func writeCiphertext(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) -> Bool {
    var ciphertext: [UInt8] = []
    guard session.drain(into: &ciphertext) > 0 else { return false }
    context.write(wrapOutboundOut(ByteBuffer(bytes: ciphertext)), promise: promise)
    return true
  }
}
