// SPDX-License-Identifier: Apache-2.0

public import HTTP2
public import NIOCore
public import TLS

/// What a connection tells whoever gives it a meaning. Everything is called on the loop's thread.
public protocol HTTP2ConnectionDelegate: AnyObject {
  /// Bytes can flow: at once where they do so in plaintext, otherwise after the TLS handshake.
  func connectionOpened(_ connection: HTTP2Connection)
  /// The session has something to say.
  func connection(_ connection: HTTP2Connection, received event: HTTP2Event)
  /// The connection is over. It is the last call; no stream of it gives another event.
  func connectionEnded(_ connection: HTTP2Connection, _ end: ConnectionEnd)
}

/// One HTTP/2 connection on a channel: the last handler of its pipeline.
///
/// ```
/// channel ──bytes──► TLSSession ──bytes──► HTTP2Session ──events──► delegate
///    ▲                                          │
///    └────── one write at the batch's end ◄─────┘ ◄── submit…, send, consume + setNeedsFlush()
///
/// handshaking ──► open ──► ending (the last bytes leave) ──► lingering (our half is closed) ──► ended
/// ```
///
/// What waits to be sent stays in the session while the channel's buffer is full, so that a peer that does not read
/// costs no more than the session's and the streams' own bounds.
///
/// Everything here belongs to the loop's thread.
public final class HTTP2Connection: ChannelInboundHandler, @unchecked Sendable {
  /// The bytes of the channel.
  public typealias InboundIn = ByteBuffer
  /// The bytes of the channel.
  public typealias OutboundOut = ByteBuffer

  private enum State { case idle, handshaking, open, ending, lingering, ended }

  /// The protocol. After a call that gives it something to send: ``setNeedsFlush()``.
  public var session: HTTP2Session

  /// Who is told. It is held until the end is told.
  public var delegate: (any HTTP2ConnectionDelegate)?

  /// Called with each frame, in the order of the wire; nil where nobody looks, which costs nothing.
  public var frameLog: ((FrameTrace) -> Void)? {
    didSet { session.isTracing = frameLog != nil }
  }

  /// Runs the calls of this connection's loop.
  public let executor: LoopExecutor

  /// What the handshake agreed on; nil in plaintext, and before the handshake's end.
  public private(set) var securityFacts: TLSPeerFacts?

  /// The channel, once the handler is part of it.
  public private(set) var channel: (any Channel)?

  /// When bytes last came from the peer.
  public private(set) var lastReceived = NIODeadline.now()

