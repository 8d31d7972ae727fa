// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCClient
internal import GRPCMethods
internal import Schemas
internal import SwiftProtobuf

extension InteropCase {
  static let requestSizes = [27_182, 8, 1_828, 45_904]
  static let responseSizes = [31_415, 9, 2_653, 58_979]

  static func outputRequest(_ sizes: [Int], payload: Int? = nil) -> Grpc_Testing_StreamingOutputCallRequest {
    .with { request in
      request.responseParameters = sizes.map { size in .with { $0.size = Int32(size) } }
      if let payload { request.payload = .zeros(payload) }
    }
  }

  static let streamingCases = [
    InteropCase("client_streaming") { client in
      let response = try await client.call(TestService.streamingInputCall, options: .patient) { writer in
        for size in requestSizes { try await writer.write(.with { $0.payload = .zeros(size) }) }
      }
      try expect(Int(response.aggregatedPayloadSize), requestSizes.reduce(0, +), "size")
    },
    InteropCase("client_compressed_streaming") { client in
      var options = CallOptions.patient
      options.compressesRequests = true
      let compressed = Grpc_Testing_StreamingInputCallRequest.with {
        $0.expectCompressed.value = true
        $0.payload = .zeros(27_182)
      }
      try await expect(.invalidArgument) {
        _ = try await client.call(TestService.streamingInputCall, options: options) { writer in
          try await writer.write(compressed, compressible: false)
        }
      }
      let response = try await client.call(TestService.streamingInputCall, options: options) { writer in
        try await writer.write(compressed)
        let plain = Grpc_Testing_StreamingInputCallRequest.with {
          $0.expectCompressed.value = false
          $0.payload = .zeros(45_904)
        }
        try await writer.write(plain, compressible: false)
      }
      try expect(response.aggregatedPayloadSize, 73_086, "size")
    },
    InteropCase("server_streaming") { client in
      let request = outputRequest(responseSizes)
      let sizes = try await client.call(TestService.streamingOutputCall, request, options: .patient) { responses in
        try await responses.reduce(into: []) { $0.append($1.payload.body.count) }
      }
      try expect(sizes, responseSizes, "sizes")
    },
    InteropCase("server_compressed_streaming") { client in
      var request = outputRequest([31_415, 92_653])
      request.responseParameters[0].compressed.value = true
      request.responseParameters[1].compressed.value = false
      try await client.call(TestService.streamingOutputCall, request, options: .patient) { responses in
        for (size, isCompressed) in [(31_415, true), (92_653, false)] {
          try expect(try await responses.next()?.payload.body.count, size, "size")
          try expect(responses.lastWasCompressed, isCompressed, "compressed")
        }
        try expect(try await responses.next(), nil, "another response")
      }
    },
    InteropCase("ping_pong") { client in
      try await client.call(TestService.fullDuplexCall, options: .patient) { writer, responses in
        for (request, response) in zip(requestSizes, responseSizes) {
          try await writer.write(outputRequest([response], payload: request))
          try expect(try await responses.next()?.payload.body.count, response, "size")
        }
        writer.finish()
        try expect(try await responses.next(), nil, "another response")
      }
    },
    InteropCase("empty_stream") { client in
      try await client.call(TestService.fullDuplexCall, options: .patient) { writer, responses in
        writer.finish()
        try expect(try await responses.next(), nil, "a response")
      }
    },
  ]
}
