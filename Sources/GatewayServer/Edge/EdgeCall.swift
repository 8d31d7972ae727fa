// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCServer
internal import HTTP2

/// What a form of HTTP makes of a call: how its requests are read and its answers are written. ``EdgeCall`` keeps the
/// order of things.
protocol CallForm {
  /// What can be wrong with a request or an answer.
  associatedtype Failure: Error

  /// Reads the header section of a request; nil where it asks for no call, and was answered by the actions.
  mutating func begin(
    _ fields: HeaderFields, _ actions: inout [ServerCallAction]
  ) throws(Failure) -> ServerRequest?
  /// Takes bytes of the request's body, once all messages of those before are taken out.
  mutating func receive(_ bytes: [UInt8])
  /// Takes the body's end.
  mutating func receiveEnd()
  /// The next message; nil where more bytes must come for one.
  mutating func nextMessage() throws(Failure) -> [UInt8]?

  /// Takes the leading metadata of the answer; at most once, and before the first message.
  mutating func sendHeaders(_ metadata: Metadata, _ actions: inout [ServerCallAction])
  /// Takes a message in its frame.
  mutating func sendFrame(_ frame: [UInt8], _ actions: inout [ServerCallAction]) throws(Failure)
  /// Ends the answer; where no leading metadata were taken, they are part of these.
  mutating func finish(_ status: Status, _ metadata: Metadata, _ actions: inout [ServerCallAction])
  /// Ends the answer with a failure that was found here, and says which one it is to the server.
  mutating func refuse(_ failure: Failure, _ actions: inout [ServerCallAction]) -> Status
}

/// A call in a form of HTTP other than gRPC's.
///
/// ```
/// requests:   waiting ──HEADERS──► open ──END_STREAM──► halfClosed      any ──RST_STREAM──► over
///                │ no call: answered                       │ no message: refused
///                └──────────────────────────► over ◄───────┘
/// ```
///
/// The bytes of a body that nobody asked for yet wait in the chunks that they came in, and count as unread, so that a
/// client is held back by its window; the form has no more of them than one message that is not whole.
final class EdgeCall<Form: CallForm>: TranslatedCall {
  private enum Requests { case waiting, open, halfClosed, over }

  private var form: Form
  private var requests = Requests.waiting
  private var started: ServerRequest?
  private var over: ServerCallEvent?
  private var chunks: [[UInt8]] = []
  private var nextChunk = 0
  private var hasToldEnd = false
  private var isEndReceived = false
  /// Whether whoever answers has ended the call.
  private var isFinished = false
  /// Whether the answer has ended on the wire, which it may have before.
  private var isAnswered = false
  private var actions: [ServerCallAction] = []
  private var nextActionIndex = 0

  private(set) var hasSentHeaders = false
  private(set) var unreadBytes = 0

  init(_ form: Form) { self.form = form }

  // MARK: - From the client

  func receive(_ event: HTTP2Event) {
    switch event {
    case .headers(_, let fields, kind: .request, let endStream): start(fields, endStream: endStream)
    case .headers(_, _, kind: .trailers, endStream: _): halfClose()
    case .data(_, let bytes, flowControlled: _, let endStream):
      guard requests == .open else { return }
      if !bytes.isEmpty, !isAnswered {
        chunks.append(bytes)
        unreadBytes += bytes.count
      }
      if endStream { halfClose() }
    case .reset(_, let code, by: _): cancel(code)
    case .streamClosed(_, let code): if !isFinished || requests == .open { cancel(code) }
    default: break
    }
  }

  func nextCallEvent() -> ServerCallEvent? {
    if let started {
      self.started = nil
      return .started(started)
    }
    defer { over = nil }
    return over
  }

  func nextEvent() -> ServerCallEvent? {
    if let event = nextCallEvent() { return event }
    guard requests == .open || requests == .halfClosed, !hasToldEnd else { return nil }
    do throws(Form.Failure) {
      while true {
        if let message = try form.nextMessage() { return .message(message) }
        if let chunk = takeChunk() {
          form.receive(chunk)
        } else if requests == .halfClosed, !isEndReceived {
          isEndReceived = true
          form.receiveEnd()
        } else {
          break
        }
      }
    } catch {
      refuse(error)
      return nextCallEvent()
    }
    guard isEndReceived else { return nil }
    hasToldEnd = true
    return .halfClosed
  }

  // MARK: - To the client

  func sendHeaders(_ metadata: Metadata) {
    guard !hasSentHeaders, !isFinished, requests != .over else { return }
    hasSentHeaders = true
    answer { form, actions in form.sendHeaders(metadata, &actions) }
  }

  func sendFrame(_ frame: [UInt8]) {
    guard !isFinished, requests != .over else { return }
    sendHeaders(Metadata())
    answer { form, actions in
      do throws(Form.Failure) { try form.sendFrame(frame, &actions) } catch { _ = form.refuse(error, &actions) }
    }
  }

  func finish(_ status: Status, trailers: Metadata) {
    guard !isFinished, requests != .over else { return }
    isFinished = true
    answer { form, actions in form.finish(status, trailers, &actions) }
  }

  func nextAction() -> ServerCallAction? {
    guard nextActionIndex < actions.count else { return nil }
    let action = actions[nextActionIndex]
    nextActionIndex += 1
    if nextActionIndex == actions.count {
      actions.removeAll(keepingCapacity: true)
      nextActionIndex = 0
    }
    return action
  }

  // MARK: - Rules

  private func start(_ fields: HeaderFields, endStream: Bool) {
    guard requests == .waiting else { return }
    requests = .open
    do throws(Form.Failure) {
      guard let request = try form.begin(fields, &actions) else {
        isAnswered = true
        end(.refused(.ok))
        return
      }
      started = request
      if endStream { halfClose() }
    } catch { refuse(error) }
  }

  private func halfClose() {
    if requests == .open { requests = .halfClosed }
  }

  private func takeChunk() -> [UInt8]? {
    guard nextChunk < chunks.count else { return nil }
    let chunk = chunks[nextChunk]
    chunks[nextChunk] = []
    nextChunk += 1
    unreadBytes -= chunk.count
    if nextChunk == chunks.count {
      chunks.removeAll(keepingCapacity: true)
      nextChunk = 0
    }
    return chunk
  }

  /// Adds to the answer, unless it has ended.
  private func answer(_ add: (inout Form, inout [ServerCallAction]) -> Void) {
    guard !isAnswered else { return }
    add(&form, &actions)
    if actions.last?.endsStream == true {
      isAnswered = true
      dropChunks()
    }
  }

  private func refuse(_ failure: Form.Failure) {
    var status = Status.ok
    answer { form, actions in status = form.refuse(failure, &actions) }
    end(.refused(status))
  }

  private func cancel(_ code: HTTP2ErrorCode) {
    guard requests != .over else { return }
    if isFinished { requests = .over } else { end(.cancelled(code)) }
    dropChunks()
    actions = []
    nextActionIndex = 0
  }

  private func end(_ event: ServerCallEvent) {
    requests = .over
    over = event
  }

  private func dropChunks() {
    chunks = []
    nextChunk = 0
    unreadBytes = 0
  }
}

extension ServerCallAction {
  /// Whether nothing follows on the stream.
  fileprivate var endsStream: Bool {
    switch self {
    case .headers(_, let endStream): endStream
    case .data: false
    case .trailers, .end, .reset: true
    }
  }
}
