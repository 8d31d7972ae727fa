// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCMethods
import Schemas
import SwiftProtobuf
import Testing

@testable import ServiceKit

@Suite struct ValidationTests {
  static func badRequest(_ error: RPCError) -> Google_Rpc_BadRequest? {
    error.details.lazy.compactMap { try? Google_Rpc_BadRequest(unpackingAny: $0) }.first
  }

  @Test("all violations are told in one answer")
  func all() {
    let error = RPCError.invalid(
      [RequestViolation("a", "a is required"), RequestViolation("b", "b is not negative")], domain: "test")
    #expect(error.status == Status(.invalidArgument, "a is required; b is not negative"))
    #expect(Self.badRequest(error)?.fieldViolations.map(\.field) == ["a", "b"])
  }

  @Test("a request that breaks hundreds of rules is told of some, and how many more there are")
  func many() {
    let violations = (0..<500).map { RequestViolation("mask", "mask names \($0), which is no field that there is") }
    let error = RPCError.invalid(violations, domain: "test")
    #expect(Self.badRequest(error)?.fieldViolations.count == 16)
    #expect(error.status.message.hasSuffix("; and 484 more"))
    #expect(error.status.message.utf8.count < 2_000)
  }
}
