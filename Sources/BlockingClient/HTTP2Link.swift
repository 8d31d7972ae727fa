// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Fault
package import HTTP2
package import Sys

/// HTTP/2 as a client over a stream: bytes move while somebody waits, what happens are events, and the end is a fault.
package final class HTTP2Link {
  /// How long a closing link waits for the server to close too.
  static let lingerTime: Int64 = 50_000_000

  private let stream: ByteStream
  private let onFrame: ((FrameTrace) -> Void)?
  private var events: [HTTP2Event] = []

  /// The session, to make requests of; what it has to say comes by ``takeEvents()`` alone.
  package var session: HTTP2Session
  /// Whether the server's SETTINGS came.
  package private(set) var hasSettings = false
  /// Why the link can carry no more; nil while it can.
  package private(set) var failure: Fault?
  /// The server's GOAWAY, once it came.
  package private(set) var goAway: Fault?

  /// The address at the other end.
  package var peerName: String { stream.name }
  /// The address at the other end, which may be a proxy's.
  var peerAddress: SocketAddress { stream.address }
  /// What the kernel knows of the connection; see ``Sys/StreamSocket/tcpInfo``.
  var tcpInfo: [UInt8] { stream.tcpInfo }

  /// A link whose first bytes are not sent yet. `onFrame` is told of each frame, either way.
  package init(
    _ stream: ByteStream, limits: HTTP2Limits, onFrame: ((FrameTrace) -> Void)? = nil
  ) throws(Fault) {
    self.stream = stream
    self.onFrame = onFrame
    do throws(HTTP2Error) { session = try HTTP2Session(role: .client, limits: limits) } catch {
      throw Fault(.systemFailure, "HTTP/2", detail: error.message)
    }
    session.isTracing = onFrame != nil
  }

  /// Sends the preface and waits for the server's SETTINGS: only they show that HTTP/2 is spoken. `early` is what the
  /// server has said already.
  package func handshake(_ early: [UInt8] = [], until deadline: Deadline) throws(Fault) {
    if !early.isEmpty { session.receive(early.span) }
    collect()
    while !hasSettings {
      if let failure { throw failure }
      guard try advance(until: deadline) else { throw Fault(.noSettings, peerName) }
    }
  }

  /// What has happened since this was last asked, in order.
  package func takeEvents() -> [HTTP2Event] {
    let taken = events
    events = []
    return taken
  }

  /// Moves bytes both ways once; false where the deadline came before anything happened.
  package func advance(until deadline: Deadline) throws(Fault) -> Bool {
    do throws(Fault) {
      try sendWhatIsDue()
      // Sending ends streams too: what came of it must not wait for the server's next bytes.
      if collect() { return true }
      if !session.wantsRead, !session.wantsWrite {
        endOfSession()
        return true
      }
      // Asked for itself: a peer that never pauses leaves nothing to wait for.
      guard !deadline.hasPassed, try stream.waitUntilReadable(deadline) else { return false }
      try receive()
    } catch {
      takeLastWords()
      if error.code == .cancelled { throw error }
      end(with: error)
      return true
    }
    collect()
    return true
  }

  /// Adds the socket to a poll of the caller's, for ``pump(isReady:)``. True where that has something to do at once.
  package func add(to poll: inout Poll) -> Bool {
    stream.add(to: &poll)
    return stream.hasReceived
  }

  /// Sends what is due and takes what has come, without waiting: for callers that wait for many links at once. What
  /// the poll said of the socket is `isReady`. True where something has happened: sending alone may end streams.
  @discardableResult package func pump(isReady: Bool) -> Bool {
    guard failure == nil else { return false }
    do throws(Fault) {
      if isReady {
        try receive()
        collect()
      }
      try sendWhatIsDue()
      try stream.sendRest()
      if collect() { try sendWhatIsDue() }
      if !session.wantsRead, !session.wantsWrite { endOfSession() }
    } catch {
      takeLastWords()
      end(with: error)
    }
    return failure != nil || !events.isEmpty
  }

  /// Says goodbye and closes: GOAWAY, then our end of the stream, then the server's.
  package func close() {
    if failure == nil {
      session.goAway(.noError, debugData: Array("client transport shutdown".utf8))
      try? sendWhatIsDue()
    }
    stream.close(until: Deadline(nanoseconds: Self.lingerTime))
    end(with: Fault(.connectionLost, peerName, detail: "closed by this end"))
  }

  /// Reads what is there.
  private func receive() throws(Fault) {
    switch try stream.receive() {
    case .bytes(let bytes): session.receive(bytes.span)
    case .endOfStream: session.receiveEnd()
    case .nothing: break
    }
  }

  /// Takes what the server said before it went: it may say more than that it went.
  private func takeLastWords() {
    if case .bytes(let bytes)? = try? stream.receive() { session.receive(bytes.span) }
    collect()
  }

  /// Notes that neither side has anything more to say.
  private func endOfSession() { end(with: goAway ?? Fault(.connectionLost, peerName)) }

  private func sendWhatIsDue() throws(Fault) {
    var bytes: [UInt8] = []
    session.drain(into: &bytes)
    tellFrames()
    if !bytes.isEmpty { try stream.send(bytes) }
  }

  /// Takes the session's events; whether there were any.
  @discardableResult private func collect() -> Bool {
    var hasHappened = false
    while let event = session.nextEvent() {
      hasHappened = true
      switch event {
      case .settings: hasSettings = true
      case .goAway(_, let code, let debugData): goAway = Fault(goAway: code, debugData, at: peerName)
      case .failed(let error): end(with: fault(error))
      default: break
      }
      events.append(event)
    }
    tellFrames()
    return hasHappened
  }

  private func fault(_ error: HTTP2Error) -> Fault {
    switch error.code {
    case .notHTTP2: Fault(insteadOfHTTP2: error.firstBytes, at: peerName)
    case .endOfInput:
      goAway
        ?? (hasSettings
          ? Fault(.connectionLost, peerName, detail: Fault.endOfFile) : Fault(.closedBeforeSettings, peerName))
    default:
      Fault(
        error.wireCode == .compressionError ? .compressionFailed : .protocolViolation, peerName, detail: error.message)
    }
  }

  /// Records why the link is over; the first reason counts.
  private func end(with fault: Fault) {
    guard failure == nil else { return }
    // Before SETTINGS, a connection that breaks has not been one yet.
    let isEarly = !hasSettings && fault.code == .connectionLost
    failure = isEarly ? Fault(.closedBeforeSettings, peerName, detail: fault.detail) : fault
  }

  private func tellFrames() {
    guard let onFrame else { return }
    while let frame = session.nextTrace() { onFrame(frame) }
  }
}

extension Fault {
  /// A GOAWAY of the server's.
  package init(goAway code: HTTP2ErrorCode, _ debugData: [UInt8], at name: String) {
    let text = String(decoding: debugData, as: UTF8.self)
    let fault: FaultCode =
      switch code {
      case .enhanceYourCalm where text == "too_many_pings": .tooManyPings
      case .compressionError: .compressionFailed
      default: .goAway
      }
    self.init(fault, name, detail: code.name + (text.isEmpty ? "" : " \(text.quoted)"))
  }

  /// A stream that the server cut off with RST_STREAM.
  package init(reset code: HTTP2ErrorCode, at name: String) {
    self.init(code == .compressionError ? .compressionFailed : .streamReset, name, detail: code.name)
  }
}
