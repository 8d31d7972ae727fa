// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCClient
internal import GRPCMethods
internal import GRPCServer

/// Passes calls of a method on to a backend, message by message and unread.
struct Forwarding: Sendable {
  let backend: Backend
  let service: String
  let method: String

  /// What answers the method's calls. Where the kind is not known, messages are taken to go both ways: the backend says
  /// what does not suit it.
  func handler(_ kind: CallKind?) -> MethodHandler {
    var options = MethodOptions()
    options.keepsFailures = true
    if kind == .unary {
      let unary = Method<Unary, [UInt8], [UInt8]>(service: service, name: method, request: .bytes, response: .bytes)
      return handle(unary, options: options) { request, context in
        try await forward(unary, request, context)
      }
    }
    if kind == .serverStreaming {
      let feed = Method<ServerStreaming, [UInt8], [UInt8]>(
        service: service, name: method, request: .bytes, response: .bytes)
      return handle(feed, options: options) { request, writer, context in
        try await forward(feed, request, writer, context)
      }
    }
    let any = Method<Bidirectional, [UInt8], [UInt8]>(
      service: service, name: method, request: .bytes, response: .bytes)
    return handle(any, options: options) { requests, writer, context in
      try await forward(any, requests, writer, context)
    }
  }

  private func forward(
    _ unary: Method<Unary, [UInt8], [UInt8]>, _ request: [UInt8], _ context: ServerContext
  ) async throws -> [UInt8] {
    do {
      let answer = try await backend.client.answer(unary, request, options: options(context))
      context.responseHeaders.replace(with: answer.headers)
      context.responseTrailers.replace(with: answer.trailers)
      return answer.message
    } catch let error as RPCError {
      throw passedOn(error, context)
    }
  }

  private func forward(
    _ feed: Method<ServerStreaming, [UInt8], [UInt8]>, _ request: [UInt8], _ writer: ResponseWriter<[UInt8]>,
    _ context: ServerContext
  ) async throws {
    do {
      try await backend.client.call(feed, request, options: options(context)) { answers in
        try await pass(answers, writer, context)
      }
    } catch let error as RPCError {
      throw passedOn(error, context)
    }
  }

  private func forward(
    _ any: Method<Bidirectional, [UInt8], [UInt8]>, _ requests: RequestStream<[UInt8]>,
    _ writer: ResponseWriter<[UInt8]>, _ context: ServerContext
  ) async throws {
    do {
      try await backend.client.call(any, options: options(context)) { out, answers in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            do {
              for try await request in requests { try await out.write(request) }
              out.finish()
            } catch is CallIsOver {
              // The backend has said all that it will; what it said is read below.
            }
          }
          try await pass(answers, writer, context)
          // A client that goes on sending is not waited for.
          group.cancelAll()
        }
      }
    } catch let error as RPCError {
      throw passedOn(error, context)
    }
  }

  /// Passes answers on one by one, with the metadata around them.
  private func pass(
    _ answers: ResponseStream<[UInt8]>, _ writer: ResponseWriter<[UInt8]>, _ context: ServerContext
  ) async throws {
    context.responseHeaders.replace(with: try await answers.headers)
    try await writer.sendHeaders()
    while let answer = try await answers.next() { try await writer.write(answer) }
    context.responseTrailers.replace(with: answers.trailers)
  }

  /// The client's metadata goes along, but for what this hop has put in its place.
  private func options(_ context: ServerContext) -> CallOptions {
    var metadata = context.metadata
    metadata.remove(namesOf: context.scope.metadata)
    return CallOptions(metadata: metadata)
  }

  /// A failure's metadata stands in the place of ours of the same name.
  private func passedOn(_ error: RPCError, _ context: ServerContext) -> RPCError {
    context.responseHeaders.remove(namesOf: error.trailers)
    return error
  }
}
