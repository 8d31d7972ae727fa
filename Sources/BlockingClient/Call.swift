// SPDX-License-Identifier: Apache-2.0

public import Fault
public import GRPC
internal import HTTP2
public import Sys

/// One call on a ``Connection``, of any kind: messages are sent and events are taken in whatever order the caller
/// likes.
public final class Call {
  private let connection: Connection
  private let id: StreamID
  private var state: ClientCall
  private var hasEnded = false

  init(on connection: Connection, _ id: StreamID, _ state: ClientCall) {
    self.connection = connection
    self.id = id
    self.state = state
  }

  /// Sends a message; waits while the server does not read. Nothing is sent once the call has ended.
  ///
  /// Throws ``FaultCode/callTimeout`` where the deadline comes first.
  public func send(
    _ message: [UInt8], encoding: MessageEncoding = .identity, isLast: Bool = false, until deadline: Deadline
  ) throws(Fault) {
    do throws(Status) {
      connection.send(try MessageFramer.frame(message, encoding: encoding), on: id, endStream: isLast)
    } catch { throw Fault(.callFailed, connection.peerName, detail: error.message) }
    while isBacklogged {
      guard try connection.advance(until: deadline) else { throw Fault(.callTimeout, connection.peerName) }
    }
  }

  /// Says that no more messages follow.
  public func finishSending() { connection.send([], on: id, endStream: true) }

  /// Whether so much waits to be sent that more should wait, too.
  public var isBacklogged: Bool { connection.pendingBytes(on: id) > Connection.sendBacklog }

  /// The next thing that has happened already; nil where there is none.
  public func takeEvent() -> ClientCallEvent? {
    guard let event = state.nextEvent() else { return nil }
    if case .ended = event {
      hasEnded = true
      connection.reset(id)
    }
    return event
  }

  /// The call's next event; nil after its end.
  ///
  /// Throws ``FaultCode/callTimeout`` where the deadline comes first: the call is then cancelled.
  public func nextEvent(until deadline: Deadline) throws(Fault) -> ClientCallEvent? {
    while true {
      if let event = takeEvent() { return event }
      if hasEnded { return nil }
      guard try connection.advance(until: deadline) else {
        cancel()
        // A server that says goodbye and then nothing has said why.
        throw Fault(.callTimeout, connection.peerName, detail: connection.goAway?.summary ?? "")
      }
    }
  }

  /// Gives the call up.
  public func cancel() {
    guard !hasEnded else { return }
    hasEnded = true
    connection.reset(id)
  }

  func receive(_ event: HTTP2Event) { state.receive(event) }
  func end(_ status: Status) { state.end(status) }
}
