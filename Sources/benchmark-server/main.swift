// SPDX-License-Identifier: Apache-2.0

// The server that `make bench` measures: the Greeter on the bare runtime.
//
//     benchmark-server PORT EVENT-LOOPS

import GRPCServer
import Schemas
import ServiceMethods
import SwiftProtobuf

guard CommandLine.arguments.count == 3, let port = Int(CommandLine.arguments[1]),
  let loops = Int(CommandLine.arguments[2])
else {
  print("usage: benchmark-server PORT EVENT-LOOPS")
  throw CancellationError()
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
let server = try await GRPCServer.start(
  [greeter], on: [.tcp(host: "127.0.0.1", port: port)], configuration: configuration)
print("listening on \(server.addresses[0])")
try await Task.sleep(for: .seconds(1_000_000))
