// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import GRPC
internal import Health

/// What became of one check of one service, or of the way to it.
struct Outcome {
  /// The exit code.
  var code: ExitCode
  /// The line that scripts know, without its end.
  var line: String
  /// Why, where it is not well.
  var fault: Fault?
  /// The status, where the server gave one.
  var status: ServingStatus?
  /// Whether waiting longer may change it.
  var mayPass: Bool
  /// Whether a time that ran out is all that is known.
  var hasTimedOut: Bool { line.utf8.starts(with: "timeout:".utf8) }

  /// A service's status.
  init(_ status: ServingStatus, service: String) {
    self.status = status
    if status == .serving {
      code = .healthy
      line = "status: SERVING"
      mayPass = false
    } else {
      code = .unhealthy
      line = "service unhealthy (responded with \(status.name.quoted))"
      let name = service.isEmpty ? "the server as a whole" : service.quoted
      fault = Fault(
        .notServing, name, detail: status.name,
        hint: status == .serviceUnknown ? "the server does not know this service: check its name" : "")
      mayPass = true
    }
  }

  /// A connection that stands, where nothing else was asked for.
  static var connected: Outcome {
    var outcome = Outcome(.serving, service: "")
    outcome.line = "status: CONNECTED"
    outcome.status = nil
    return outcome
  }

  private init(_ code: ExitCode, _ line: String, _ fault: Fault?, mayPass: Bool) {
    self.code = code
    self.line = line
    self.fault = fault
    self.mayPass = mayPass
  }

  /// No connection.
  init(_ error: DialError, address: String, window: Int64) {
    let fault = error.fault
    if fault.code == .cancelled {
      self.init(
        .connectionFailed, "error: failed to connect service at \(address.quoted): context canceled", fault,
        mayPass: false)
    } else if error.ranOut {
      self.init(
        .connectionFailed, "timeout: failed to connect service \(address.quoted) within \(GoDuration.format(window))",
        fault, mayPass: true)
    } else {
      self.init(
        .connectionFailed, "error: failed to connect service at \(address.quoted): \(fault.summary)", fault,
        mayPass: !fault.code.isPermanent)
    }
  }

  /// A call that our own deadline ended.
  init(timedOut fault: Fault, within window: Int64) {
    self.init(
      .callFailed, "timeout: health rpc did not complete within \(GoDuration.format(window))", fault, mayPass: true)
  }

  /// A call that failed.
  ///
  /// - Parameter namesFlags: whether what to do about it may be told by the probe's flags.
  init(_ status: Status, service: String, fault: Fault?, peer: String, namesFlags: Bool = true) {
    // The server's words are escaped; ours quote what they repeat of the server's.
    let message = status.origin == .peer ? status.message.safeForDisplay : status.message
    if status.code == .unimplemented {
      self.init(
        .callFailed,
        "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): \(message)",
        fault ?? Fault(.notImplemented, peer), mayPass: false)
      return
    }
    let hint: String =
      switch status.code {
      case .notFound:
        "the server does not know the service \(service.quoted): check its name"
          + (namesFlags ? "; -all lists those it knows" : "")
      case .unauthenticated, .permissionDenied:
        "the server wants credentials, or others" + (namesFlags ? ": see -rpc-header" : "")
      case .deadlineExceeded: "the server gave up by its own clock: a call that it makes itself took too long"
      case .unknown where status.origin == .peer && status.message.isEmpty: "the server gave no grpc-status"
      default: ""
      }
    let said = message.isEmpty ? status.code.constantName : "\(status.code.constantName): \(message)"
    self.init(
      .callFailed, "error: health rpc failed: rpc error: code = \(status.code.name) desc = \(message)",
      fault ?? Fault(.callFailed, peer, detail: said, hint: hint),
      mayPass: ![.unauthenticated, .permissionDenied, .invalidArgument].contains(status.code))
  }

  /// A call that a signal ended.
  static func cancelled(_ fault: Fault) -> Outcome {
    Outcome(
      .callFailed, "error: health rpc failed: rpc error: code = Canceled desc = context canceled", fault,
      mayPass: false)
  }

  /// Something that ends the probe before it connects.
  static func failure(_ code: ExitCode, _ line: String, _ fault: Fault? = nil) -> Outcome {
    Outcome(code, line, fault, mayPass: false)
  }
}
