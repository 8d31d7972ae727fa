// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import GRPC
import GRPCMethods
import GRPCServer
import Schemas
import ServiceKit
import SwiftProtobuf

enum Greeter {
  static let service = "pb.Greeter"
  // rpc SayHello(HelloRequest) returns (HelloReply)
  static let sayHello = rpc(service, "SayHello", Pb_HelloRequest.self, returns: Pb_HelloReply.self)
}

let greeter = Service(
  Greeter.service,
  [
    handle(Greeter.sayHello) { request, context in
      guard !request.name.isEmpty else { throw RPCError(.invalidArgument, "name is required") }
      return .with { $0.message = "Hello, \(request.name)!" }
    }
  ])

@main
struct GreeterServer: ServiceCommand {
  static let configuration = CommandConfiguration(abstract: "Serve pb.Greeter over gRPC.", version: "1.0")
  static let environmentFlags = ServerOptions.environmentFlags

  @OptionGroup var options: ServerOptions

  static func main() async { await runAsProgram() }

  func run() async throws {
    try await ServiceHost.run(
      name: "greeter", version: "1.0", options: options, descriptors: DescriptorSet.bytes
    ) { environment in
      HostedService(services: [greeter])
    }
  }
}
