// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
public import Reflection

/// `grpc.reflection.v1` and `v1alpha`, which differ in their names alone: a server's schema for clients that have none.
public enum ReflectionService {
  /// Both services, over an index that has the files of all that is served. `served` are the services that a client
  /// sees listed.
  public static func services(_ index: DescriptorIndex, served: [String]) -> [Service] {
    let responder = ReflectionResponder(index, services: served + names)
    return services { responder }
  }

  /// Both services, over what `responder` gives at the start of each stream: schemas that change while the server runs.
  public static func services(_ responder: @escaping @Sendable () -> ReflectionResponder) -> [Service] {
    names.map { name in
      let method = Method<Bidirectional, ReflectionRequest, ReflectionResponse>(
        service: name, name: "ServerReflectionInfo", request: .reflection, response: .reflection)
      return Service(
        name,
        [
          handle(method, options: MethodOptions(endsOnDrain: true)) { requests, writer, _ in
            var responder = responder()
            for try await request in requests {
              switch responder.answer(request) {
              case .answer(let response): try await writer.write(response)
              case .invalid(let message): throw RPCError(.invalidArgument, message)
              }
            }
          }
        ])
    }
  }

  /// The services' full names.
  public static let names = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]
}

extension MessageCodec where Message == ReflectionRequest {
  fileprivate static let reflection = MessageCodec(
    encode: { MessageFrame($0.encoded) }, decode: { try ReflectionRequest(decoding: $0) })
}

extension MessageCodec where Message == ReflectionResponse {
  fileprivate static let reflection = MessageCodec(
    encode: { MessageFrame($0.encoded) }, decode: { try ReflectionResponse(decoding: $0) })
}
