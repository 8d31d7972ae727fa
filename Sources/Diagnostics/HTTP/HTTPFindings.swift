// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import HTTP1
internal import TLS

/// What came of a request.
struct HTTPFindings {
  /// The address that was connected to.
  let peer: String
  /// What TLS agreed on; nil in the clear.
  let security: TLSPeerFacts?
  /// How long the steps up to the request took.
  var timings: Timings
  /// The version that was spoken: `HTTP/1.1`, `HTTP/2`.
  var version = ""
  /// The statuses of interim responses, in their order.
  var interim: [Int] = []
  /// The status; nil where there is no response.
  var status: Int?
  /// The phrase beside the status; empty in HTTP/2, which has none.
  var reason = ""
  /// The header section, in its order.
  var fields: [HTTP1Field] = []
  /// The trailer section, in its order.
  var trailers: [HTTP1Field] = []
  /// The body, at most as much of it as was wanted.
  var body: [UInt8] = []
  /// Whether there is more of the body than that.
  var isBodyCut = false
  /// Time from the request to the first byte of the response, in nanoseconds; nil where none came.
  var firstByte: Int64?
  /// Time for everything, in nanoseconds.
  var total: Int64 = 0
  /// What is wrong with the exchange; nil where it is whole.
  var failure: Problem?

  /// Takes bytes of the body; false once there are more than are wanted.
  mutating func take(_ bytes: [UInt8], atMost limit: Int) -> Bool {
    let room = limit - body.count
    isBodyCut = bytes.count > room
    body += bytes.prefix(room)
    return !isBodyCut
  }
}
