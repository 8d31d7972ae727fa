// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCClient
internal import GRPCMethods
internal import NIOCore
internal import Schemas
internal import SwiftProtobuf

// Calls that do not end well, as they should.
extension InteropCase {
  private static func failing(_ client: GRPCClient, message: String) async throws {
    let status = Grpc_Testing_EchoStatus.with {
      $0.code = 2
      $0.message = message
    }
    try await expect(.unknown, message) {
      let request = Grpc_Testing_SimpleRequest.with { $0.responseStatus = status }
      _ = try await client.call(TestService.unaryCall, request, options: .patient)
    }
    try await expect(.unknown, message) {
      try await client.call(TestService.fullDuplexCall, options: .patient) { writer, responses in
        try await writer.write(.with { $0.responseStatus = status })
        writer.finish()
        for try await _ in responses {}
      }
    }
  }

  static let endingCases = [
    InteropCase("status_code_and_message") { try await failing($0, message: "test status message") },
    InteropCase("special_status_message") { client in
      try await failing(
        client, message: "\t\ntest with whitespace\r\nand Unicode BMP \u{263A} and non-BMP \u{1F608}\t\n")
    },
    InteropCase("unimplemented_method") { client in
      try await expect(.unimplemented) {
        _ = try await client.call(TestService.unimplementedCall, Grpc_Testing_Empty(), options: .patient)
      }
    },
    InteropCase("unimplemented_service") { client in
      try await expect(.unimplemented) {
        _ = try await client.call(TestService.missingServiceCall, Grpc_Testing_Empty(), options: .patient)
      }
    },
    InteropCase("cancel_after_begin") { client in
      let (begun, signal) = AsyncStream.makeStream(of: Void.self)
      let call = Task {
        _ = try await client.call(TestService.streamingInputCall, options: .patient) { _ in
          signal.yield()
          // Ends with the task's cancellation.
          try await Task.sleep(for: .seconds(30))
        }
      }
      for await _ in begun { break }
      call.cancel()
      try await expect(.cancelled) { try await call.value }
    },
    InteropCase("cancel_after_first_response") { client in
      let (answered, signal) = AsyncStream.makeStream(of: Int?.self)
      let call = Task {
        try await client.call(TestService.fullDuplexCall, options: .patient) { writer, responses in
          try await writer.write(outputRequest([31_415], payload: 27_182))
          signal.yield(try await responses.next()?.payload.body.count)
          _ = try await responses.next()
        }
      }
      for await size in answered {
        try expect(size, 31_415, "size")
        break
      }
      call.cancel()
      try await expect(.cancelled) { try await call.value }
    },
    InteropCase("timeout_on_sleeping_server") { client in
      try await expect(.deadlineExceeded) {
        try await client.call(TestService.fullDuplexCall, options: CallOptions(timeout: .milliseconds(1))) {
          writer, responses in
          try await writer.write(.with { $0.payload = .zeros(27_182) })
          for try await _ in responses {}
        }
      }
    },
  ]
}
