// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import GRPC
internal import Protobuf

/// Why a request leads to no call, or an answer to no response: told to the client in the same shape as any failure of
/// a call, ``status``.
public struct TranscodingError: Error, Equatable, Sendable {
  /// What was wrong.
  public enum Code: Equatable, Sendable {
    /// The path, or a value in it.
    case path
    /// The query, or a parameter in it.
    case query
    /// The body.
    case body
    /// A header.
    case header
    /// The body is larger than the limit.
    case tooLarge
    /// The headers are larger than the limit.
    case headersTooLarge
    /// The body is of a type that the route does not take.
    case unsupportedMediaType
    /// No type that the client accepts is one that the route gives.
    case notAcceptable
    /// No route has the path.
    case notFound
    /// No route has the path with this method.
    case methodNotAllowed
    /// The answer of the service has no form in JSON.
    case response
  }

  /// What was wrong.
  public let code: Code
  /// The field of the request that it was found in, by names of the schema where they are known and as in the body
  /// elsewhere: `user.emails[2]`; empty where it was none.
  public let field: String
  /// The cause, on one line.
  public let reason: String

  init(_ code: Code, field: String = "", _ reason: String) {
    self.code = code
    self.field = field.safeForDisplay
    self.reason = reason.safeForDisplay
  }

  init(_ code: Code, _ error: MappingError, within field: String = "") {
    // A document's own path begins with `$`.
    var path = error.path.after("$") ?? error.path
    if field.isEmpty || path.isEmpty {
      path = field + (path.after(".") ?? path)
    } else {
      path = field + (path.utf8.first == 0x2E || path.utf8.first == 0x5B ? "" : ".") + path
    }
    self.init(error.isOfSize ? .tooLarge : code, field: path, error.reason)
  }

  /// No route has the path.
  public static let notFound = TranscodingError(.notFound, "no route has this path")

  /// No route has the path with a method.
  public static func methodNotAllowed(_ method: String, allowed: [String]) -> TranscodingError {
    var text = ""
    for name in allowed { text += (text.isEmpty ? "" : ", ") + name }
    return TranscodingError(
      .methodNotAllowed, method.shortened(toUTF8Count: 32) + " is not allowed here; allowed are " + text)
  }

  /// The path of a request is none.
  public static let malformedPath = TranscodingError(
    .path, "the path does not begin with \"/\", or holds a \"%\" without two hexadecimal digits behind it")

  /// One line in words: `page_size: the number is out of range or not whole`.
  public var message: String { (field.isEmpty ? "" : field + ": ") + reason }

  /// The status of the HTTP response.
  public var httpStatus: Int {
    switch code {
    case .path, .query, .body, .header: 400
    case .notFound: 404
    case .methodNotAllowed: 405
    case .notAcceptable: 406
    case .tooLarge: 413
    case .unsupportedMediaType: 415
    case .headersTooLarge: 431
    case .response: 500
    }
  }

  /// The code of gRPC.
  public var statusCode: StatusCode {
    switch code {
    case .path, .query, .body, .header, .notAcceptable, .unsupportedMediaType: .invalidArgument
    case .notFound: .notFound
    case .methodNotAllowed: .unimplemented
    case .tooLarge, .headersTooLarge: .resourceExhausted
    case .response: .internal
    }
  }

  /// The cause in a form that programs can tell apart: by it, a path without a route differs from a resource that the
  /// service does not have.
  public var reasonCode: String {
    switch code {
    case .path: "INVALID_PATH"
    case .query: "INVALID_QUERY"
    case .body: "INVALID_BODY"
    case .header: "INVALID_HEADER"
    case .tooLarge: "BODY_TOO_LARGE"
    case .headersTooLarge: "HEADERS_TOO_LARGE"
    case .unsupportedMediaType: "UNSUPPORTED_MEDIA_TYPE"
    case .notAcceptable: "NOT_ACCEPTABLE"
    case .notFound: "ROUTE_NOT_FOUND"
    case .methodNotAllowed: "METHOD_NOT_ALLOWED"
    case .response: "UNREADABLE_ANSWER"
    }
  }

  /// The status, with a `google.rpc.ErrorInfo` of ``reasonCode`` in the gateway's domain, such as its name, and a
  /// `google.rpc.BadRequest` that names the field where there is one.
  public func status(domain: String) -> RPCStatus {
    var status = RPCStatus(statusCode, message)
    var info = WireWriter()
    info.string(reasonCode, field: 1)
    info.string(domain, field: 2)
    status.details.append(RPCStatus.Detail("google.rpc.ErrorInfo", info.bytes))
    if !field.isEmpty, statusCode == .invalidArgument {
      var violation = WireWriter()
      violation.string(field, field: 1)
      violation.string(reason, field: 2)
      var request = WireWriter()
      request.bytes(violation.bytes, field: 1)
      status.details.append(RPCStatus.Detail("google.rpc.BadRequest", request.bytes))
    }
    return status
  }
}

extension MappingError {
  /// Whether the document was larger than the limit.
  fileprivate var isOfSize: Bool { code == .message(.tooLarge) || code == .tooManyElements }
}
