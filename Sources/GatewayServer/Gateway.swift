// SPDX-License-Identifier: Apache-2.0

// GatewayServer: lets clients reach the services of many backends in one place, without generated code.

internal import GRPC
internal import GRPCClient
internal import GRPCMethods
public import GRPCServer
public import Logging
public import NIOCore
internal import Protobuf
public import Reflection
internal import Synchronization
internal import Transcoding

/// What stands in front of the backends: it learns what they serve, and passes calls on to them.
///
/// ```
/// clients ──calls──► server ──► routes ──► backend's client ──balanced, call by call──► its servers
///                                 ▲
///                       schemas, by reflection, read again in intervals
/// ```
public final class Gateway: Sendable {
  /// How a gateway works.
  public struct Configuration: Sendable {
    /// How often a backend that has told its schema is asked again.
    public var schemaInterval = TimeAmount.seconds(30)
    /// How long to wait before a backend is asked again that could not be asked.
    public var retryInterval = TimeAmount.seconds(1)
    /// The methods that REST reaches as `POST /package.Service/Method` with JSON, beside those with annotations: one as
    /// `package.Service/Method`, those of a service as `package.Service`, all that begin alike as `package.*`, every
    /// one as `*`.
    public var exposed: [String] = []
    /// For what happens to backends.
    public var logger = Logger(label: "gateway", factory: { _ in SwiftLogNoOpLogHandler() })

    /// The configuration with its defaults.
    public init() {}
  }

  /// What the gateway answers itself, and never passes on.
  static let ownServices: Set<String> = Set(ReflectionService.names).union(["grpc.health.v1.Health"])

  private let backends: [Backend]
  private let configuration: Configuration
  private let routes: Mutex<Routes>

  /// A gateway in front of some backends, at least one.
  public init(_ backends: [Backend], configuration: Configuration = Configuration()) {
    self.backends = backends
    self.configuration = configuration
    routes = Mutex(Routes(backends, exposed: configuration.exposed))
  }

  /// What answers the calls of a path; nil where nobody does, and for the gateway's own services.
  public func handler(for path: String) -> MethodHandler? { routes.withLock { $0 }.handler(for: path) }

  /// What reads requests of REST, by the annotations `google.api.http` of the backends' schemas, and of gRPC-Web.
  public var translator: any CallTranslator { EdgeTranslator(self) }

  /// Where requests of REST lead at this moment.
  var restRoutes: RESTRoutes { routes.withLock { $0.rest } }

  /// What answers questions of reflection: the files of every backend, as one.
  public var reflection: ReflectionResponder { routes.withLock { $0.reflection } }

  /// Why calls cannot be passed on; nil where those of a backend at least can.
  public var problem: String? {
    let problems = backends.compactMap(\.problem)
    return problems.count < backends.count ? nil : problems.joined(separator: "; ")
  }

  /// Keeps asking the backends what they serve, until it is cancelled.
  public func run() async {
    await withDiscardingTaskGroup { group in
      for backend in backends { group.addTask { await self.watch(backend) } }
    }
  }

  /// Lets go of the backends, once no call is passed on any more.
  public func close() async {
    for backend in backends { await backend.client.close() }
  }

  // MARK: - Schemas

  private func watch(_ backend: Backend) async {
    while !Task.isCancelled {
      let pause = await look(at: backend) ? configuration.schemaInterval : configuration.retryInterval
      try? await Task.sleep(for: .nanoseconds(pause.nanoseconds))
    }
  }

  /// Asks a backend once; false where it could not be asked.
  func look(at backend: Backend) async -> Bool {
    let logger = configuration.logger
    do {
      let schema = try await BackendSchema.ask(backend.client)
      guard backend.told(schema) else { return true }
      let changed = Routes(backends, exposed: configuration.exposed)
      let known = routes.withLock { routes in
        defer { routes = changed }
        return routes.rest.problems
      }
      logger.notice(
        "backend \(backend.name) told its schema",
        metadata: ["services": "\(schema.services.joined(separator: ","))", "files": "\(schema.files.count)"])
      for problem in changed.rest.problems where !known.contains(problem) {
        logger.warning("not served as REST: \(problem.message)")
      }
      return true
    } catch {
      guard !Task.isCancelled else { return false }
      let status = RPCError(describing: error).status
      let problem =
        status.code == .unimplemented
        ? "it does not offer reflection; switch it on at the backend"
        : "\(status.code.constantName): \(status.message)"
      if backend.failed(problem) { logger.error("backend \(backend.name): \(problem)") }
      return false
    }
  }
}
