// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import GRPC
internal import GRPCClient
internal import GRPCMethods
internal import NIOCore
internal import Schemas
internal import SwiftProtobuf

extension CallOptions {
  /// No case takes so long.
  static var patient: CallOptions { CallOptions(timeout: .seconds(30)) }
}

extension Grpc_Testing_Payload {
  /// A payload of zeros.
  static func zeros(_ count: Int) -> Grpc_Testing_Payload { .with { $0.body = Data(count: count) } }
}

extension InteropCase {
  static let largeRequest = 271_828
  static let largeResponse = 314_159

  static func largeUnaryRequest(
    _ change: (inout Grpc_Testing_SimpleRequest) -> Void = { _ in }
  ) -> Grpc_Testing_SimpleRequest {
    .with {
      $0.responseSize = Int32(largeResponse)
      $0.payload = .zeros(largeRequest)
      change(&$0)
    }
  }

  private static func expectLarge(_ response: Grpc_Testing_SimpleResponse) throws {
    try expect(response.payload.body, Data(count: largeResponse), "payload")
  }

  static func largeUnary(_ client: GRPCClient) async throws {
    try expectLarge(try await client.call(TestService.unaryCall, largeUnaryRequest(), options: .patient))
  }

  static let unaryCases = [
    InteropCase("empty_unary") { client in
      let response = try await client.call(TestService.emptyCall, Grpc_Testing_Empty(), options: .patient)
      try expect(response, Grpc_Testing_Empty(), "response")
    },
    InteropCase("large_unary") { try await largeUnary($0) },
    InteropCase("client_compressed_unary") { client in
      var options = CallOptions.patient
      options.compressesRequests = false
      let compressed = largeUnaryRequest { $0.expectCompressed.value = true }
      // A server that cannot tell cannot be tested.
      try await expect(.invalidArgument) {
        _ = try await client.call(TestService.unaryCall, compressed, options: options)
      }
      options.compressesRequests = true
      try expectLarge(try await client.call(TestService.unaryCall, compressed, options: options))
      options.compressesRequests = false
      let plain = largeUnaryRequest { $0.expectCompressed.value = false }
      try expectLarge(try await client.call(TestService.unaryCall, plain, options: options))
    },
    InteropCase("server_compressed_unary") { client in
      for wanted in [true, false] {
        let request = largeUnaryRequest { $0.responseCompressed.value = wanted }
        let latest = CallProbe.Latest()
        let response = try await CallProbe.$latest.withValue(latest) {
          try await client.call(TestService.unaryCall, request, options: .patient)
        }
        try expectLarge(response)
        try expect(latest.wasCompressed, wanted, "compressed")
      }
    },
    InteropCase("custom_metadata") { client in
      var options = CallOptions.patient
      let trailing: [UInt8] = [0xAB, 0xAB, 0xAB]
      try options.metadata.append(TestService.echoInitial, "test_initial_metadata_value")
      try options.metadata.append(TestService.echoTrailing, bytes: trailing)
      func check(_ headers: Metadata, _ trailers: Metadata) throws {
        try expect(headers.first(TestService.echoInitial), "test_initial_metadata_value", "leading metadata")
        let entry = trailers.entries.first { $0.name == TestService.echoTrailing }
        try expect(entry?.bytes, trailing, "trailing metadata")
      }
      let answer = try await client.answer(TestService.unaryCall, largeUnaryRequest(), options: options)
      try check(answer.headers, answer.trailers)
      try await client.call(TestService.fullDuplexCall, options: options) { writer, responses in
        try await writer.write(outputRequest([largeResponse], payload: largeRequest))
        writer.finish()
        let headers = try await responses.headers
        for try await _ in responses {}
        try check(headers, responses.trailers)
      }
    },
  ]
}
