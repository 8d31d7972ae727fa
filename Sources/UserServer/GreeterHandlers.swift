// SPDX-License-Identifier: Apache-2.0

internal import GRPCServer
internal import Schemas
internal import ServiceMethods
internal import SwiftProtobuf

/// Answers the methods of `pb.Greeter`.
enum GreeterHandlers {
  static let service = Service(
    Greeter.service,
    [
      handle(Greeter.sayHello) { request, _ in
        .with { $0.message = "Hello, \(request.name.isEmpty ? "World" : request.name)!" }
      }
    ])
}
