// SPDX-License-Identifier: Apache-2.0

internal import GRPC
public import GRPCMethods
public import GRPCServer
internal import Schemas
internal import SwiftProtobuf

/// A field of a request that breaks a rule.
public struct RequestViolation: Equatable, Sendable {
  /// The path of the field within the request, such as `user.email`.
  public let field: String
  /// The rule, as in `user_id is required`.
  public let description: String

  /// A violation.
  public init(_ field: String, _ description: String) {
    self.field = field
    self.description = description
  }
}

/// A request that knows the rules that it can break by itself, without a look at any data.
public protocol ValidatedRequest: Sendable {
  /// All rules that it breaks; empty for a good one.
  var violations: [RequestViolation] { get }
}

/// Refuses requests that break their own rules, with all violations in one `google.rpc.BadRequest`.
public struct ValidationInterceptor: ServerInterceptor {
  private let domain: String

  /// The `domain` stands in the error's `google.rpc.ErrorInfo`.
  public init(domain: String) { self.domain = domain }

  /// Requests are looked at.
  public var seesMessages: Bool { true }

  /// Refuses a bad request.
  public func received<Message: Sendable>(_ message: Message, _ context: ServerContext) throws {
    guard let request = message as? any ValidatedRequest else { return }
    let violations = request.violations
    if !violations.isEmpty { throw RPCError.invalid(violations, domain: domain) }
  }
}

extension RPCError {
  /// Violations that one answer tells of; its trailers have to stay small enough for every client.
  static let maxViolations = 16

  /// INVALID_ARGUMENT for a request's violations, each in the details' `BadRequest`. Where there are more than
  /// ``maxViolations``, the message says how many.
  public static func invalid(_ all: [RequestViolation], domain: String) -> RPCError {
    let violations = all.prefix(maxViolations)
    let badRequest = Google_Rpc_BadRequest.with {
      $0.fieldViolations = violations.map { violation in
        .with {
          $0.field = violation.field
          $0.description_p = violation.description
        }
      }
    }
    let info = Google_Rpc_ErrorInfo.with {
      $0.reason = "INVALID_REQUEST"
      $0.domain = domain
    }
    var message = violations.map(\.description).joined(separator: "; ")
    if all.count > violations.count { message += "; and \(all.count - violations.count) more" }
    return RPCError(.invalidArgument, message, details: [badRequest, info])
  }
}
