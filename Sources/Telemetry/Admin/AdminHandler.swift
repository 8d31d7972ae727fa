// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1

/// One connection of the administration port.
///
/// One timer runs at all times but while an answer is made: within it a whole request must arrive. So neither a silent
/// client, nor one that sends a byte now and then, nor one that does not read its answer stays for long.
final class AdminHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let pages: AdminPages
  private let limits: AdminServer.Limits
  private var head: HTTPRequestHead?
  private var bodyBytes = 0
  private var timer: Scheduled<Void>?

  init(pages: AdminPages, limits: AdminServer.Limits) {
    self.pages = pages
    self.limits = limits
  }

  func channelActive(context: ChannelHandlerContext) {
    startTimer(context)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    timer = nil
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let new):
      head = new
      bodyBytes = 0
    case .body(let part):
      guard head != nil else { return }  // refused already; the connection is being closed
      bodyBytes += part.readableBytes
      if bodyBytes > limits.bodyBytes { respond(AdminPages.Answer(.payloadTooLarge, "body too large"), true, context) }
    case .end:
      guard let head else { return }
      respond(pages.answer(head.method, head.uri), !head.isKeepAlive, context)
    }
  }

  /// A request that cannot be read was answered by the handler before this one; the connection ends with it.
  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func respond(_ answer: AdminPages.Answer, _ closes: Bool, _ context: ChannelHandlerContext) {
    guard let request = head else { return }
    head = nil
    timer?.cancel()
    var response = HTTPResponseHead(version: request.version, status: answer.status)
    response.headers.add(name: "content-type", value: answer.contentType)
    response.headers.add(name: "content-length", value: String(answer.body.count))
    response.headers.add(name: "cache-control", value: "no-store")
    for (name, value) in answer.fields { response.headers.add(name: name, value: value) }
    if closes { response.headers.add(name: "connection", value: "close") }
    context.write(wrapOutboundOut(.head(response)), promise: nil)
    if request.method != .HEAD {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
    }
    let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
    startTimer(context)
    if closes {
      let channel = context.channel
      written.whenComplete { _ in channel.close(promise: nil) }
    }
  }

  private func startTimer(_ context: ChannelHandlerContext) {
    let channel = context.channel
    timer = context.eventLoop.scheduleTask(in: .seconds(max(1, limits.requestSeconds))) { channel.close(promise: nil) }
  }
}
