// SPDX-License-Identifier: Apache-2.0

// The server that `make bench` measures: the Greeter and the interoperability service on the bare runtime.
//
//     benchmark-server PORT EVENT-LOOPS [CERTIFICATE KEY]

import GRPCServer
import Interop
import NIOTransport
import Schemas
import ServiceMethods
import SwiftProtobuf
import Sys
import TLS

let arguments = CommandLine.arguments
guard arguments.count == 3 || arguments.count == 5, let port = Int(arguments[1]), let loops = Int(arguments[2]) else {
  StandardStream.error.write("usage: benchmark-server PORT EVENT-LOOPS [CERTIFICATE KEY]\n")
  Process.exit(2)
}

let greeter = Service(
  Greeter.service,
  [
    handle(Greeter.sayHello) { request, _ in
      .with { $0.message = "Hello, \(request.name)!" }
    }
  ])

var configuration = ServerConfiguration()
configuration.eventLoops = loops
if arguments.count == 5 {
  let identity = try TLSIdentity(
    certificateChainPEM: Files.read(arguments[3]), privateKeyPEM: Files.read(arguments[4]))
  var tls = TLSServerConfiguration(identity: identity)
  tls.alpn = ["h2"]
  configuration.security = .tls(TLSContextSource(try TLSContext(server: tls)))
}
let server = try await GRPCServer.start(
  [greeter, TestService.implementation], on: [.tcp(host: "127.0.0.1", port: port)], configuration: configuration)
StandardStream.output.write("listening on \(server.addresses[0])\n")
while true { try await Task.sleep(for: .seconds(3_600)) }
