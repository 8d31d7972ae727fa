// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Fault
public import Sys

// BlockingClient: the driver of the tools that run once and exit. It dials, shakes hands and runs calls on poll(2),
// with a deadline on every step; every failure is a Fault.

/// Waits for sockets, look-ups and time, and ends any of that when SIGINT or SIGTERM comes.
public final class Waiter {
  private let signals: Signals
  private let subject: String

  /// The signal that ended a wait, once one did.
  public private(set) var termination: Signals.Termination?

  /// Takes over the process's signals; made once, before any thread. The subject is what is on its way, as the fault of
  /// a signal names it.
  public init(for subject: String = "") throws(Fault) {
    self.subject = subject
    signals = try systemCall(for: "signals") { () throws(SystemError) in try Signals() }
  }

  /// Waits for a socket; false where the deadline came first.
  func wait(for socket: borrowing StreamSocket, _ interest: Poll.Interest, until deadline: Deadline) throws(Fault)
    -> Bool
  {
    var poll = Poll()
    poll.add(signals)
    poll.add(socket, for: interest)
    return try wait(&poll, until: deadline)
  }

  /// Waits for what a poll holds, whose first entry is ours; false where the deadline came first.
  package func wait(_ poll: inout Poll, until deadline: Deadline) throws(Fault) -> Bool {
    let isReady = try systemCall(for: "waiting") { () throws(SystemError) in try poll.wait(until: deadline) }
    if poll.isReady(0), let signal = signals.take() {
      termination = signal
      if let cancellation { throw cancellation }
    }
    return isReady
  }

  /// The fault of what a signal ended, once one did. Waits go on after it, so that connections can be closed properly.
  var cancellation: Fault? { termination.map { Fault(.cancelled, subject, detail: $0.name) } }

  /// A poll whose first entry is the signals.
  package func makePoll() -> Poll {
    var poll = Poll()
    poll.add(signals)
    return poll
  }

  /// Waits until an instant, and for nothing but signals.
  public func sleep(until deadline: Deadline) throws(Fault) {
    var poll = makePoll()
    _ = try wait(&poll, until: deadline)
  }
}

/// Runs system calls whose failure says nothing about the peer.
func systemCall<T: ~Copyable>(for what: String, _ body: () throws(SystemError) -> T) throws(Fault) -> T {
  do throws(SystemError) { return try body() } catch { throw Fault(error, for: what) }
}

extension Fault {
  /// A system call that failed for no reason of the peer's.
  init(_ error: SystemError, for what: String) {
    self.init(.systemFailure, what, detail: "\(error.operation): \(error.text)")
  }

  /// The outcome of connecting to an address.
  init(_ error: SystemError, to address: String) {
    let code: FaultCode =
      switch error.errno {
      case Errno.connectionRefused: .connectionRefused
      case Errno.timedOut: .connectTimeout
      // A RST that answers the first packet is a refusal: this one came after the connection stood.
      case Errno.connectionReset: .closedBeforeSettings
      case Errno.networkUnreachable, Errno.addressNotAvailable, Errno.familyNotSupported: .noRoute
      case Errno.hostUnreachable: .hostUnreachable
      case Errno.noSuchFile, Errno.notDirectory: .socketNotFound
      case Errno.permissionDenied, Errno.notPermitted: .connectForbidden
      default: error.operation == "connect" ? .connectFailed : .systemFailure
      }
    let detail: String =
      switch code {
      case .connectFailed, .noRoute, .closedBeforeSettings: error.text
      case .systemFailure: "\(error.operation): \(error.text)"
      default: ""
      }
    self.init(code, address, detail: detail)
  }
}
