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
  let handlers: [String: MethodHandler]
  let chain: InterceptorChain
  let logger: Logger
  private let services: Set<String>
  private let calls = Atomic(0)
  private let connections = Atomic(0)

  init(
    services: [Service], interceptors: [any ServerInterceptor], configuration: ServerConfiguration
  ) {
    self.configuration = configuration
    self.services = Set(services.map(\.name))
    var handlers: [String: MethodHandler] = [:]
    for handler in services.flatMap(\.handlers) { handlers[handler.method.path] = handler }
    self.handlers = handlers
    chain = InterceptorChain(interceptors)
    logger = configuration.logger
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

  // MARK: - Unknown methods

  /// The answer to a call of a method that nobody handles.
  func unimplemented(_ path: String) -> Status {
    let parts = path.utf8.dropFirst().split(separator: 0x2F, maxSplits: 1, omittingEmptySubsequences: false)
    guard path.utf8.first == 0x2F, parts.count == 2, let service = String(parts[0]), let method = String(parts[1])
    else { return Status(.unimplemented, "malformed method name: \(path)") }
    guard services.contains(service) else { return Status(.unimplemented, "unknown service \(service)") }
    return Status(.unimplemented, "unknown method \(method) for service \(service)")
  }
}
