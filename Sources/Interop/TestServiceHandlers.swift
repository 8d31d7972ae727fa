// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import GRPC
internal import GRPCMethods
public import GRPCServer
internal import Schemas
internal import SwiftProtobuf

extension TestService {
  /// Payloads beyond this are refused: a size is a number that anybody can send.
  static let maxPayloadSize = 64 << 20

  /// The service with all that the public test cases ask of a server.
  public static let implementation = Service(
    service,
    [
      handle(emptyCall) { _, context in
        echo(context)
        return Grpc_Testing_Empty()
      },
      handle(unaryCall) { request, context in
        echo(context)
        try check(request.responseStatus, isSet: request.hasResponseStatus)
        if request.hasExpectCompressed { try expect(compressed: request.expectCompressed.value, context) }
        if request.hasResponseCompressed { context.compressesResponses = request.responseCompressed.value }
        let payload = try payload(of: request.responseSize)
        return .with { $0.payload = payload }
      },
      handle(streamingOutputCall) { request, writer, context in
        echo(context)
        try await answer(request, writer, context)
      },
      handle(streamingInputCall) { requests, context in
        echo(context)
        var total = 0
        for try await request in requests {
          if request.hasExpectCompressed { try expect(compressed: request.expectCompressed.value, context) }
          total += request.payload.body.count
        }
        let size = Int32(clamping: total)
        return .with { $0.aggregatedPayloadSize = size }
      },
      handle(fullDuplexCall) { requests, writer, context in
        echo(context)
        for try await request in requests { try await answer(request, writer, context) }
      },
      handle(halfDuplexCall) { requests, writer, context in
        echo(context)
        var all: [Grpc_Testing_StreamingOutputCallRequest] = []
        for try await request in requests {
          all.append(request)
          guard all.count <= 10_000 else { throw RPCError(.resourceExhausted, "more than 10000 requests") }
        }
        for request in all { try await answer(request, writer, context) }
      },
    ])

  private static func answer(
    _ request: Grpc_Testing_StreamingOutputCallRequest,
    _ writer: ResponseWriter<Grpc_Testing_StreamingOutputCallResponse>,
    _ context: ServerContext
  ) async throws {
    try check(request.responseStatus, isSet: request.hasResponseStatus)
    if context.compressesResponses == nil, request.responseParameters.contains(where: \.compressed.value) {
      context.compressesResponses = true
    }
    for parameters in request.responseParameters {
      if parameters.intervalUs > 0 { try await Task.sleep(for: .microseconds(Int64(parameters.intervalUs))) }
      let payload = try payload(of: parameters.size)
      try await writer.write(.with { $0.payload = payload }, compressible: parameters.compressed.value)
    }
  }

  private static func payload(of size: Int32) throws -> Grpc_Testing_Payload {
    guard size >= 0, size <= maxPayloadSize else {
      throw RPCError(.invalidArgument, "a payload of \(size) bytes is out of range")
    }
    return .with { $0.body = Data(count: Int(size)) }
  }

  /// Ends the call as the client asked for.
  private static func check(_ status: Grpc_Testing_EchoStatus, isSet: Bool) throws {
    guard isSet, status.code != 0 else { return }
    throw RPCError(StatusCode(rawValue: Int(status.code)), status.message)
  }

  private static func expect(compressed: Bool, _ context: ServerContext) throws {
    guard context.requestWasCompressed == compressed else {
      throw RPCError(.invalidArgument, "the request came \(compressed ? "un" : "")compressed")
    }
  }

  /// Sends back what the client asked for in its metadata.
  private static func echo(_ context: ServerContext) {
    if let value = context.metadata.first(echoInitial) { try? context.responseHeaders.append(echoInitial, value) }
    for entry in context.metadata.entries where entry.name == echoTrailing {
      if let bytes = entry.bytes { try? context.responseTrailers.append(echoTrailing, bytes: bytes) }
    }
  }
}
