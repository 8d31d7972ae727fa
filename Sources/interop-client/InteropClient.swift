// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import GRPCClient
import Interop
import NIOCore
import Sys
import TLS

/// The client of gRPC's public interoperability tests, with the flags that those programs share.
@main
struct InteropClient: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "interop-client", abstract: "Run gRPC's interoperability test cases against a server.")

  @Option(name: .customLong("server_host"), help: "The server's host.")
  var host = "localhost"

  @Option(name: .customLong("server_port"), help: "The server's port.")
  var port = 8_080

  @Option(help: "The servers, as a target of gRPC's, in place of --server_host and --server_port.")
  var target: String?

  @Option(name: .customLong("server_host_override"), help: "The name that the server is verified for and called by.")
  var hostOverride: String?

  @Option(name: .customLong("test_case"), help: "The cases to run, separated by commas, or 'all'.")
  var cases = "all"

  @Option(name: .customLong("use_tls"), help: "Whether to speak TLS (true or false).")
  var useTLS = false

  @Option(name: .customLong("use_test_ca"), help: "Whether to trust --ca_file and not the system (true or false).")
  var useTestCA = false

  @Option(name: .customLong("ca_file"), help: "Certificates in PEM to trust, for --use_test_ca=true.")
  var caFile: String?

  @Option(name: .customLong("keepalive_time_ms"), help: "Ask a connection that was silent for so long; 0 never asks.")
  var keepaliveTime = 0

  @Option(name: .customLong("keepalive_timeout_ms"), help: "Give a connection up that does not answer for so long.")
  var keepaliveTimeout = 20_000

  @Option(name: .customLong("soak_iterations"), help: "Calls of rpc_soak.")
  var soakIterations = 10

  @Option(name: .customLong("soak_max_failures"), help: "Calls of rpc_soak that may fail.")
  var soakMaxFailures = 0

  @Option(name: .customLong("soak_min_time_ms_between_rpcs"), help: "The time from one call of rpc_soak to the next.")
  var soakInterval = 0

  mutating func validate() throws {
    if useTLS, useTestCA, caFile == nil { throw ValidationError("--use_test_ca=true needs --ca_file") }
    _ = try selected()
  }

  func run() async throws {
    let target = target ?? (host.utf8.contains(0x3A) ? "[\(host)]:\(port)" : "\(host):\(port)")
    let client = try GRPCClient(
      target: target, configuration: clientConfiguration(), interceptors: [CallProbe()])
    var failed = 0
    for test in try selected() {
      do {
        try await test.run(client)
        StandardStream.output.write("\(test.name): ok\n")
      } catch {
        failed += 1
        StandardStream.output.write("\(test.name): failed: \(error)\n")
      }
    }
    await client.close(grace: .seconds(5))
    if failed > 0 { throw ExitCode(1) }
  }

  private func selected() throws -> [InteropCase] {
    if cases == "all" { return InteropCase.all }
    return try cases.split(separator: ",").map { name in
      if name == "rpc_soak" { return .soak(soak) }
      guard let test = InteropCase.named(String(name)) else { throw ValidationError("unknown test case \(name)") }
      return test
    }
  }

  private var soak: Soak {
    var soak = Soak()
    soak.iterations = soakIterations
    soak.maxFailures = soakMaxFailures
    soak.interval = .milliseconds(soakInterval)
    soak.report = { StandardStream.output.write($0 + "\n") }
    return soak
  }

  private func clientConfiguration() throws -> ClientConfiguration {
    var configuration = ClientConfiguration()
    if keepaliveTime > 0 { configuration.keepalive.time = .milliseconds(Int64(keepaliveTime)) }
    configuration.keepalive.timeout = .milliseconds(Int64(keepaliveTimeout))
    configuration.authority = hostOverride
    guard useTLS else { return configuration }
    let paths = useTestCA ? [caFile].compactMap { $0 } : SystemRoots.bundlePaths
    let bundle = paths.lazy.compactMap { try? Files.read($0) }.first.map { [$0] } ?? []
    guard !bundle.isEmpty else { throw ValidationError("no trusted certificates in \(paths.joined(separator: ", "))") }
    configuration.security = .tls(TLSClientConfiguration(roots: .bundles(bundle), serverName: hostOverride))
    return configuration
  }
}
