// SPDX-License-Identifier: Apache-2.0

import Health
import Protobuf
import Testing

@Suite struct HealthMessageTests {
  @Test("a request for the whole server is the empty message, one for a service names it in field 1")
  func request() throws {
    #expect(HealthCheckRequest(service: "").encoded == [])
    #expect(HealthCheckRequest(service: "a.B").encoded == [0x0A, 3, 0x61, 0x2E, 0x42])
    #expect(try HealthCheckRequest(decoding: [0x0A, 1, 0x61, 0x0A, 1, 0x62]).service == "b")
    #expect(throws: WireError.self) { try HealthCheckRequest(decoding: [0x0A, 1, 0xFF]) }
  }

  @Test(
    "a response's status is the last one sent; unknown fields and unknown numbers are no error",
    arguments: [
      ([], 0), ([0x08, 1], 1), ([0x08, 1, 0x08, 2], 2), ([0x10, 9, 0x08, 1, 0x1A, 1, 0x61], 1), ([0x08, 17], 17),
      ([0x08] + Array(repeating: 0xFF, count: 9) + [0x01], -1), ([0x0A, 0], 0),
    ] as [([UInt8], Int32)])
  func response(bytes: [UInt8], status: Int32) throws {
    #expect(try HealthCheckResponse(decoding: bytes).status.rawValue == status)
  }

  @Test("statuses print by their name in the .proto file, others by number")
  func names() {
    #expect(
      (0...4).map { ServingStatus(rawValue: $0).name } == ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN", "4"])
    #expect(ServingStatus(rawValue: -1).name == "-1")
  }

  @Test("a list's entries come back by name; a missing key or value is the empty one, the last of a key wins")
  func list() throws {
    let statuses: [String: ServingStatus] = ["": .serving, "a.B": .notServing, "c": .unknown]
    #expect(try HealthListResponse(decoding: HealthListResponse(statuses: statuses).encoded).statuses == statuses)
    #expect(try HealthListResponse(decoding: [0x0A, 0]).statuses == ["": .unknown])
    #expect(
      try HealthListResponse(decoding: [0x0A, 3, 0x0A, 1, 0x61, 0x0A, 7, 0x12, 2, 0x08, 2, 0x0A, 1, 0x61]).statuses
        == ["a": .notServing])
    #expect(throws: WireError.self) { try HealthListResponse(decoding: [0x0A, 3, 0x0A, 1, 0xFF]) }
  }
}
