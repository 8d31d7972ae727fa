// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import NIOCore
internal import NIOTransport
internal import TLS

/// Tells which HTTP a client speaks, from what the handshake agreed on (ALPN, RFC 7301) or else from its first bytes,
/// and gives the channel to a connection of that: the last handler of a pipeline, until it knows.
///
/// It belongs to its loop's thread.
final class ProtocolSwitch: ChannelInboundHandler, RemovableChannelHandler, LoopConnection, @unchecked Sendable {
  typealias InboundIn = ByteBuffer

  /// What HTTP/2 begins with, and no method of HTTP/1.1 does.
  private static let preface = Array("PRI ".utf8)

  private let owner: ServerLoop
  /// Puts the handlers of a form of HTTP behind the one here, and gives the connection.
  private let makeHTTP1: (any Channel, ProtocolSwitch) throws -> any LoopConnection
  private let makeHTTP2: (any Channel, ProtocolSwitch) throws -> any LoopConnection
  private let start = NIODeadline.now()
  /// What the handshake agreed on; nil in plaintext.
  private(set) var securityFacts: TLSPeerFacts?
  private var channel: (any Channel)?
  private var held: ByteBuffer?
  private var hasEnded = false

  init(
    owner: ServerLoop, http1: @escaping (any Channel, ProtocolSwitch) throws -> any LoopConnection,
    http2: @escaping (any Channel, ProtocolSwitch) throws -> any LoopConnection
  ) {
    self.owner = owner
    makeHTTP1 = http1
    makeHTTP2 = http2
  }

  // MARK: - From the loop

  func drain() { abort() }

  func abort() { channel?.close(promise: nil) }

  func sweep(_ now: NIODeadline) {
    if now - start > owner.server.configuration.limits.handshakeTime { abort() }
  }

  // MARK: - From the channel

  func handlerAdded(context: ChannelHandlerContext) { channel = context.channel }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    held.setOrWriteBuffer(&bytes)
    guard let held, let isHTTP2 = Self.isHTTP2(held) else { return }
    choose(isHTTP2: isHTTP2, context)
  }

  private func choose(isHTTP2: Bool, _ context: ChannelHandlerContext) {
    do {
      let connection = try (isHTTP2 ? makeHTTP2 : makeHTTP1)(context.channel, self)
      hasEnded = true
      owner.replace(self, with: connection)
      if let held { context.fireChannelRead(NIOAny(held)) }
      held = nil
      context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    } catch {
      context.close(promise: nil)
    }
  }

  /// Whether the first bytes are HTTP/2's; nil where more must come to tell. Bytes of neither are left to HTTP/2, which
  /// knows what to say.
  private static func isHTTP2(_ bytes: ByteBuffer) -> Bool? {
    let first = bytes.readableBytesView.prefix(preface.count)
    guard first.elementsEqual(preface.prefix(first.count)) else {
      return !first.allSatisfy { 0x41...0x5A ~= $0 || $0 == 0x20 }
    }
    return first.count == preface.count ? true : nil
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .some(.inputClosed) = event as? ChannelEvent { return context.close(promise: nil) }
    if let opened = event as? TLSHandler.Opened {
      securityFacts = opened.facts
      switch opened.facts.alpn {
      case "h2": choose(isHTTP2: true, context)
      case "http/1.1": choose(isHTTP2: false, context)
      default: break
      }
      return
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    channel = nil
    if !hasEnded { owner.ended(self) }
    hasEnded = true
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    let reason = (error as? TLSHandler.Failed).map { "\($0.failure.kind)" } ?? "\(error)"
    owner.server.logger.debug("connection ended before its first request", metadata: ["reason": "\(reason)"])
    context.close(promise: nil)
  }
}
