// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
internal import HTTP2
internal import NIOCore
internal import NIOTransport
internal import Synchronization

/// One call: between its stream of the connection and its handler's task.
///
/// ```
/// headers ──► accepted ──(requests that the handler needs at once)──► running ──► finished ──► closed
///                │                                                       │ deadline, reset, lost connection
///                └── refused: a status, no handler                       └──► the task is cancelled
/// ```
///
/// What is not marked otherwise belongs to the loop's thread.
final class ServerStream: CallTimerTarget, LoopWork, @unchecked Sendable {
  let id: StreamID
  let context: ServerContext
  private let connection: any CallCarrier
  private let handler: MethodHandler
  private let limits: ServerLimits
  private var call: OpenCall

  private var isLaunched = false
  /// What runs the handler: a worker of the loop's, or a task of its own where it runs elsewhere.
  private var worker: LoopWorker?
  private var task: Task<Void, Never>?
  /// The response that goes out together with the status. It is the task's until that finishes.
  private var lastResponse: MessageFrame?
  private var request: [UInt8]?
  private var reader: Suspension<[UInt8]?>?
  private var writer: Suspension<Void>?
  private var unreleased = 0
  private var isHalfClosed = false
  private var isAnswered = false
  /// Why the handler can neither read nor write any more.
  private var end: RPCError?

  private var stall = StallWatch()

  init(
    id: StreamID, call: OpenCall, handler: MethodHandler, context: ServerContext, connection: any CallCarrier
  ) {
    self.id = id
    self.call = call
    self.handler = handler
    self.context = context
    self.connection = connection
    limits = connection.limits
  }

  // MARK: - From the connection

  /// Starts the call; one that takes requests as they come is handled from now on.
  func start() {
    if let deadline = context.deadline { connection.timers.schedule(self, at: deadline) }
    if handler.method.kind == .clientStreaming || handler.method.kind == .bidirectional {
      launch()
    } else {
      collectRequest()
    }
  }

  /// Takes an event of the call's stream.
  func receive(_ event: HTTP2Event) {
    if case .data(_, _, let flowControlled, endStream: _) = event { unreleased += flowControlled }
    call.receive(event)
    takeCallEvents()
    if isLaunched {
      resumeReader()
    } else if end == nil {
      collectRequest()
    }
    releaseWindow()
  }

  /// The stream's queue has room again.
  func bodyDrained() {
    guard let writer else { return }
    self.writer = nil
    writer.resume(.success(()))
  }

  /// The connection is lost: nobody waits for the answer.
  func connectionLost() { abandon(RPCError(.cancelled, "the connection to the client was lost")) }

  /// The connection takes no more calls: one that would never end does so now.
  func connectionDrains() {
    guard handler.options.endsOnDrain, end == nil else { return }
    let error = connection.server.failure(.unavailable, "the server is shutting down", .shuttingDown)
    answer(nil, error)
    abandon(error)
  }

  /// Whether answers have waited for the client to read them for longer than it may take.
  func isStalled(_ now: NIODeadline) -> Bool {
    guard let time = stall.time(of: connection.pendingBytes(on: id), now) else { return false }
    return time >= limits.stallTime
  }

  /// Cuts the call off: the client is told, and the handler cancelled.
  func cutOff(_ error: RPCError) {
    connection.cutOff(id)
    abandon(error)
  }

  var isTimerObsolete: Bool { isAnswered || end != nil }

  func timerFired() {
    let error = connection.server.failure(.deadlineExceeded, "the deadline was exceeded", .deadlineExceeded)
    answer(nil, error)
    abandon(error)
  }

  /// What it means that the client has given the call up. It does so at its deadline too, and its clock began to run
  /// before ours: what comes just before the deadline is that.
  private var givenUp: RPCError {
    if let deadline = context.deadline, let timeRemaining = context.timeRemaining {
      let slack = min(max((deadline - context.start).nanoseconds / 20, 5_000_000), 250_000_000)
      if timeRemaining.nanoseconds <= slack { return RPCError(.deadlineExceeded, "the deadline was exceeded") }
    }
    return RPCError(.cancelled, "the client cancelled the call")
  }

  // MARK: - Requests

  private func takeCallEvents() {
    while let event = call.nextCallEvent() {
      switch event {
      case .cancelled: abandon(givenUp)
      case .refused(let status): refused(status)
      case .started, .message, .halfClosed: break
      }
    }
  }

