// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Bytes
import GRPC
import GRPCClient
import GatewayServer
import NIOCore
import ServiceKit
import Sys

/// The gateway as a program.
@main
struct GatewayCommand: ServiceCommand {
  static let configuration = CommandConfiguration(
    commandName: "gateway",
    abstract: "Pass gRPC calls on to the backends that serve them, balanced call by call.",
    discussion: """
      What a backend serves is learned from it by reflection, and asked for again every --schema-interval, so that \
      neither generated code nor a list of methods is needed. Health and reflection are answered by the gateway \
      itself: about itself, and about all backends. Clients without gRPC reach methods with an annotation \
      google.api.http as REST, and all of them as gRPC-Web. SIGTERM and SIGINT end the program once the running calls \
      have ended; a second one ends it at once.

      For a trial: gateway --backend localhost:50051 --listen localhost:8080

      \(environmentHelp) Without --backend, GRPC_SERVER_ADDRESS names the one that there is.
      """,
    version: sondeVersion)

  static let environmentFlags =
    ServerOptions.environmentFlags
    + [
      EnvironmentFlag("backend", .list), EnvironmentFlag("backend-ca"), EnvironmentFlag("backend-cert"),
      EnvironmentFlag("backend-key"), EnvironmentFlag("service-config"), EnvironmentFlag("schema-interval"),
      EnvironmentFlag("resolve-interval"), EnvironmentFlag("expose", .list),
    ]

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      """
      Pass calls on to the servers of this target: host:port, dns:///host:port, static:host:port,host:port or \
      unix:PATH, with NAME= in front to be called so. May be repeated.
      """, valueName: "target"))
  var backend: [BackendArgument] = []

  @Option(
    help: ArgumentHelp("Speak TLS to backends, whose certificates come from these authorities.", valueName: "file"))
  var backendCa: String?

  @Option(help: ArgumentHelp("Show backends this certificate chain in PEM.", valueName: "file"))
  var backendCert: String?

  @Option(help: ArgumentHelp("The private key of that certificate in PEM.", valueName: "file"))
  var backendKey: String?

  @Option(
    help: ArgumentHelp(
      "How calls to backends are balanced, tried again and limited: gRPC's service config in JSON.", valueName: "file"))
  var serviceConfig: String?

  @Option(help: ArgumentHelp("How often backends are asked what they serve.", valueName: "time"))
  var schemaInterval = TimeArgument(.seconds(30))

  @Option(help: ArgumentHelp("How often the names of backends are looked up.", valueName: "time"))
  var resolveInterval = TimeArgument(.seconds(30))

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      """
      Let JSON reach methods without annotations, too, as POST /package.Service/Method: one by \
      package.Service/Method, those of a service by package.Service, all that begin alike by package.*, every one by \
      '*'. May be repeated.
      """, valueName: "pattern"))
  var expose: [String] = []

  @OptionGroup var server: ServerOptions

  static func main() async { await runAsProgram() }

  func validate() throws {
    guard (backendCert == nil) == (backendKey == nil) else {
      throw ValidationError("--backend-cert and --backend-key go together")
    }
    if backendCert != nil, backendCa == nil { throw ValidationError("--backend-cert needs --backend-ca") }
    for (name, time) in [("--schema-interval", schemaInterval), ("--resolve-interval", resolveInterval)]
    where time.amount < .seconds(1) {
      throw ValidationError("\(name) is at least 1s")
    }
  }

  func run() async throws {
    let targets = try targets()
    try await ServiceHost.run(
      name: "gateway", version: sondeVersion, options: server, descriptors: [], speaksHTTP1: true
    ) { environment in
      var configuration = Gateway.Configuration()
      configuration.schemaInterval = schemaInterval.amount
      configuration.exposed = expose
      configuration.logger = environment.logger
      var backends: [Backend] = []
      for target in targets {
        var client = try clientConfiguration(eventLoops: environment.eventLoopCount)
        client.logger = environment.logger
        do {
          backends.append(
            Backend(
              name: target.name,
              client: try GRPCClient(target: target.target, configuration: client, group: environment.eventLoops)))
        } catch { throw ConfigurationError("--backend \(target.target.quoted): \(error)") }
      }
      let gateway = Gateway(backends, configuration: configuration)
      return HostedService(
        services: [], fallback: { gateway.handler(for: $0) }, translator: gateway.translator,
        reflection: { gateway.reflection }, unreadiness: { gateway.problem }, work: gateway.run, close: gateway.close)
    }
  }

  private func targets() throws(ConfigurationError) -> [BackendArgument] {
    if !backend.isEmpty {
      let names = backend.map(\.name)
      for (place, name) in names.enumerated() where names[..<place].contains(name) {
        throw ConfigurationError("--backend names \(name.quoted) twice; give each a name of its own, as NAME=TARGET")
      }
      return backend
    }
    guard let only = Process.environment("GRPC_SERVER_ADDRESS").flatMap({ BackendArgument(argument: $0) }) else {
      throw ConfigurationError("no backend is named; give one by --backend host:port")
    }
    return [only]
  }

  private func clientConfiguration(eventLoops: Int) throws(ConfigurationError) -> ClientConfiguration {
    var configuration = ClientConfiguration()
    configuration.resolving.interval = resolveInterval.amount
    configuration.eventLoops = eventLoops
    configuration.userAgent = "sonde-gateway/\(sondeVersion)"
    // Backends are near, and few enough to be asked often: a restarted one is used within moments.
    configuration.connecting.backoff = Backoff(initial: 100_000_000, multiplier: 1.6, limit: 5_000_000_000)
    if let serviceConfig {
      configuration.serviceConfig = try UpstreamFiles.serviceConfig(serviceConfig)
    } else {
      configuration.serviceConfig.loadBalancing = .roundRobin
    }
    if let backendCa {
      configuration.security = try UpstreamFiles.security(
        authorities: backendCa, certificate: backendCert, key: backendKey)
    }
    return configuration
  }
}
