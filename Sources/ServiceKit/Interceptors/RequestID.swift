// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
public import GRPCServer
internal import Synchronization

/// Gives every call an id, by which it is found in the logs of all services that it passes through: the caller's
/// `x-request-id`, or a new one. It goes back with the answer and out with upstream calls.
public struct RequestIDInterceptor: ServerInterceptor {
  /// The metadata's name.
  public static let header = "x-request-id"
  /// A longer id of a caller's is replaced: it would only fill logs.
  public static let maxLength = 128

  private static let series: String = {
    let text = String(UInt32.random(in: .min ... .max), radix: 16)
    return String(repeating: "0", count: 8 - text.count) + text
  }()
  private static let counter = Atomic<UInt64>(0)

  /// The interceptor.
  public init() {}

  /// Finds or makes the id.
  public func intercept(_ context: ServerContext, next: ServerNext) async throws {
    var id = context.metadata.first(Self.header) ?? ""
    if id.isEmpty || id.utf8.count > Self.maxLength {
      // Unique by the process's random number and its count: a system call for randomness each time costs more than
      // the rest of a call's way through here.
      id = Self.series + "-" + String(Self.counter.add(1, ordering: .relaxed).newValue, radix: 36)
    }
    context[RequestIDKey.self] = id
    // The text came as a field's value, or was made here: it is one.
    try? context.responseHeaders.append(Self.header, id)
    try? context.scope.metadata.append(Self.header, id)
    try await next()
  }
}

/// The id that ``RequestIDInterceptor`` left with a call.
public enum RequestIDKey: ServerContextKey {
  /// The id.
  public typealias Value = String
}

extension ServerContext {
  /// The call's id; empty before ``RequestIDInterceptor``.
  public var requestID: String { self[RequestIDKey.self] ?? "" }
}