  /// Waits for the one request of a call that takes one.
  private func collectRequest() {
    while !isLaunched, end == nil, let event = call.nextEvent() {
      switch event {
      case .message(let bytes) where request == nil: request = bytes
      case .message: reject("a second request message where the method takes one")
      case .halfClosed where request == nil: reject("no request message where the method takes one")
      case .halfClosed:
        isHalfClosed = true
        launch()
      case .refused(let status): refused(status)
      case .cancelled: abandon(givenUp)
      case .started: break
      }
    }
  }

  private func reject(_ message: String) {
    let error = connection.server.failure(
      .unimplemented, "cardinality violation: " + message, .wrongMessageCount)
    answer(nil, error)
    abandon(error)
  }

  /// The state machine has answered the call itself: with a fault in what the client sent.
  private func refused(_ status: Status) {
    isAnswered = true
    perform()
    abandon(RPCError(status))
  }

  private func resumeReader() {
    guard let reader else { return }
    guard let result = takeMessage() else { return }
    self.reader = nil
    reader.resume(result)
  }

  /// What a reader gets now; nil where it has to wait.
  private func takeMessage() -> Result<[UInt8]?, any Error>? {
    if let end { return .failure(end) }
    if isHalfClosed { return .success(nil) }
    switch call.nextEvent() {
    case .message(let bytes):
      context.counts.received(bytes.count, compressed: call.lastMessageWasCompressed)
      return .success(bytes)
    case .halfClosed:
      isHalfClosed = true
      return .success(nil)
    case .refused(let status):
      refused(status)
      return .failure(RPCError(status))
    case .cancelled:
      let error = givenUp
      abandon(error)
      return .failure(error)
    case .started, nil: return nil
    }
  }

  /// Gives the client back the window of what was read, and of what has to become whole before it can be.
  private func releaseWindow() {
    let held = end == nil ? min(unreleased, call.unreadBytes) : 0
    guard unreleased > held else { return }
    connection.consume(id, unreleased - held)
    unreleased = held
  }

  // MARK: - The handler's task

  private func launch() {
    if let request { context.counts.received(request.count, compressed: call.lastMessageWasCompressed) }
    handler.callStarted()
    connection.server.callStarted()
    isLaunched = true
    if let executor = handler.executor {
      task = Task(executorPreference: executor) { await self.run() }
    } else {
      connection.executor.run(self)
    }
  }

  func run(in worker: LoopWorker) async {
    self.worker = worker
    if end != nil { worker.cancel() }
    await run()
  }

  private func run() async {
    let chain = connection.server.chain
    do {
      try await CallScope.$current.withValue(context.scope) { try await chain.run(self) }
      finish(lastResponse, nil)
    } catch {
      finish(nil, RPCError(describing: error))
    }
  }

  /// The handler is done; from any thread.
  private func finish(_ frame: MessageFrame?, _ error: RPCError?) {
    guard connection.loop.inEventLoop else {
      return connection.loop.execute { self.finish(frame, error) }
    }
    handler.callEnded()
    connection.server.callEnded()
    answer(frame, error)
    if end == nil { end = RPCError(.cancelled, "the handler has returned") }
    releaseWindow()
    task = nil
    worker = nil
  }

  /// Sends the status, once, with the last message before it.
  private func answer(_ frame: MessageFrame?, _ error: RPCError?) {
    guard !isAnswered else { return }
    isAnswered = true
    if let frame { queue(frame) }
    var trailers = context.responseTrailers
    if let error {
      // A failure that nothing was sent before goes out in one header section, which tells a client that it may try
      // again; leading metadata is part of it then.
      if !call.hasSentHeaders { trailers.append(contentsOf: context.responseHeaders) }
      trailers.append(contentsOf: connection.server.trailers(of: error, by: handler))
    } else if !context.responseHeaders.entries.isEmpty {
      sendHeaders()
    }
    call.finish(error?.status ?? .ok, trailers: trailers)
    perform()
  }

  /// Lets go of the task and of whoever waits.
  private func abandon(_ error: RPCError) {
    guard end == nil else { return }
    end = error
    context.counts.endCode.store(error.status.code.rawValue, ordering: .releasing)
    task?.cancel()
    worker?.cancel()
    if let reader {
      self.reader = nil
      reader.resume(.failure(error))
    }
    if let writer {
      self.writer = nil
      writer.resume(.failure(error))
    }
    releaseWindow()
  }

