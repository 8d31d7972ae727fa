// SPDX-License-Identifier: Apache-2.0

internal import GRPC
public import GRPCMethods
public import GRPCServer
public import Logging

/// The innermost: makes a status of what a handler throws. What is neither a status nor known to the service becomes
/// INTERNAL; its text goes to the log and not to the client.
public struct ErrorInterceptor: ServerInterceptor {
  private let logger: Logger
  private let translate: @Sendable (any Error) -> RPCError?

  /// Translates the service's own errors with a function that gives nil for others.
  public init(logger: Logger, translate: @escaping @Sendable (any Error) -> RPCError? = { _ in nil }) {
    self.logger = logger
    self.translate = translate
  }

  /// Translates.
  public func intercept(_ context: ServerContext, next: ServerNext) async throws {
    do { try await next() } catch let error as RPCError { throw error } catch let status as Status {
      throw RPCError(status)
    } catch let error as CancellationError {
      throw error
    } catch {
      if let translated = translate(error) { throw translated }
      logger.error(
        "a handler failed",
        metadata: [
          "method": "\(context.method.fullName)", "request_id": "\(context.requestID)", "error": "\(error)",
        ])
      throw RPCError(.internal, "internal error")
    }
  }
}
