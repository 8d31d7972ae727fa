// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import HTTP2
internal import NIOTransport

/// Who a stream's events are for. Everything is called on the loop's thread.
protocol ClientStreamOwner: AnyObject {
  /// The request's header section, made as late as can be, so that its timeout is right.
  func streamRequest(_ stream: ClientStream) -> ClientRequest
  /// The request's header section is on its way: messages can be sent.
  func streamOpened(_ stream: ClientStream)
  /// ``ClientStream/nextEvent()`` may have something to say.
  func streamHasEvents(_ stream: ClientStream)
  /// The bytes that wait have become few, after ``ClientStream/notifyWhenDrained(to:)``.
  func streamDrained(_ stream: ClientStream)
}

/// One attempt of a call on one connection.
///
/// ```
/// queued ──a stream is free──► open ──END_STREAM, RST_STREAM, lost connection──► over
///    │                           │                                                ▲
///    └── connection takes no more ┴── cancel() ────────────────────────────────────┘
/// ```
///
/// Whole messages that nobody has asked for stay undecoded, and hold the server's window back.
///
/// It belongs to the loop's thread.
final class ClientStream {
  enum Phase { case queued, open, over }

  private(set) var phase = Phase.queued
  /// The stream's number; 0 while it is queued.
  private(set) var id: StreamID = 0
  /// Whether the request's header section was given to the connection: from then on a server may have seen it.
  private(set) var wasOpened = false
  /// Whether the server has said all that it will.
  private(set) var isInputEnded = false
  /// The server's address.
  var peer: String { connection.name }

  private let connection: ClientConnection
  private var owner: (any ClientStreamOwner)?
  private var call: ClientCall
  private var unreleased = 0
  private var isOutputEnded = false

  init(on connection: ClientConnection, kind: CallKind, receiveLimit: Int, owner: any ClientStreamOwner) {
    self.connection = connection
    self.owner = owner
    call = ClientCall(kind: kind, receiveLimit: receiveLimit)
  }

  /// Whether the message that ``nextEvent()`` gave last came compressed.
  var lastMessageWasCompressed: Bool { call.lastMessageWasCompressed }

  /// Opens a stream, or waits for one to become free.
  func start() { connection.open(self) }

  // MARK: - To the server

  /// Queues a message's frame, and ends the request after it where `isLast`.
  func send(_ frame: [UInt8], isLast: Bool) {
    guard phase == .open, !isOutputEnded else { return }
    isOutputEnded = isLast
    // A stream that is gone meanwhile tells so by its events.
    try? connection.http2.session.send(frame, on: id, endStream: isLast)
    connection.http2.setNeedsFlush()
  }

  /// Bytes that wait for the server to read.
  var pendingBytes: Int { phase == .open ? connection.http2.session.pendingBytes(on: id) : 0 }

  /// Asks to be told when at most so many bytes wait. False where that few do now.
  func notifyWhenDrained(to mark: Int) -> Bool {
    phase == .open && connection.http2.session.notifyWhenDrained(id, to: mark)
  }

  /// Gives the attempt up: its owner hears nothing more of it.
  func cancel() {
    owner = nil
    switch phase {
    case .queued: connection.withdraw(self)
    case .open:
      connection.http2.session.reset(id, .cancel)
      connection.http2.setNeedsFlush()
    case .over: break
    }
    phase = .over
    releaseWindow()
  }

  // MARK: - From the server

  /// What comes next; nil until more comes in.
  func nextEvent() -> ClientCallEvent? {
    let event = call.nextEvent()
    releaseWindow()
    return event
  }

  // MARK: - From the connection

  /// The request as it is to be sent.
  var request: ClientRequest? { owner?.streamRequest(self) }

  /// The stream is open under this number.
  func opened(_ id: StreamID) {
    self.id = id
    phase = .open
    wasOpened = true
    owner?.streamOpened(self)
  }

  /// Takes an event of the stream.
  func receive(_ event: HTTP2Event) {
    if case .data(_, _, let flowControlled, endStream: _) = event { unreleased += flowControlled }
    call.receive(event)
    switch event {
    case .headers(_, _, kind: _, endStream: true), .data(_, _, flowControlled: _, endStream: true):
      isInputEnded = true
      // What is still being sent is of no use any more.
      if !isOutputEnded { connection.http2.session.reset(id, .cancel) }
    case .reset: isInputEnded = true
    case .streamClosed:
      isInputEnded = true
      phase = .over
    default: break
    }
    tell()
  }

  /// The queue has room again.
  func drained() { owner?.streamDrained(self) }

  /// The stream will not be served: its connection is lost, or was never opened for it.
  func fail(_ status: Status) {
    call.end(status)
    isInputEnded = true
    phase = .over
    tell()
  }

  private func tell() {
    owner?.streamHasEvents(self)
    releaseWindow()
  }

  /// Gives the server back the window of what was read, and of what has to become whole before it can be.
  private func releaseWindow() {
    let held = owner == nil ? 0 : min(unreleased, call.unreadBytes)
    guard unreleased > held else { return }
    connection.http2.session.consume(id, unreleased - held)
    connection.http2.setNeedsFlush()
    unreleased = held
  }
}