  /// Bytes that the peer has not taken although the channel's buffer is full of them; 0 while there is room.
  public var blockedBytes: Int {
    guard let channel, !channel.isWritable else { return 0 }
    return max(1, (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 1)
  }

  private var tls: Layer
  private var state = State.idle
  private var end: ConnectionEnd?
  private var needsFlush = false
  private var isSilenced = false
  private var discardedBytes = 0
  private var scratch: [UInt8] = []
  private var ciphertext: [UInt8] = []

  /// The layer between the channel and the session. A class, for a value that cannot be copied has no optional form
  /// that is changed in place.
  private final class Layer {
    var session: TLSSession?
    init(_ session: consuming TLSSession?) { self.session = session }
  }

  /// How long the last bytes may take to leave.
  private static let endingTime = TimeAmount.seconds(5)
  /// Bytes of the peer's that are read past at the end.
  private static let maxDiscardedBytes = 256 * 1_024
  /// How long the peer may take to close its half once ours is closed.
  private static let lingerTime = TimeAmount.seconds(1)
  /// Bytes that are framed at once, between two looks at the channel's buffer.
  private static let writeSize = 64 * 1_024

  /// A connection over a session, with or without TLS. Where a ``TLSHandler`` stands in front, there is none here but
  /// what it agreed on.
  public init(
    session: consuming HTTP2Session, tls: consuming TLSSession?, executor: LoopExecutor,
    securityFacts: TLSPeerFacts? = nil
  ) {
    self.session = session
    self.tls = Layer(tls)
    self.executor = executor
    self.securityFacts = securityFacts
  }

  // MARK: - For the delegate

  /// Whether requests and answers can still be exchanged.
  public var isOpen: Bool { state == .open }

  /// Whether nothing more will happen.
  public var isEnded: Bool { state == .ended }

  /// What the server gave to resume the TLS session with, if it has since the last look.
  public func takeResumptionTicket() -> TLSResumptionTicket? { tls.session?.resumptionTicket() }

  /// Sends what the session holds at the end of the batch, together with what else comes up until then.
  public func setNeedsFlush() {
    guard !needsFlush, state != .ended else { return }
    needsFlush = true
    executor.flushLater(self)
  }

  /// Ends the connection at once. What the session holds is lost; the end is told before this returns.
  public func abort(_ end: ConnectionEnd = .closedByUs) {
    guard state != .ended else { return }
    let channel = channel
    finish(end)
    channel?.close(promise: nil)
  }

  /// Ends the connection once what the session holds now has left; nothing more is read.
  public func endAfterFlush() {
    guard state == .open else { return }
    beginEnding()
    setNeedsFlush()
  }

  /// Answers a peer that does not speak HTTP/2 in its own tongue and ends the connection; what the session holds is
  /// not sent. A server's first bytes wait for the peer's, so that nothing of ours came before.
  public func sayGoodbye(_ bytes: [UInt8]) {
    guard state == .open, let channel else { return }
    isSilenced = true
    beginEnding()
    write(bytes, to: channel)
    channel.flush()
  }

  // MARK: - From the channel

  /// Takes note of the channel.
  public func handlerAdded(context: ChannelHandlerContext) {
    channel = context.channel
    if context.channel.isActive { start() }
  }

  /// Begins the handshake.
  public func channelActive(context: ChannelHandlerContext) {
    start()
    context.fireChannelActive()
  }

  /// Takes bytes in.
  public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    guard state == .handshaking || state == .open else { return discard(buffer.readableBytes) }
    executor.beginReading()
    lastReceived = .now()
    buffer.withUnsafeReadableBytes { bytes in
      receive(unsafe Span(_unsafeBytes: bytes))
    }
    takeEvents()
    setNeedsFlush()
  }

  /// Lets the calls run that the bytes have started, and writes their answers.
  public func channelReadComplete(context: ChannelHandlerContext) {
    executor.endReading()
    context.fireChannelReadComplete()
  }

