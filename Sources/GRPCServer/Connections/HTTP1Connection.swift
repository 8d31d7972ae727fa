// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import HTTP2
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOTransport

/// A client's connection in HTTP/1.1 or 1.0: one call at a time, behind SwiftNIO's parser. Each request is a stream of
/// the number that it has on the connection, so that calls need not know what carries them.
///
/// ```
/// idle ──head──► exchange ──(answer's end, request's end)──► idle │ closing ──► ended
/// ```
///
/// It belongs to its loop's thread.
final class HTTP1Connection: ChannelInboundHandler, CallCarrier, LoopConnection, @unchecked Sendable {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// A request and its answer.
  private struct Exchange {
    let version: HTTPVersion
    let isHead: Bool
    /// Whether another request may follow.
    var keepsAlive: Bool
    /// Whether the client waits to be told that its body is wanted.
    var waitsToContinue: Bool
    var isChunked = false
    var hasBegun = false
    var isAnswered = false
    var isRequestRead = false
    /// Bytes of the body that came once the answer was there.
    var discarded = 0
  }

  /// Bytes of a body that nobody wants any more and that are read past, so that the connection can be kept.
  private static let discardLimit = 256 * 1_024
  /// How long a client may take to close its half once ours is closed.
  private static let lingerTime = TimeAmount.seconds(1)
  /// How long a client may keep a connection without a request, where the policy says nothing.
  private static let idleTime = TimeAmount.seconds(60)

  let server: ServerCore
  let limits: ServerLimits
  let executor: LoopExecutor
  let timers: CallTimers
  let loop: any EventLoop
  let peer: Peer

  private let owner: ServerLoop
  private var channel: (any Channel)?
  private var id: StreamID = 0
  private var exchange: Exchange?
  private var stream: ServerStream?
  private var pending = 0
  private var drainMark: Int?
  /// Bytes of a body that its reader has not taken.
  private var unread = 0
  private var isDraining = false
  /// Whether the client was told that no request follows this one.
  private var isLast = false
  private var isClosing = false
  private var idleSince = NIODeadline.now()
  private var oldAt: NIODeadline?
  private var stall = StallWatch()

  init(peer: Peer, owner: ServerLoop) {
    self.peer = peer
    self.owner = owner
    server = owner.server
    limits = owner.server.configuration.limits
    executor = owner.executor
    timers = owner.timers
    loop = owner.executor.loop
    oldAt = ConnectionLife(now: .now(), policy: owner.server.configuration.connections).oldAt
  }

