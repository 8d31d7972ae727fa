// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
internal import NIOCore
internal import NIOTransport

// The caller's side of a call: from any task, on any thread.
extension OutgoingCall {
  /// Sends the one request and waits for the one response.
  func exchange(_ request: MessageFrame) async throws -> [UInt8] {
    try await awaitResponse { self.start(request) }
  }

  /// Begins a call whose requests are written, or whose responses are read, one after another.
  func begin(_ request: MessageFrame? = nil) {
    onLoop { self.start(request) }
  }

  /// Waits for the one response.
  func oneResponse() async throws -> [UInt8] { try await awaitResponse {} }

  private func awaitResponse(_ begin: @escaping @Sendable () -> Void) async throws -> [UInt8] {
    let suspension = Suspension<[UInt8]?>(loop.eventLoop)
    let response = try await cancelling {
      try await suspension.value {
        self.wait(reader: suspension, begin)
      }
    }
    guard let response else { throw RPCError(.internal, "the call ended well without a response") }
    return response
  }

  /// The next response's bytes; nil once the server has sent all. Throws how the call failed.
  func nextMessage() async throws -> [UInt8]? {
    if loop.eventLoop.inEventLoop, let result = takeMessage() { return try result.get() }
    let suspension = Suspension<[UInt8]?>(loop.eventLoop)
    return try await cancelling {
      try await suspension.value { self.wait(reader: suspension) {} }
    }
  }

  /// The server's leading metadata, once it came. Throws how the call failed, if that was before.
  func headers() async throws -> Metadata {
    if let headers = context.responseHeaders { return headers }
    let suspension = Suspension<Metadata>(loop.eventLoop)
    return try await cancelling {
      try await suspension.value {
        if let headers = self.context.responseHeaders { return suspension.resume(.success(headers)) }
        if let end = self.end {
          guard end.status.code == .ok else {
            return suspension.resume(.failure(RPCError(end.status, trailers: end.trailers)))
          }
          return suspension.resume(.success(Metadata()))
        }
        if let other = self.headersReader, other.isWaiting {
          return suspension.resume(.failure(RPCError(.internal, "two tasks wait for one call's headers")))
        }
        self.headersReader = suspension
      }
    }
  }

  /// Sends a request, and waits while too much waits for the server.
  func send(_ frame: MessageFrame) async throws {
    let isOnLoop = loop.eventLoop.inEventLoop
    if isOnLoop, try sendNow(frame) { return }
    let suspension = Suspension<Void>(loop.eventLoop)
    try await cancelling {
      try await suspension.value {
        do {
          if try isOnLoop || !self.sendNow(frame) {
            self.writer = suspension
            self.resumeWriter()
          } else {
            suspension.resume(.success(()))
          }
        } catch {
          suspension.resume(.failure(error))
        }
      }
    }
  }

  /// Says that all requests were sent.
  func endRequests() {
    onLoop {
      guard self.end == nil, !self.requests.isEnded else { return }
      self.requests.isEnded = true
      self.pump()
    }
  }

  /// Ends the call because the caller has had enough; nothing where it is over.
  func cancel() {
    onLoop { self.finish(CallEnd(status: Status(.cancelled, "the call was cancelled"))) }
  }

  /// Ends the call once the caller is done with it. Returns how it ended: as the server said, if that is known by now.
  func leave() async -> CallEnd {
    if loop.eventLoop.inEventLoop { return leaveNow() }
    let future = loop.eventLoop.submit { self.leaveNow() }
    return (try? await future.get()) ?? CallEnd(status: Status(.cancelled))
  }

  private func leaveNow() -> CallEnd {
    if end == nil, reader == nil, isAnswered, case .ended(let end)? = committed?.stream?.nextEvent() { finish(end) }
    let left = CallEnd(status: Status(.cancelled, "the caller did not wait for the call's end"))
    finish(left)
    return end ?? left
  }

  private func onLoop(_ body: @escaping @Sendable () -> Void) {
    if loop.eventLoop.inEventLoop { body() } else { loop.eventLoop.execute(body) }
  }

  /// Cancels the call where the caller's task was cancelled.
  private func cancelling<Value>(_ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch is CancellationError {
      cancel()
      throw RPCError(.cancelled, "the call was cancelled")
    }
  }

  // MARK: - On the loop

  /// Hands over what came to whoever waits for it.
  func deliver() {
    if kind.hasOneResponse {
      while end == nil, let event = committed?.stream?.nextEvent() {
        switch event {
        case .message(let bytes): take(bytes)
        case .ended(let end): finish(end)
        case .headers: break
        }
      }
    } else if let reader, let result = takeMessage() {
      self.reader = nil
      reader.resume(result)
    }
    if committed?.stream?.isInputEnded == true, let writer {
      self.writer = nil
      writer.resume(.failure(CallIsOver()))
    }
  }

  private func take(_ bytes: [UInt8]) {
    context.counts.received(bytes.count, compressed: committed?.stream?.lastMessageWasCompressed ?? false)
    committed?.received(bytes.count)
    if kind.hasOneResponse { response = bytes }
  }

  /// What a reader gets now; nil where it has to wait.
  private func takeMessage() -> Result<[UInt8]?, any Error>? {
    if end == nil, isAnswered {
      switch committed?.stream?.nextEvent() {
      case .message(let bytes):
        take(bytes)
        return .success(bytes)
      case .ended(let end): finish(end)
      case .headers, nil: break
      }
    }
    guard let end else { return nil }
    return end.status.code == .ok ? .success(response) : .failure(RPCError(end.status, trailers: end.trailers))
  }

  private func wait(reader suspension: Suspension<[UInt8]?>, _ begin: () -> Void) {
    if let reader, reader.isWaiting {
      return suspension.resume(.failure(RPCError(.internal, "two tasks read from one call")))
    }
    reader = suspension
    begin()
    guard let reader else { return }
    let result = kind.hasOneResponse && end == nil ? nil : takeMessage()
    guard let result else { return }
    self.reader = nil
    reader.resume(result)
  }

  /// Sends what is to be sent; false where the next write has to wait.
  private func sendNow(_ frame: MessageFrame) throws -> Bool {
    if let end {
      throw end.status.code == .ok ? CallIsOver() : RPCError(end.status, trailers: end.trailers) as any Error
    }
    if committed?.stream?.isInputEnded == true { throw CallIsOver() }
    if let writer, writer.isWaiting { throw RPCError(.internal, "two tasks write to one call") }
    if requests.isEnded { throw RPCError(.internal, "a request after the last one") }
    queue(frame)
    return pendingBytes <= loop.configuration.limits.sendBuffer
  }

  /// Lets the writer go on where few enough bytes wait, or asks to be told when they do.
  func resumeWriter() {
    guard let writer else { return }
    if let end {
      self.writer = nil
      let error: any Error = end.status.code == .ok ? CallIsOver() : RPCError(end.status, trailers: end.trailers)
      return writer.resume(.failure(error))
    }
    guard pendingBytes > loop.configuration.limits.sendBuffer else {
      self.writer = nil
      return writer.resume(.success(()))
    }
    for attempt in attempts { _ = attempt.stream?.notifyWhenDrained(to: loop.configuration.limits.sendBuffer / 2) }
  }
}
