// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
internal import NIOCore
internal import NIOTransport

/// One call, between the caller's task and the attempts to have it answered.
///
/// ```
///                    ┌─ failed before an answer began: retry, hedge, or transparently ─┐
///                    ▼                                                                 │
/// start ─► attempt: waits for a connection, sends the requests kept so far ────────────┘
///                    │ leading metadata came, or more was written than is kept
///                    ▼
///               committed: the other attempts are given up ──messages──► ended
/// ```
///
/// What the caller does is in `OutgoingCall+Caller.swift`, what becomes of attempts in `OutgoingCall+Attempts.swift`.
///
/// What is not marked otherwise belongs to the loop's thread.
final class OutgoingCall: CallTimerTarget, @unchecked Sendable {
  /// How answers are read.
  enum Reading { case one, stream }

  let context: ClientContext
  let loop: ClientLoop
  let kind: CallKind
  let receiveLimit: Int
  let waitsForReady: Bool
  let compressesRequests: Bool
  private let deadline: NIODeadline?
  private let metadata: Metadata
  private let authority: String

  /// The requests that may have to be sent, or sent again.
  var requests = ReplayBuffer()
  /// Attempts that go on.
  var attempts: [Attempt] = []
  /// The attempt whose answer counts.
  var committed: Attempt?
  /// Whether an answer has begun.
  var isAnswered = false
  /// How the call ended.
  private(set) var end: CallEnd?
  var recovery: Recovery
  var transparentAttempts = 0
  var wasRefused = false
  /// How the hedge ended that failed last.
  var lastFailure: CallEnd?
  var timer: Scheduled<Void>?

  var response: [UInt8]?
  var reader: Suspension<[UInt8]?>?
  var headersReader: Suspension<Metadata>?
  var writer: Suspension<Void>?
  private var isStarted = false

  /// What is done about failures.
  enum Recovery {
    case none
    case retry(RetryState)
    case hedge(HedgeState)
  }

  init(_ context: ClientContext, on loop: ClientLoop, config: MethodConfig) {
    self.context = context
    self.loop = loop
    kind = context.method.kind
    deadline = context.deadline
    metadata = context.metadata
    authority = context.authority
    waitsForReady = context.waitsForReady
    compressesRequests = context.compressesRequests
    receiveLimit = min(loop.configuration.limits.receivedMessageSize, config.maxResponseBytes ?? .max)
    let throttle = loop.core.throttle
    switch config.recovery {
    case .retry(let policy): recovery = .retry(RetryState(policy, throttle))
    case .hedging(let policy): recovery = .hedge(HedgeState(policy, throttle))
    case nil: recovery = .none
    }
  }

  // MARK: - Life

  /// Begins the call, with its request where it has one.
  func start(_ request: MessageFrame? = nil) {
    guard !isStarted, end == nil else { return }
    isStarted = true
    loop.callStarted()
    guard !loop.isClosed else { return finish(CallEnd(status: Status(.unavailable, "the client is closed"))) }
    if let deadline {
      guard deadline > .now() else {
        return finish(
          CallEnd(status: Status(.deadlineExceeded, "the deadline was exceeded before the call was sent")))
      }
      loop.timers.schedule(self, at: deadline)
    }
    if let request {
      queue(request)
      requests.isEnded = true
    }
    launch(Attempt(0, of: self))
    planHedge()
  }

  /// Ends the call; the first end counts.
  func finish(_ end: CallEnd) {
    guard self.end == nil else { return }
    self.end = end
    if end.status.code == .ok { loop.core.throttle?.succeeded() }
    let peer = committed?.stream?.peer
    let rest = attempts
    attempts = []
    committed = nil
    timer?.cancel()
    timer = nil
    for attempt in rest { giveUp(attempt, end.status) }
    requests = ReplayBuffer()
    context.ended(end, from: peer)
    if isStarted { loop.callEnded() }
    release()
  }

  /// Lets whoever waits go on.
  private func release() {
    let failure = end.flatMap { $0.status.code == .ok ? nil : RPCError($0.status, trailers: $0.trailers) }
    if let reader {
      self.reader = nil
      reader.resume(failure.map { .failure($0) } ?? .success(response))
    }
    if let headersReader {
      self.headersReader = nil
      headersReader.resume(failure.map { .failure($0) } ?? .success(Metadata()))
    }
    if let writer {
      self.writer = nil
      writer.resume(.failure(failure ?? CallIsOver()))
    }
  }

  var isTimerObsolete: Bool { end != nil || committed?.stream?.isInputEnded == true }

  func timerFired() {
    var message = "the deadline was exceeded"
    if !attempts.contains(where: { $0.stream?.wasOpened == true }) {
      let why = loop.balancer.failureText
      message += " before the call was sent" + (why.isEmpty ? "" : ": " + why)
    }
    finish(CallEnd(status: Status(.deadlineExceeded, message)))
  }

  /// The time that is left until the deadline; nil without one.
  var timeLeft: TimeAmount? { deadline.map { $0 - .now() } }

  // MARK: - Requests

  /// The head of an attempt's request.
  func request(for attempt: Attempt) -> ClientRequest {
    var request = loop.core.request(path: context.method.path, authority: authority)
    request.metadata = metadata
    request.timeout = timeLeft.map { max(0, $0.nanoseconds) }
    if compressesRequests { request.encoding = .gzip }
    if attempt.number > 0 {
      // Name and value are plain.
      try? request.metadata.append("grpc-previous-rpc-attempts", String(attempt.number))
    }
    return request
  }

  /// Takes a request in; each attempt sends it when it can.
  func queue(_ frame: MessageFrame) {
    context.counts.sent(frame.messageCount)
    requests.append(frame.bytes)
    pump()
    if committed == nil, requests.endIndex > 1, requests.bytes > loop.configuration.limits.retryBuffer {
      // More than is kept: from now on the attempt that has sent most is the only one.
      recovery = .none
      if let leader = attempts.max(by: { $0.next < $1.next }) { commit(leader) }
    }
  }

  /// Lets every attempt send what it can.
  func pump() {
    for attempt in attempts { attempt.pump() }
    if let committed { requests.discard(before: committed.next) }
  }

  /// Bytes that wait for the server that reads fastest.
  var pendingBytes: Int { attempts.map(\.pendingBytes).min() ?? requests.bytes }
}

/// The call ended well before all requests were written: what a writer throws. The responses say how.
public struct CallIsOver: Error, Equatable, Sendable {}