  /// Goes on with writing.
  public func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { setNeedsFlush() }
    context.fireChannelWritabilityChanged()
  }

  /// Takes note that the peer closed its half.
  public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case .some(.inputClosed) = event as? ChannelEvent else {
      return context.fireUserInboundEventTriggered(event)
    }
    inputClosed()
  }

  /// Takes note of the end.
  public func channelInactive(context: ChannelHandlerContext) {
    executor.endReading()
    if state != .ended { finish(end ?? .closedByPeer) }
    context.fireChannelInactive()
  }

  /// Takes note of why the end is near.
  public func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if end == nil { end = .socket(error) }
    context.close(promise: nil)
  }

  // MARK: - In

  private func start() {
    guard state == .idle else { return }
    if tls.session == nil {
      open()
      if session.role == .client { setNeedsFlush() }
    } else {
      state = .handshaking
      setNeedsFlush()
    }
  }

  private func open() {
    state = .open
    delegate?.connectionOpened(self)
  }

  private func receive(_ bytes: Span<UInt8>) {
    guard tls.session != nil else { return session.receive(bytes) }
    tls.session?.receive(bytes)
    takeTLSEvents()
  }

  private func takeTLSEvents() {
    while let event = tls.session?.nextEvent() {
      switch event {
      case .handshakeCompleted(let facts):
        securityFacts = facts
        open()
      case .data(let plaintext): session.receive(plaintext.span)
      case .closed: session.receiveEnd()
      case .failed(let failure):
        if end == nil { end = .tls(failure) }
        // What is left is the alert.
        session.receiveEnd()
        beginEnding()
      }
    }
  }

  private func takeEvents() {
    if let frameLog {
      while let frame = session.nextTrace() { frameLog(frame) }
    }
    while let event = session.nextEvent() {
      if case .failed(let error) = event, end == nil {
        end = error.code == .endOfInput ? .closedByPeer : .http2(error)
      }
      delegate?.connection(self, received: event)
      if state == .ended { return }
    }
  }

  /// Reads past what nobody wants any more, so that our last words are not lost to a reset; a peer that goes on and on
  /// gets one.
  private func discard(_ count: Int) {
    discardedBytes += count
    if discardedBytes > Self.maxDiscardedBytes { abort(end ?? .closedByUs) }
  }

  private func inputClosed() {
    guard state == .handshaking || state == .open else {
      if state != .ended { abort(end ?? .closedByPeer) }
      return
    }
    tls.session?.receiveEndOfFile()
    takeTLSEvents()
    session.receiveEnd()
    takeEvents()
    if state == .ended { return }
    beginEnding()
    flush()
    // Nobody may be left to talk to: what could not be written now is not waited for.
    abort(end ?? .closedByPeer)
  }

  private func beginEnding() {
    guard state == .handshaking || state == .open else { return }
    state = .ending
    // A peer that reads nothing keeps the last bytes from leaving: it is not waited for.
    channel?.eventLoop.scheduleTask(in: Self.endingTime) { [weak self] in
      guard let self else { return }
      abort(end ?? .closedByUs)
    }
  }

  // MARK: - Out

  /// Writes what the session holds, as far as the channel's buffer has room.
  func flush() {
    needsFlush = false
    guard state == .handshaking || state == .open || state == .ending, let channel else { return }
    takeEvents()
    var hasWritten = state == .handshaking ? false : drainSession(to: channel)
    if tls.session != nil { hasWritten = writeCiphertext(to: channel) || hasWritten }
    guard state != .ended else { return }
    if hasWritten { channel.flush() }
    closeIfOver()
  }

  private func drainSession(to channel: any Channel) -> Bool {
    var hasWritten = false
    while channel.isWritable, !isSilenced, state == .open || state == .ending, session.wantsWrite {
      scratch.removeAll(keepingCapacity: true)
      session.drain(into: &scratch, atMost: Self.writeSize)
      takeEvents()
      if scratch.isEmpty { break }
      hasWritten = true
      write(scratch, to: channel)
    }
    return hasWritten
  }

  private func write(_ bytes: [UInt8], to channel: any Channel) {
    guard tls.session != nil else {
      var buffer = channel.allocator.buffer(capacity: bytes.count)
      buffer.writeBytes(bytes)
      return channel.write(buffer, promise: nil)
    }
    tls.session?.send(bytes.span)
    _ = writeCiphertext(to: channel)
  }

  private func writeCiphertext(to channel: any Channel) -> Bool {
    ciphertext.removeAll(keepingCapacity: true)
    guard let count = tls.session?.drain(into: &ciphertext), count > 0 else { return false }
    var buffer = channel.allocator.buffer(capacity: count)
    buffer.writeBytes(ciphertext)
    channel.write(buffer, promise: nil)
    return true
  }

  /// Closes our half once everything is said; the peer's half is waited for, since a socket that is closed with unread
  /// bytes resets the connection and takes our last words with it.
  private func closeIfOver() {
    let isOver = state == .ending || state == .open && !session.wantsRead
    guard let channel, isOver, isSilenced || !session.wantsWrite else { return }
    state = .lingering
    tls.session?.close()
    if writeCiphertext(to: channel) { channel.flush() }
    channel.close(mode: .output, promise: nil)
    channel.eventLoop.scheduleTask(in: Self.lingerTime) { [weak self] in
      guard let self else { return }
      abort(end ?? .closedByUs)
    }
  }

  private func finish(_ end: ConnectionEnd) {
    state = .ended
    delegate?.connectionEnded(self, self.end ?? end)
    delegate = nil
    channel = nil
  }
}
