// SPDX-License-Identifier: Apache-2.0

import GRPC
import Protobuf
import Schemas
import Testing
import Transcoding

@Suite struct StatusTests {
  private static let pool = try? DescriptorPool(set: DescriptorSet.bytes)

  private func json(_ status: RPCStatus, _ pools: [DescriptorPool]) -> String {
    var json: [UInt8] = []
    status.writeJSON(into: &json, pools: pools)
    return String(decoding: json, as: UTF8.self)
  }

  @Test("each code has its status of HTTP")
  func codes() {
    let expected = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401, 500]
    for (code, status) in expected.enumerated() {
      #expect(RPCStatus(StatusCode(rawValue: code), "").httpStatus == status, "\(code)")
    }
  }

  @Test("a status always has its three keys, and its details resolved where their type is known")
  func forms() throws {
    let pool = try #require(Self.pool)
    #expect(json(RPCStatus(.notFound, "no \"x\"\n"), []) == #"{"code":5,"message":"no \"x\"\n","details":[]}"#)

    var info = WireWriter()
    info.string("USER_GONE", field: 1)
    var retry = WireWriter()
    retry.varint(3, field: 1)
    var status = RPCStatus(.unavailable, "m")
    status.details = [
      RPCStatus.Detail("google.rpc.ErrorInfo", info.bytes), RPCStatus.Detail("google.rpc.RequestInfo", []),
      RPCStatus.Detail("google.protobuf.Duration", [0x08, 3]), RPCStatus.Detail("a.Unknown", [1, 2, 0xFF]),
      // A known type whose bytes are none.
      RPCStatus.Detail("google.rpc.ErrorInfo", [0x0A, 9]),
    ]
    let prefix = #"{"@type":"type.googleapis.com/"#
    let unknown = prefix + #"a.Unknown","value":"AQL/"}"#
    let broken = prefix + #"google.rpc.ErrorInfo","value":"Cgk="}"#
    #expect(
      json(status, [Shop.pool, pool]) == #"{"code":14,"message":"m","details":["# + prefix
        + #"google.rpc.ErrorInfo","reason":"USER_GONE"},"# + prefix + #"google.rpc.RequestInfo"},"# + prefix
        + #"google.protobuf.Duration","value":"3s"},"# + unknown + "," + broken + "]}")
    let bare = json(status, [])
    #expect(bare.contains(prefix + #"google.rpc.ErrorInfo","value":"CglVU0VSX0dPTkU="}"#))
    #expect(bare.contains(unknown))
  }

  @Test("details come from the bytes of a trailer, and broken ones hide nothing")
  func details() throws {
    let pool = try #require(Self.pool)
    let type = try #require(pool.message(named: "google.rpc.Status"))
    let text = #"""
      {"code":5,"message":"other","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"R"}]}
      """#
    var encoded: [UInt8] = []
    try DynamicMessage(json: bytes(text), as: type).encode(into: &encoded)
    let failure = Status(.notFound, "gone", origin: .peer)
    let expected =
      #"{"code":5,"message":"gone","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"R"}]}"#
    #expect(json(RPCStatus(failure, details: encoded), [pool]) == expected)
    // What is behind the fault is lost, and nothing else.
    #expect(json(RPCStatus(failure, details: encoded + [0x1A, 0x7F]), [pool]) == expected)
    let plain = #"{"code":5,"message":"gone","details":[]}"#
    for broken in [[], [0xFF], [0x1A, 2, 0x0A, 9], [0x1A, 3, 0x0A, 1, 0xFF]] as [[UInt8]] {
      #expect(json(RPCStatus(failure, details: broken), [pool]) == plain)
    }
    #expect(json(RPCStatus(failure), [pool]) == plain)
    let many = (0..<1_000).flatMap { _ in [0x1A, 0] as [UInt8] }
    #expect(RPCStatus(failure, details: many).details.count == RPCStatus.detailLimit)
  }

  @Test("a request's id stands among the details, once")
  func requestID() throws {
    let pool = try #require(Self.pool)
    var status = RPCStatus(.unknown, "")
    status.add(requestID: "")
    #expect(status.details == [])
    status.add(requestID: "abc")
    status.add(requestID: "def")
    #expect(
      json(status, [pool])
        == #"{"code":2,"message":"","details":[{"@type":"type.googleapis.com/google.rpc.RequestInfo","#
        + #""requestId":"abc"}]}"#
    )
  }

  @Test("a fault of a request is a status with its cause and the field that it is about")
  func faults() throws {
    let pool = try #require(Self.pool)
    let match = try Shop.match(Shop.table(HTTPRule("GET", "/a/{count}")), "GET", "/a/x")
    let prefix = #"{"@type":"type.googleapis.com/google.rpc."#
    func info(_ reason: String) -> String { prefix + #"ErrorInfo","reason":"\#(reason)","domain":"gate"}"# }
    do throws(TranscodingError) {
      _ = try RequestTranscoder(match).message(body: [])
      Issue.record("it was taken")
    } catch {
      #expect(error.httpStatus == 400)
      let violation = #"{"field":"count","description":"the string is not a number"}"#
      #expect(
        json(error.status(domain: "gate"), [pool])
          == #"{"code":3,"message":"count: the string is not a number","details":["# + info("INVALID_PATH") + ","
          + prefix + #"BadRequest","fieldViolations":[\#(violation)]}]}"#)
    }
    let lost = TranscodingError.notFound
    #expect(lost.httpStatus == 404)
    #expect(
      json(lost.status(domain: "gate"), [pool])
        == #"{"code":5,"message":"no route has this path","details":["# + info("ROUTE_NOT_FOUND") + "]}")
    let refused = TranscodingError.methodNotAllowed("PUT", allowed: ["GET", "HEAD"])
    #expect(refused.httpStatus == 405)
    #expect(
      json(refused.status(domain: "gate"), [pool])
        == #"{"code":12,"message":"PUT is not allowed here; allowed are GET, HEAD","details":["#
        + info("METHOD_NOT_ALLOWED") + "]}")
    #expect(TranscodingError.malformedPath.httpStatus == 400)
  }
}
