// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
internal import Logging
internal import NIOCore
internal import Synchronization
internal import TLS

/// What all of a server's connections share.
final class ServerCore: Sendable {
  let configuration: ServerConfiguration
  private let handlers: [String: MethodHandler]
  private let fallback: Fallback?
  let translator: (any CallTranslator)?
  let chain: InterceptorChain
  let logger: Logger
  /// The trailing metadata of calls that are refused before a handler sees them, or while it runs.
  let refusalTrailers: ServerCall.RefusalTrailers
  private let services: Set<String>
  private let calls = Atomic(0)
  private let connections = Atomic(0)

  init(
    services: [Service], fallback: Fallback?, translator: (any CallTranslator)?,
    interceptors: [any ServerInterceptor], configuration: ServerConfiguration
  ) {
    self.fallback = fallback
    self.translator = translator
    self.configuration = configuration
    self.services = Set(services.map(\.name))
    var handlers: [String: MethodHandler] = [:]
    for handler in services.flatMap(\.handlers) { handlers[handler.method.path] = handler }
    self.handlers = handlers
    chain = InterceptorChain(interceptors)
    logger = configuration.logger
    refusalTrailers = { status, failure, isWhole in
      var trailers = isWhole ? configuration.responseHeaders : Metadata()
      trailers.append(contentsOf: configuration.failure(status.code, status.message, failure).trailers)
      return trailers
    }
  }

  var compressesResponses: Bool { configuration.compressesResponses }
  var compressionThreshold: Int { configuration.compressionThreshold }

  // MARK: - Counts

  var callsInFlight: Int { calls.load(ordering: .relaxed) }

  var openConnections: Int { connections.load(ordering: .relaxed) }

  /// Whether one more call may be handled. Health is always answered: a server that is busy is alive, and says so.
  func admitsCall(of handler: MethodHandler) -> Bool {
    if handler.options.isAlwaysAdmitted { return true }
    return callsInFlight < configuration.limits.callsInFlight
      && handler.callsInFlight < handler.options.callsInFlight ?? .max
  }

  func callStarted() { calls.add(1, ordering: .relaxed) }

  func callEnded() { calls.subtract(1, ordering: .relaxed) }

  /// Counts a connection in; false where there are as many as the server takes.
  func admitConnection() -> Bool {
    guard connections.add(1, ordering: .relaxed).newValue <= configuration.limits.connections else {
      connections.subtract(1, ordering: .relaxed)
      return false
    }
    return true
  }

  func connectionEnded() { connections.subtract(1, ordering: .relaxed) }

  // MARK: - Methods

  /// What answers the calls of a path.
  func handler(for path: String) -> MethodHandler? { handlers[path] ?? fallback?(path) }

  // MARK: - Failures

  /// A failure of the server's own.
  func failure(_ code: StatusCode, _ message: String, _ failure: ServerFailure) -> RPCError {
    configuration.failure(code, message, failure)
  }

  /// The trailing metadata of a handler's failure.
  func trailers(of error: RPCError, by handler: MethodHandler) -> Metadata {
    var error = error
    if let domain = configuration.errorDomain, !handler.options.keepsFailures {
      error.explain(reason: error.status.code.constantName, domain: domain)
    }
    return error.trailers
  }

  /// What is wrong with a call of a method that nobody handles.
  func unimplemented(_ path: String) -> (Status, ServerFailure) {
    let parts = path.utf8.dropFirst().split(separator: 0x2F, maxSplits: 1, omittingEmptySubsequences: false)
    guard path.utf8.first == 0x2F, parts.count == 2, let service = String(parts[0]), let method = String(parts[1])
    else { return (Status(.unimplemented, "malformed method name: \(path)"), .malformedMethodName) }
    guard services.contains(service) else {
      return (Status(.unimplemented, "unknown service \(service)"), .unknownService)
    }
    return (Status(.unimplemented, "unknown method \(method) for service \(service)"), .unknownMethod)
  }
}

extension ServerConfiguration {
  /// A failure of the server's own, with its reason where there is a domain for it.
  fileprivate func failure(_ code: StatusCode, _ message: String, _ failure: ServerFailure) -> RPCError {
    var error = RPCError(code, message)
    if let errorDomain { error.explain(reason: failure.rawValue, domain: errorDomain) }
    return error
  }
}
