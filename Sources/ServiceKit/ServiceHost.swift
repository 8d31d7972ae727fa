// SPDX-License-Identifier: Apache-2.0

internal import GRPC
public import GRPCMethods
public import GRPCServer
internal import Glibc
internal import Health
public import Logging
public import NIOCore
internal import NIOPosix
internal import NIOTransport
public import Reflection
internal import Synchronization
internal import Sys
public import Telemetry

/// What a service is made with.
public struct ServiceEnvironment: Sendable {
  /// For what happens to the service as a whole.
  public let logger: Logger
  /// For metrics of its own.
  public let metrics: MetricsRegistry
  /// The name of this instance among its replicas.
  public let instance: String
  /// The event loops that calls are handled on, for clients that handlers call others with: a call that stays on its
  /// loop costs no change of threads.
  public let eventLoops: any EventLoopGroup
  /// How many they are.
  public let eventLoopCount: Int
}

/// A service as its host runs it.
public struct HostedService: Sendable {
  /// What it serves.
  public var services: [Service]
  /// Finds what answers calls of no service of its own; nil where nobody does.
  public var fallback: Fallback?
  /// Reads requests in other forms of HTTP than gRPC's; nil where nobody does.
  public var translator: (any CallTranslator)?
  /// Answers questions of reflection at the time of each stream, where the host's descriptors do not.
  public var reflection: (@Sendable () -> ReflectionResponder)?
  /// Makes a status of an error of its own; nil for others, which become INTERNAL and are logged.
  public var errors: @Sendable (any Error) -> RPCError?
  /// Why it cannot serve now; nil where it can. Asked every second, and decides what health says.
  public var unreadiness: @Sendable () async -> String?
  /// Work beside the calls, until it is cancelled.
  public var work: @Sendable () async throws -> Void
  /// Lets go of what it holds, after the last call has ended.
  public var close: @Sendable () async -> Void

  /// A service; everything but what it serves can be left out.
  public init(
    services: [Service], fallback: Fallback? = nil, translator: (any CallTranslator)? = nil,
    reflection: (@Sendable () -> ReflectionResponder)? = nil,
    errors: @escaping @Sendable (any Error) -> RPCError? = { _ in nil },
    unreadiness: @escaping @Sendable () async -> String? = { nil },
    work: @escaping @Sendable () async throws -> Void = {}, close: @escaping @Sendable () async -> Void = {}
  ) {
    self.services = services
    self.fallback = fallback
    self.translator = translator
    self.reflection = reflection
    self.errors = errors
    self.unreadiness = unreadiness
    self.work = work
    self.close = close
  }
}

/// Runs a service from its flags to its end.
///
/// ```
/// start ──► serving ──SIGTERM, SIGINT──► lame duck ──► draining ──► closed, exit code 0
///             │ ▲                        (health says NOT_SERVING)     │ second signal, or the grace is over
///   not ready ▼ │ ready                                                └──► stopped at once, exit code 1
///           NOT_SERVING
/// ```
public struct ServiceHost: Sendable {
  /// The health service that says SERVING as long as the process works, also while it drains: an outage of the data
  /// must restart nobody.
  public static let liveness = "liveness"

  private let name: String
  private let options: ServerOptions
  private let sink: LogSink
  private let logger: Logger
  private let registry: MetricsRegistry
  private let instance: String

  /// Runs the service that `make` makes until a signal ends it. `descriptors` is the FileDescriptorSet of what it
  /// serves, for reflection; `speaksHTTP1` lets TLS agree on HTTP/1.1, too, which a service with a translator speaks.
  /// Throws `ConfigurationError` where it cannot start.
  public static func run(
    name: String, version: String, options: ServerOptions, descriptors: [UInt8], speaksHTTP1: Bool = false,
    make: (ServiceEnvironment) async throws -> HostedService
  ) async throws {
    let host = try ServiceHost(name: name, options: options)
    defer { host.sink.close() }
    try await host.run(version: version, descriptors: descriptors, speaksHTTP1: speaksHTTP1, make: make)
  }

  private init(name: String, options: ServerOptions) throws {
    self.name = name
    self.options = options
    let level: Logger.Level
    do {
      level = try LogLevelChoice.resolve(flag: options.logLevel) { Process.environment($0) }
    } catch { throw ConfigurationError("\(error)") }
    let sink = LogSink(form: options.logFormat == .json ? .json : .text)
    self.sink = sink
    let logger = Logger(label: name) { label in SinkLogHandler(label: label, sink: sink, level: level) }
    self.logger = logger
    registry = MetricsRegistry { logger.warning("\($0)") }
    ProcessMetrics.register(in: registry)
    instance = options.instance ?? Self.hostName()
  }

