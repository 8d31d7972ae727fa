// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import NIOCore

/// One time that a call is sent: it finds a connection, opens a stream there and sends the call's requests from the
/// first on.
///
/// It belongs to its call's loop.
final class Attempt: ClientStreamOwner, @unchecked Sendable {
  /// How many were sent before it, those aside that reached no server's application.
  let number: Int
  let start = NIODeadline.now()
  /// The stream; nil until there is a connection.
  private(set) var stream: ClientStream?
  /// The index of the next frame to send.
  private(set) var next = 0
  /// Its place among those that wait for a connection.
  var ticket: UInt64 = 0
  /// Whether it is of no interest any more.
  private(set) var isOver = false

  private let call: OutgoingCall
  private var isWaiting = false
  private var hasSentEnd = false
  private var sentBytes = 0
  private var receivedBytes = 0

  init(_ number: Int, of call: OutgoingCall) {
    self.number = number
    self.call = call
  }

  /// Finds a connection, or waits for one.
  func pick() {
    isWaiting = false
    guard !isOver else { return }
    switch call.loop.balancer.pick() {
    case .connection(let connection):
      let stream = ClientStream(on: connection, kind: call.kind, receiveLimit: call.receiveLimit, owner: self)
      self.stream = stream
      stream.start()
    case .fail(let status) where !call.waitsForReady: call.attemptFailed(self, status)
    case .wait, .fail:
      isWaiting = true
      if call.loop.balancer.wait(self) { return }
      call.attemptFailed(self, Status(.resourceExhausted, "too many calls wait for a connection"))
    }
  }

  /// Ends it while it waits for a connection.
  func fail(_ status: Status) {
    isWaiting = false
    call.finish(CallEnd(status: status))
  }

  /// Sends what is there of the call's requests and was not sent.
  func pump() {
    guard let stream, stream.phase == .open, !hasSentEnd else { return }
    while let frame = call.requests[next] {
      next += 1
      sentBytes += max(0, frame.count - MessageFramer.prefixLength)
      hasSentEnd = call.requests.isEnded && next == call.requests.endIndex
      stream.send(frame, isLast: hasSentEnd)
    }
    guard call.requests.isEnded, !hasSentEnd else { return }
    hasSentEnd = true
    stream.send([], isLast: true)
  }

  /// Takes note of a response's message.
  func received(_ bytes: Int) { receivedBytes += bytes }

  /// Bytes of the call's requests that this attempt's server has not read.
  var pendingBytes: Int { call.requests.bytes(from: next) + (stream?.pendingBytes ?? 0) }

  /// Gives it up.
  func cancel() {
    guard !isOver else { return }
    isOver = true
    if isWaiting { call.loop.balancer.withdraw(self) }
    stream?.cancel()
  }

  /// What is told of it once it is over.
  func facts(_ status: Status, isUnprocessed: Bool) -> AttemptFacts {
    AttemptFacts(
      number: number, address: stream?.peer, start: start, end: .now(), status: status, isUnprocessed: isUnprocessed,
      sentBytes: sentBytes, receivedBytes: receivedBytes)
  }

  // MARK: - From the stream

  func streamRequest(_ stream: ClientStream) -> ClientRequest { call.request(for: self) }

  func streamOpened(_ stream: ClientStream) {
    pump()
    call.attemptAdvanced()
  }

  func streamHasEvents(_ stream: ClientStream) { call.attemptHasEvents(self) }

  func streamDrained(_ stream: ClientStream) { call.attemptAdvanced() }
}