  // MARK: - Responses

  private func queue(_ frame: MessageFrame, compressible: Bool = true) {
    sendHeaders()
    let isCompressed =
      compressible && call.responseEncoding == .gzip
      && frame.messageCount >= connection.server.compressionThreshold
    call.sendFrame((isCompressed ? frame.gzipped() : frame).bytes)
  }

  private func sendHeaders() {
    guard !call.hasSentHeaders else { return }
    if call.acceptsGzip, context.compressesResponses ?? connection.server.compressesResponses {
      call.responseEncoding = .gzip
    }
    call.sendHeaders(context.responseHeaders)
  }

  /// Does what the state machine asks for.
  private func perform() {
    connection.perform(&call, on: id)
  }
}

// MARK: - The handler's side

extension ServerStream {
  /// Runs the handler, inside of all interceptors.
  func handle(_ chain: InterceptorChain) async throws {
    lastResponse = try await handler.run(self, chain)
    // It goes out with the status, when the interceptors are through: they count it now.
    if let lastResponse { context.counts.sent(lastResponse.messageCount) }
  }

  /// The request of a call that takes one, which is there before the handler runs.
  func decodeRequest<Message: Sendable>(_ codec: MessageCodec<Message>, _ chain: InterceptorChain) throws -> Message {
    try decode(request ?? [], codec, chain)
  }

  func decode<Message: Sendable>(
    _ bytes: [UInt8], _ codec: MessageCodec<Message>, _ chain: InterceptorChain
  ) throws -> Message {
    let message: Message
    do { message = try codec.decode(bytes) } catch {
      throw connection.server.failure(
        .internal, "the request is no message of the method's type", .malformedMessage)
    }
    try chain.received(message, context)
    return message
  }

  func encode<Message: Sendable>(
    _ message: Message, _ codec: MessageCodec<Message>, _ chain: InterceptorChain
  ) throws -> MessageFrame {
    try chain.sending(message, context)
    let frame = try codec.encode(message)
    do throws(Status) {
      return try frame.checked(limit: handler.options.sentMessageSize ?? limits.sentMessageSize)
    } catch {
      throw connection.server.failure(error.code, error.message, .messageTooLarge)
    }
  }

  /// The next request's bytes; nil once the client has sent all.
  func nextMessage() async throws -> [UInt8]? {
    if connection.loop.inEventLoop, let result = takeMessage() {
      releaseWindow()
      return try result.get()
    }
    let suspension = Suspension<[UInt8]?>(connection.loop)
    return try await suspension.value { self.wait(reader: suspension) }
  }

  /// Sends a message, or the leading metadata alone, and waits while too much waits for the client.
  func send(_ frame: MessageFrame?, compressible: Bool = true) async throws {
    let isOnLoop = connection.loop.inEventLoop
    if isOnLoop, try sendNow(frame, compressible) { return }
    let suspension = Suspension<Void>(connection.loop)
    try await suspension.value {
      do {
        if try isOnLoop || !self.sendNow(frame, compressible) { return self.wait(writer: suspension) }
        suspension.resume(.success(()))
      } catch {
        suspension.resume(.failure(error))
      }
    }
  }

  /// Sends what is to be sent; false where the next write has to wait.
  private func sendNow(_ frame: MessageFrame?, _ compressible: Bool) throws -> Bool {
    if let end { throw end }
    if let writer, writer.isWaiting { throw RPCError(.internal, "two tasks write to one call") }
    if let frame {
      context.counts.sent(frame.messageCount)
      queue(frame, compressible: compressible)
    } else {
      sendHeaders()
    }
    perform()
    return connection.pendingBytes(on: id) <= limits.sendBuffer
  }

  private func wait(reader suspension: Suspension<[UInt8]?>) {
    if let reader, reader.isWaiting {
      return suspension.resume(.failure(RPCError(.internal, "two tasks read from one call")))
    }
    reader = suspension
    resumeReader()
    releaseWindow()
  }

  private func wait(writer suspension: Suspension<Void>) {
    if let end { return suspension.resume(.failure(end)) }
    guard connection.notifyWhenDrained(id, to: limits.sendBuffer / 2) else {
      return suspension.resume(.success(()))
    }
    writer = suspension
  }
}
