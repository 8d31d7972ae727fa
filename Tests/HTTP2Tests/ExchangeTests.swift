// SPDX-License-Identifier: Apache-2.0

import HTTP2
import Testing

@Suite struct ExchangeTests {
  /// A unary call from end to end; returns what each side saw.
  func unaryCall(cut: @escaping (Int) -> Int = { $0 }) throws -> (client: [HTTP2Event], server: [HTTP2Event]) {
    let pair = try Pair()
    let id = try pair.client.submitRequest(request, endStream: false)
    try pair.client.send([0, 0, 0, 0, 0], on: id, endStream: true)
    pair.exchange(cut: cut)
    try pair.server.submitHeaders(id, response, endStream: false)
    try pair.server.send([0, 0, 0, 0, 2, 8, 1], on: id, endStream: false)
    try pair.server.submitTrailers(id, trailers)
    #expect(pair.exchange(cut: cut))
    return pair.takeEvents()
  }

  @Test("a unary call brings headers, data and trailers to both ends")
  func unary() throws {
    let (client, server) = try unaryCall()
    #expect(server.headers(of: 1).map { $0.fields } == [request])
    #expect(server.headers(of: 1).map { $0.kind } == [.request])
    #expect(server.contains(.data(1, [0, 0, 0, 0, 0], flowControlled: 5, endStream: true)))
    #expect(server.last == .streamClosed(1, .noError))
    #expect(client.headers(of: 1).map { $0.fields } == [response, trailers])
    #expect(client.headers(of: 1).map { $0.kind } == [.response, .trailers])
    #expect(client.headers(of: 1).map { $0.endStream } == [false, true])
    #expect(client.body(of: 1) == [0, 0, 0, 0, 2, 8, 1])
    #expect(client.last == .streamClosed(1, .noError))
  }

  @Test("a unary call one byte at a time brings the same")
  func byteByByte() throws {
    let (client, server) = try unaryCall { _ in 1 }
    #expect(server.headers(of: 1).map { $0.fields } == [request])
    #expect(server.body(of: 1) == [0, 0, 0, 0, 0])
    #expect(server.last == .streamClosed(1, .noError))
    #expect(client.headers(of: 1).map { $0.fields } == [response, trailers])
    #expect(client.body(of: 1) == [0, 0, 0, 0, 2, 8, 1])
    #expect(client.last == .streamClosed(1, .noError))
  }
}
