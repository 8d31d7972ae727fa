// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCClient
import GRPCMethods
import Schemas
import ServiceMethods
import SwiftProtobuf

@main
struct GreeterClient {
  static func main() async throws {
    // Every address behind the name is used, each call goes to the next one, and what failed before it was answered is
    // tried again.
    var configuration = ClientConfiguration()
    configuration.serviceConfig = try ServiceConfig(
      parsing: """
        {"loadBalancingConfig": [{"round_robin": {}}],
         "methodConfig": [{"name": [{"service": "pb.Greeter"}], "timeout": "2s",
           "retryPolicy": {"maxAttempts": 3, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
             "retryableStatusCodes": ["UNAVAILABLE"]}}]}
        """)
    let target = CommandLine.arguments.dropFirst().first ?? "localhost:50051"
    let client = try GRPCClient(target: target, configuration: configuration)

    do {
      let reply = try await client.call(Greeter.sayHello, .with { $0.name = "Docker" })
      print(reply.message)
    } catch let error as RPCError {
      print("\(error.status.code.constantName): \(error.status.message)")
    }
    await client.close()
  }
}
