// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import GRPCServer
import Interop
import NIOTransport
import Sys
import TLS

/// The server of gRPC's public interoperability tests, with the flags that those programs share.
@main
struct InteropServer: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "interop-server", abstract: "Serve grpc.testing.TestService for interoperability tests.")

  @Option(help: "The TCP port to listen on; 0 lets the system choose one.")
  var port = 8_080

  @Option(name: .customLong("use_tls"), help: "Whether to speak TLS (true or false).")
  var useTLS = false

  @Option(name: .customLong("tls_cert_file"), help: "The server's certificate chain in PEM.")
  var certificateFile: String?

  @Option(name: .customLong("tls_key_file"), help: "The server's private key in PEM.")
  var keyFile: String?

  mutating func validate() throws {
    if useTLS, certificateFile == nil || keyFile == nil {
      throw ValidationError("--use_tls=true needs --tls_cert_file and --tls_key_file")
    }
  }

  func run() async throws {
    var configuration = ServerConfiguration()
    // The public test cases send messages of up to this size.
    configuration.limits.receivedMessageSize = 64 << 20
    configuration.limits.sentMessageSize = 64 << 20
    if useTLS, let certificateFile, let keyFile {
      let identity = try TLSIdentity(
        certificateChainPEM: Files.read(certificateFile), privateKeyPEM: Files.read(keyFile))
      var tls = TLSServerConfiguration(identity: identity)
      tls.alpn = ["h2"]
      configuration.security = .tls(TLSContextSource(try TLSContext(server: tls)))
    }
    let health = HealthService(services: [TestService.service])
    let server = try await GRPCServer.start(
      [TestService.implementation, health.service], on: [.tcp(host: "::", port: port)], configuration: configuration)
    StandardStream.output.write("listening on \(server.addresses[0])\n")
    // Ends with the process.
    while true { try await Task.sleep(for: .seconds(3_600)) }
  }
}