  /// The handlers of a connection in their order, itself the last one.
  var handlers: [any ChannelHandler] {
    var bounds = NIOHTTPDecoderLimitConfiguration()
    bounds.maxHeaderFieldSize = limits.headerListSize
    bounds.maxHeaderListSize = limits.headerListSize
    bounds.maxHeaderFieldCount = 100
    var encoding = HTTPResponseEncoder.Configuration()
    encoding.automaticallySetFramingHeaders = false
    return [
      HTTPResponseEncoder(configuration: encoding),
      ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: bounds)), HTTPServerPipelineHandler(), self,
    ]
  }

  // MARK: - From the loop

  func drain() {
    isDraining = true
    if let stream { stream.connectionDrains() } else if exchange == nil { linger() }
  }

  func abort() { channel?.close(promise: nil) }

  func sweep(_ now: NIODeadline) {
    if let time = stall.time(of: pending, now), time >= limits.stallTime { return abort() }
    if let oldAt, now >= oldAt { drain() }
    guard exchange == nil else { return }
    let time = id == 0 ? limits.headerTime : server.configuration.connections.maxIdle ?? Self.idleTime
    if now - idleSince >= time { abort() }
  }

  // MARK: - From the channel

  func handlerAdded(context: ChannelHandlerContext) { channel = context.channel }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let part = unwrapInboundIn(data)
    if isLast {
      if case .body(let bytes) = part { discard(bytes.readableBytes) }
      return
    }
    switch part {
    case .head(let head): begin(head)
    case .body(let bytes): receive(bytes)
    case .end: receiveEnd()
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    channel = nil
    exchange = nil
    if let stream {
      self.stream = nil
      stream.connectionLost()
    }
    owner.ended(self)
    context.fireChannelInactive()
  }

  /// A client that closes its half has gone: those of HTTP/1.1 have no other way to give a request up.
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .some(.inputClosed) = event as? ChannelEvent { return context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // What follows the last request is nobody's.
    if isLast { return }
    guard let error = error as? HTTPParserError, exchange?.hasBegun != true else {
      return context.close(promise: nil)
    }
    if let stream {
      self.stream = nil
      stream.connectionLost()
    }
    server.logger.debug("a request cannot be read", metadata: ["peer": "\(peer.address)", "reason": "\(error)"])
    if error == .headerOverflow {
      complain(431, .resourceExhausted, "the headers are larger than the limit")
    } else {
      complain(400, .invalidArgument, "the request is not HTTP/1.1")
    }
  }

  // MARK: - Requests

  private func begin(_ head: HTTPRequestHead) {
    id &+= 1
    exchange = Exchange(
      version: head.version, isHead: head.method == .HEAD, keepsAlive: head.isKeepAlive,
      waitsToContinue: head.headers.contains {
        $0.name.lowercased() == "expect" && $0.value.lowercased() == "100-continue"
      })
    guard let fields = Self.fields(of: head, isSecure: peer.security != nil), let call = translated(fields) else {
      return complain(400, .invalidArgument, "the request has no Host, or more than one")
    }
    call.receive(.headers(id, fields, kind: .request, endStream: false))
    guard let stream = begin(id, OpenCall(call), nil) else { return }
    self.stream = stream
    if exchange?.waitsToContinue == true {
      exchange?.waitsToContinue = false
      write(.head(HTTPResponseHead(version: head.version, status: .continue)))
      channel?.flush()
    }
    stream.start()
  }

  /// The fields of a request as those of HTTP/2; nil where it does not say which host it is for.
  private static func fields(of head: HTTPRequestHead, isSecure: Bool) -> HeaderFields? {
    let hosts = head.headers[canonicalForm: "host"]
    guard hosts.count == 1 || hosts.isEmpty && head.version.minor == 0 else { return nil }
    var fields = [
      HeaderField(":method", head.method.rawValue), HeaderField(":scheme", isSecure ? "https" : "http"),
      HeaderField(":path", path(head.uri)), HeaderField(":authority", hosts.first.map { String($0) } ?? ""),
    ]
    for (name, value) in head.headers {
      let name = name.lowercased()
      switch name {
      case "host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "expect": break
      default: fields.append(name, value)
      }
    }
    return fields
  }

  /// The path of a target, which may be a whole URL (RFC 9112 section 3.2.2).
  private static func path(_ target: String) -> String {
    let parts = target.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count > 2, parts[0] == "http:" || parts[0] == "https:", parts[1].isEmpty else { return target }
    return "/" + (parts.count == 4 ? parts[3] : "")
  }

  private func receive(_ bytes: ByteBuffer) {
    guard exchange?.isAnswered == false, let stream else { return discard(bytes.readableBytes) }
    unread += bytes.readableBytes
    if unread > Int(limits.streamWindow) { setReading(false) }
    stream.receive(
      .data(id, Array(bytes.readableBytesView), flowControlled: bytes.readableBytes, endStream: false))
  }

  /// Reads past what nobody wants: a client that goes on and on is told by a reset.
  private func discard(_ count: Int) {
    exchange?.discarded += count
    if (exchange?.discarded ?? 0) > Self.discardLimit { abort() }
  }

  private func receiveEnd() {
    exchange?.isRequestRead = true
    if exchange?.isAnswered == true {
      exchange = nil
      if isDraining { linger() }
    }
    stream?.receive(.data(id, [], flowControlled: 0, endStream: true))
  }

  func consume(_ id: StreamID, _ count: Int) {
    guard id == self.id, exchange?.isAnswered == false else { return }
    unread -= count
    if unread <= Int(limits.streamWindow) / 2 { setReading(true) }
  }

  private func setReading(_ isOn: Bool) { try? channel?.syncOptions?.setOption(.autoRead, value: isOn) }

  // MARK: - Answers

  func perform(_ call: inout OpenCall, on id: StreamID) {
    while let action = call.nextAction() {
      guard id == self.id, exchange?.isAnswered == false else { continue }
      switch action {
      case .headers(let fields, let endStream):
        begin(fields, endStream: endStream)
        if endStream { end([]) }
      case .data(let bytes): send(bytes)
      case .trailers(let fields): end(fields)
      case .end: end([])
      case .reset: abort()
      }
    }
    channel?.flush()
  }

  private func begin(_ fields: HeaderFields, endStream: Bool) {
    guard var exchange else { return }
    var headers = HTTPHeaders()
    var status = HTTPResponseStatus.internalServerError
    for field in fields {
      if field.name == ":status" {
        status = HTTPResponseStatus(statusCode: Int(field.value) ?? 500)
      } else {
        headers.add(name: field.name, value: field.value)
      }
    }
    if !headers.contains(name: "content-length"), !exchange.isHead, status.mayHaveResponseBody {
      if endStream {
        headers.add(name: "content-length", value: "0")
      } else if exchange.version.minor > 0 {
        headers.add(name: "transfer-encoding", value: "chunked")
        exchange.isChunked = true
      } else {
        exchange.keepsAlive = false
      }
    }
    // A body that was not asked for may come or not: what follows could be either.
    if isDraining || exchange.waitsToContinue { exchange.keepsAlive = false }
    if !exchange.keepsAlive {
      headers.add(name: "connection", value: "close")
    } else if exchange.version.minor == 0 {
      headers.add(name: "connection", value: "keep-alive")
    }
    exchange.hasBegun = true
    self.exchange = exchange
    write(.head(HTTPResponseHead(version: exchange.version, status: status, headers: headers)))
  }

  private func send(_ bytes: [UInt8]) {
    guard let channel, !bytes.isEmpty else { return }
    pending += bytes.count
    let promise = loop.makePromise(of: Void.self)
    promise.futureResult.whenComplete { [self] _ in written(bytes.count) }
    channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: bytes))), promise: promise)
  }

  /// So many bytes have left, or never will.
  private func written(_ count: Int) {
    pending -= count
    guard let drainMark, pending <= drainMark else { return }
    self.drainMark = nil
    stream?.bodyDrained()
  }

  /// Ends the answer. The stream is told later, as it is the one that asks for it.
  private func end(_ trailers: HeaderFields) {
    guard var exchange else { return }
    exchange.isAnswered = true
    let stream = stream
    self.stream = nil
    drainMark = nil
    unread = 0
    setReading(true)
    let id = id
    loop.execute { stream?.receive(.streamClosed(id, .noError)) }
    idleSince = .now()
    self.exchange = exchange.isRequestRead ? nil : exchange
    // The next request may come while this is written.
    isLast = !exchange.keepsAlive
    write(.end(exchange.isChunked && !trailers.isEmpty ? HTTPHeaders(trailers.map { ($0.name, $0.value) }) : nil))
    if isLast || isDraining && self.exchange == nil { linger() }
  }

  func pendingBytes(on id: StreamID) -> Int { id == self.id ? pending : 0 }

  func notifyWhenDrained(_ id: StreamID, to mark: Int) -> Bool {
    guard id == self.id, pending > mark else { return false }
    drainMark = mark
    return true
  }

  func cutOff(_ id: StreamID) { if id == self.id { abort() } }

  private func write(_ part: HTTPServerResponsePart) { channel?.write(part, promise: nil) }

  /// Answers what is no request, in the shape of all failures, and ends the connection.
  private func complain(_ status: Int, _ code: StatusCode, _ message: StaticString) {
    if exchange == nil {
      exchange = Exchange(version: .http1_1, isHead: false, keepsAlive: false, waitsToContinue: false)
    }
    exchange?.keepsAlive = false
    let body = Array("{\"code\":\(code.rawValue),\"message\":\"\(message)\",\"details\":[]}".utf8)
    begin(
      [
        HeaderField(":status", String(status)), HeaderField("content-type", "application/json"),
        HeaderField("content-length", String(body.count)),
      ], endStream: false)
    if exchange?.isHead == false { send(body) }
    end([])
    channel?.flush()
  }

  /// Closes our half once everything is said, and reads past what the client still says for a moment: a socket that is
  /// closed with unread bytes resets the connection, and takes our last words with it.
  private func linger() {
    guard !isClosing, let channel else { return }
    isLast = true
    isClosing = true
    channel.flush()
    channel.close(mode: .output, promise: nil)
    loop.scheduleTask(in: Self.lingerTime) { [weak self] in self?.abort() }
  }
}