  private func run(
    version: String, descriptors: [UInt8], speaksHTTP1: Bool,
    make: (ServiceEnvironment) async throws -> HostedService
  ) async throws {
    let signals = TerminationSignals()
    let files = options.tlsFiles(protocols: speaksHTTP1 ? ["h2", "http/1.1"] : ["h2"])
    let security = try files.map { TLSContextSource(try $0.load()) }
    let tokens = try options.authTokenFile.map { try TokenFile($0) }
    let spans = try spanExport(version: version)
    let loopCount = options.threads ?? System.coreCount
    let loops = MultiThreadedEventLoopGroup(numberOfThreads: loopCount)
    let service = try await make(
      ServiceEnvironment(
        logger: logger, metrics: registry, instance: instance, eventLoops: loops, eventLoopCount: loopCount))
    let health = HealthService(services: service.services.map(\.name), exempt: [Self.liveness])
    let services = try all(service, health, descriptors)
    let state = HostState()
    let readiness = ReadinessCheck(service, health, state, logger)
    // Nobody is to hear SERVING, not even once, from a service that cannot serve.
    await readiness.look()

    var configuration = options.server
    configuration.logger = logger
    configuration.errorDomain = name
    if let security { configuration.security = .tls(security) }
    // The name was made one by `hostName`, or is refused here.
    do { try configuration.responseHeaders.append("x-served-by", instance) } catch {
      throw ConfigurationError("--instance: \(error.message)")
    }
    let server = try await start(
      services, service, interceptors(service, services, tokens, spans), configuration, loops)
    let admin = try await startAdmin(state)
    announce(server, admin, version: version)

    await withTaskGroup(of: Void.self) { group in
      group.addTask { await readiness.run() }
      group.addTask { await watchFiles(files, security, tokens) }
      group.addTask { await run(service.work) }
      await end(on: signals, health, state, server)
      group.cancelAll()
    }
    await service.close()
    await spans?.shutdown()
    await admin?.stop()
    try? await loops.shutdownGracefully()
    logger.notice("stopped")
  }

  // MARK: - Starting

  private func all(_ service: HostedService, _ health: HealthService, _ descriptors: [UInt8]) throws -> [Service] {
    var services = service.services + [health.service]
    if options.reflection, let reflection = service.reflection {
      services += ReflectionService.services(reflection)
    } else if options.reflection {
      let index = try DescriptorIndex(set: descriptors)
      services += ReflectionService.services(index, served: services.map(\.name))
    }
    return services
  }

  private func spanExport(version: String) throws(ConfigurationError) -> SpanExport? {
    guard let endpoint = options.otlpEndpoint else { return nil }
    let resource = TraceResource(serviceName: name, serviceVersion: version, instance: instance)
    return try SpanExport(
      endpoint: endpoint, ratio: options.traceRatio, resource: resource, registry: registry, logger: logger)
  }

  private func interceptors(
    _ service: HostedService, _ services: [Service], _ tokens: TokenFile?, _ spans: SpanExport?
  ) -> [any ServerInterceptor] {
    var all: [any ServerInterceptor] = [
      RequestIDInterceptor(),
      AccessLogInterceptor(sink, quiet: [HealthMethods.service]),
      MetricsInterceptor(RPCMetrics(registry: registry), services: services),
      TracingInterceptor(spans?.tracer),
    ]
    if let tokens { all.append(AuthenticationInterceptor(tokens, exempt: [HealthMethods.service], domain: name)) }
    return all + [
      ValidationInterceptor(domain: name), ErrorInterceptor(logger: logger, translate: service.errors),
    ]
  }

  private func start(
    _ services: [Service], _ service: HostedService, _ interceptors: [any ServerInterceptor],
    _ configuration: ServerConfiguration, _ loops: MultiThreadedEventLoopGroup
  ) async throws -> GRPCServer {
    do {
      return try await GRPCServer.start(
        services, fallback: service.fallback, translator: service.translator, on: options.listen.map(\.address),
        interceptors: interceptors, configuration: configuration, group: loops)
    } catch let error as ServerStartError {
      throw ConfigurationError("\(error); choose another address with --listen")
    }
  }

  private func startAdmin(_ state: HostState) async throws -> AdminServer? {
    guard options.admin != "off" else { return nil }
    guard case .tcp(let host, let port)? = AddressArgument(argument: options.admin)?.address else {
      throw ConfigurationError("--admin is HOST:PORT or off, and not \(options.admin)")
    }
    do {
      return try await AdminServer.start(host: host, port: port, registry: registry) { state.readiness }
    } catch {
      throw ConfigurationError("cannot listen on \(options.admin): \(error); choose another address with --admin")
    }
  }

