// SPDX-License-Identifier: Apache-2.0

// GRPC: what gRPC adds to HTTP/2 — status, metadata, message framing, deadlines — and the state machines of a call.

/// A status code of gRPC: one of 17 known ones, or any other number that a peer sent.
public struct StatusCode: RawRepresentable, Equatable, Hashable, Sendable {
  /// The number on the wire.
  public let rawValue: Int

  /// A code of any number, known or not.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// The call succeeded.
  public static let ok = StatusCode(rawValue: 0)
  /// The caller gave the call up.
  public static let cancelled = StatusCode(rawValue: 1)
  /// Nobody said what went wrong.
  public static let unknown = StatusCode(rawValue: 2)
  /// An argument is wrong whatever the system's state.
  public static let invalidArgument = StatusCode(rawValue: 3)
  /// The deadline came before the answer.
  public static let deadlineExceeded = StatusCode(rawValue: 4)
  /// What was asked for does not exist.
  public static let notFound = StatusCode(rawValue: 5)
  /// What was to be made exists.
  public static let alreadyExists = StatusCode(rawValue: 6)
  /// The caller is known and may not do this.
  public static let permissionDenied = StatusCode(rawValue: 7)
  /// A quota, a limit or memory is used up.
  public static let resourceExhausted = StatusCode(rawValue: 8)
  /// The system is not in the state that the call needs.
  public static let failedPrecondition = StatusCode(rawValue: 9)
  /// A concurrent change got in the way; try the whole again.
  public static let aborted = StatusCode(rawValue: 10)
  /// Beyond the end of what there is.
  public static let outOfRange = StatusCode(rawValue: 11)
  /// The server has no such method.
  public static let unimplemented = StatusCode(rawValue: 12)
  /// An invariant broke.
  public static let `internal` = StatusCode(rawValue: 13)
  /// The service cannot be reached or takes no calls now; trying again may help.
  public static let unavailable = StatusCode(rawValue: 14)
  /// Data is lost for good.
  public static let dataLoss = StatusCode(rawValue: 15)
  /// The caller did not say, or not prove, who it is.
  public static let unauthenticated = StatusCode(rawValue: 16)

  /// The name as logs and the Go implementation write it: `NotFound`; `Code(17)` for an unknown number.
  public var name: String {
    guard let names else { return "Code(\(rawValue))" }
    return names.camel
  }

  /// The name as the specification writes it: `NOT_FOUND`; the decimal number for an unknown one.
  public var constantName: String { names?.constant ?? String(rawValue) }

  private var names: (camel: String, constant: String)? {
    switch self {
    case .ok: ("OK", "OK")
    case .cancelled: ("Canceled", "CANCELLED")
    case .unknown: ("Unknown", "UNKNOWN")
    case .invalidArgument: ("InvalidArgument", "INVALID_ARGUMENT")
    case .deadlineExceeded: ("DeadlineExceeded", "DEADLINE_EXCEEDED")
    case .notFound: ("NotFound", "NOT_FOUND")
    case .alreadyExists: ("AlreadyExists", "ALREADY_EXISTS")
    case .permissionDenied: ("PermissionDenied", "PERMISSION_DENIED")
    case .resourceExhausted: ("ResourceExhausted", "RESOURCE_EXHAUSTED")
    case .failedPrecondition: ("FailedPrecondition", "FAILED_PRECONDITION")
    case .aborted: ("Aborted", "ABORTED")
    case .outOfRange: ("OutOfRange", "OUT_OF_RANGE")
    case .unimplemented: ("Unimplemented", "UNIMPLEMENTED")
    case .internal: ("Internal", "INTERNAL")
    case .unavailable: ("Unavailable", "UNAVAILABLE")
    case .dataLoss: ("DataLoss", "DATA_LOSS")
    case .unauthenticated: ("Unauthenticated", "UNAUTHENTICATED")
    default: nil
    }
  }
}

/// How a call ended.
public struct Status: Error, Equatable, Sendable {
  /// Who said so.
  public enum Origin: Equatable, Sendable {
    /// The server, in its `grpc-status`: the message is the peer's text.
    case peer
    /// This end, from what it saw on the wire: the message is ours, and what it quotes of the peer's is escaped.
    case local
  }

  /// The code.
  public var code: StatusCode
  /// The message, decoded; often empty.
  public var message: String
  /// Who said so.
  public var origin: Origin

  /// A status of this end's making unless said otherwise.
  public init(_ code: StatusCode, _ message: String = "", origin: Origin = .local) {
    self.code = code
    self.message = message
    self.origin = origin
  }

  /// Success.
  public static let ok = Status(.ok)
}
