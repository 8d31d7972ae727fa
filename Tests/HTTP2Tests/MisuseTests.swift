// SPDX-License-Identifier: Apache-2.0

import HTTP2
import Testing

@Suite struct MisuseTests {
  func code(_ body: () throws(HTTP2Error) -> Void) -> HTTP2Error.Code? {
    do throws(HTTP2Error) {
      try body()
      return nil
    } catch {
      #expect(error.initiator == .local)
      return error.code
    }
  }

  @Test("roles cannot be swapped")
  func roles() throws {
    let (client, server) = (try Endpoint.client(), try Endpoint.server())
    #expect(code { () throws(HTTP2Error) in _ = try server.submitRequest(endStream: true) } == .invalidState)
    #expect(code { () throws(HTTP2Error) in try client.submitHeaders(1, response, endStream: true) } == .invalidState)
  }

  @Test("a stream that is not there takes nothing")
  func noStream() throws {
    let server = try Endpoint.server()
    #expect(code { () throws(HTTP2Error) in try server.submitHeaders(1, response, endStream: true) } == .streamClosed)
    #expect(code { () throws(HTTP2Error) in try server.send([1], on: 1, endStream: true) } == .streamClosed)
    #expect(code { () throws(HTTP2Error) in try server.submitTrailers(1, trailers) } == .streamClosed)
    server.reset(1, .cancel)
    #expect(server.drained().isEmpty)
  }

  @Test("headers, data and end come in that order and once")
  func order() throws {
    let server = try Endpoint.server()
    server.receive(.headers(1, request))
    #expect(code { () throws(HTTP2Error) in try server.send([1], on: 1, endStream: false) } == .invalidState)
    #expect(code { () throws(HTTP2Error) in try server.submitTrailers(1, trailers) } == .invalidState)
    let interim = [HeaderField(":status", "100")]
    #expect(code { () throws(HTTP2Error) in try server.submitHeaders(1, interim, endStream: true) } == .invalidArgument)
    try server.submitHeaders(1, response, endStream: false)
    #expect(code { () throws(HTTP2Error) in try server.submitHeaders(1, response, endStream: false) } == .invalidState)
    try server.send([1], on: 1, endStream: false)
    try server.submitTrailers(1, trailers)
    #expect(code { () throws(HTTP2Error) in try server.send([1], on: 1, endStream: false) } == .invalidState)
    #expect(code { () throws(HTTP2Error) in try server.submitTrailers(1, trailers) } == .invalidState)
    #expect(server.drainedFrames().map { $0.type } == [1, 0, 1, 3])
  }

  @Test("an empty header section and empty names do not trap")
  func emptyFields() throws {
    let client = try Endpoint.client()
    _ = try client.submitRequest([], endStream: true)
    _ = try client.submitRequest([HeaderField("", "")], endStream: false)
    #expect(client.drainedFrames().count >= 1)
  }

  @Test("a header section too large to send costs its stream, and says so")
  func hugeRequest() throws {
    let client = try Endpoint.client()
    let fields = request + [HeaderField("x", String(repeating: "x", count: 2 * 1_024 * 1_024))]
    let id = try client.submitRequest(fields, endStream: true)
    #expect(client.drained().isEmpty)
    guard case .streamClosed(id, _) = client.events().last else {
      Issue.record("the stream must be closed")
      return
    }
  }

  @Test("names are sent in lower case")
  func lowerCase() throws {
    let pair = try Pair()
    let id = try pair.client.submitRequest(request + [HeaderField("X-Mixed", "Value")], endStream: true)
    pair.exchange()
    #expect(pair.serverEvents.headers(of: id).first?.fields.last == HeaderField("x-mixed", "Value"))
  }

  @Test("the names of all codes are RFC 9113's, and others are numbers")
  func names() {
    let names = (0...14).map { HTTP2ErrorCode(rawValue: $0).name }
    #expect(
      names == [
        "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
        "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED", "14",
      ])
  }
}