  private func announce(_ server: GRPCServer, _ admin: AdminServer?, version: String) {
    let budget = options.lameDuck.amount + options.shutdownGrace.amount
    logger.notice(
      "started",
      metadata: [
        "version": "\(version)", "instance": "\(instance)", "shutdown_budget": "\(TimeArgument(budget))",
        "security": "\(options.tlsCert == nil ? "plaintext" : options.tlsClientCa == nil ? "tls" : "mutual tls")",
      ])
    if let admin { logger.notice("admin on port \(admin.port)") }
    for address in server.addresses { logger.notice("listening on \(address)") }
  }

  // MARK: - Serving

  private func watchFiles(_ files: TLSFiles?, _ security: TLSContextSource?, _ tokens: TokenFile?) async {
    await withTaskGroup(of: Void.self) { group in
      if let files, let security {
        group.addTask {
          try? await FileWatch(paths: files.paths).run {
            security.context = try files.load()
            logger.notice("the certificate was read again")
          } failed: {
            logger.error("the certificate stays as it was: \($0)")
          }
        }
      }
      if let tokens {
        group.addTask {
          try? await FileWatch(paths: [tokens.path]).run {
            try tokens.reload()
            logger.notice("the tokens were read again")
          } failed: {
            logger.error("the tokens stay as they were: \($0)")
          }
        }
      }
    }
  }

  private func run(_ work: () async throws -> Void) async {
    do { try await work() } catch {
      if !Task.isCancelled { logger.critical("the work beside the calls has failed: \(error)") }
    }
  }

  // MARK: - Ending

  private func end(
    on signals: TerminationSignals, _ health: HealthService, _ state: HostState, _ server: GRPCServer
  ) async {
    var names = signals.names.makeAsyncIterator()
    let first = await names.next() ?? ""
    logger.notice("\(first): draining", metadata: ["calls": "\(server.callsInFlight)"])
    let more = signals.names
    let impatient = Task {
      for await name in more {
        logger.error("\(name) again: stopping at once", metadata: ["calls": "\(server.callsInFlight)"])
        sink.close()
        Process.exit(1)
      }
    }
    state.drain()
    health.shutdown()
    if options.lameDuck.amount > .zero { try? await Task.sleep(for: .nanoseconds(options.lameDuck.amount.nanoseconds)) }
    await server.shutdown(grace: options.shutdownGrace.amount)
    impatient.cancel()
  }

  private static func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    let result = gethostname(&buffer, buffer.count - 1)
    let bytes = buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
    let name = result == 0 ? String(decoding: bytes, as: UTF8.self) : ""
    return name.isEmpty ? "unknown" : name
  }
}

/// Asks a service whether it can serve, and lets health say so.
private struct ReadinessCheck {
  private let service: HostedService
  private let health: HealthService
  private let state: HostState
  private let logger: Logger

  init(_ service: HostedService, _ health: HealthService, _ state: HostState, _ logger: Logger) {
    self.service = service
    self.health = health
    self.state = state
    self.logger = logger
  }

  func run() async {
    while (try? await Task.sleep(for: .seconds(1))) != nil { await look() }
  }

  func look() async {
    let reason = await service.unreadiness()
    guard let last = state.setUnreadiness(reason) else { return }
    if reason != last {
      if let reason { logger.error("not ready", metadata: ["reason": "\(reason)"]) } else { logger.notice("ready") }
    }
    for name in [""] + service.services.map(\.name) { health.set(reason == nil ? .serving : .notServing, for: name) }
  }
}

/// What the admin port is asked for.
private final class HostState: Sendable {
  private static let draining = "draining"
  private let reason = Mutex<String?>("starting")

  var readiness: Readiness { reason.withLock { $0.map { .notReady($0) } ?? .ready } }

  /// Says why the service is not ready, and gives what was said before. A drain is never taken back: nil then.
  func setUnreadiness(_ new: String?) -> String?? {
    reason.withLock { reason in
      guard reason != Self.draining else { return nil }
      defer { reason = new }
      return .some(reason)
    }
  }

  func drain() { reason.withLock { $0 = Self.draining } }
}

extension ServerOptions {
  fileprivate func tlsFiles(protocols: [String]) -> TLSFiles? {
    guard let tlsCert, let tlsKey else { return nil }
    return TLSFiles(certificate: tlsCert, key: tlsKey, clientAuthorities: tlsClientCa, protocols: protocols)
  }
}
