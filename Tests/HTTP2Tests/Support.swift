// SPDX-License-Identifier: Apache-2.0

import HTTP2

/// Both roles joined in memory, each with the events that came out of it.
final class Pair {
  let client: Endpoint
  let server: Endpoint
  var clientEvents: [HTTP2Event] = []
  var serverEvents: [HTTP2Event] = []

  init(client: HTTP2Limits = .client, server: HTTP2Limits = .server) throws {
    self.client = try Endpoint(.client, client)
    self.server = try Endpoint(.server, server)
  }

  /// Carries bytes both ways, cut as `cut` says, until neither end has any; false where they never fall silent.
  @discardableResult
  func exchange(cut: @escaping (Int) -> Int = { $0 }) -> Bool {
    for _ in 0..<10_000 {
      let fromClient = client.drained()
      clientEvents += client.events()
      server.receive(fromClient, cut: cut)
      serverEvents += server.events()
      let fromServer = server.drained()
      serverEvents += server.events()
      client.receive(fromServer, cut: cut)
      clientEvents += client.events()
      if fromClient.isEmpty, fromServer.isEmpty { return true }
    }
    return false
  }

  /// Takes the events that came since the last call.
  func takeEvents() -> (client: [HTTP2Event], server: [HTTP2Event]) {
    defer { (clientEvents, serverEvents) = ([], []) }
    return (clientEvents, serverEvents)
  }
}

extension HTTP2Event {
  var failure: HTTP2Error? {
    if case .failed(let error) = self { error } else { nil }
  }
}

extension [HTTP2Event] {
  var failure: HTTP2Error? { last?.failure }

  /// The bytes of all data events of the stream, in order.
  func body(of id: StreamID) -> [UInt8] {
    var body: [UInt8] = []
    for case .data(id, let bytes, _, _) in self { body += bytes }
    return body
  }

  /// How many events say that the peer has ended the stream.
  func endsOfStream(_ id: StreamID) -> Int {
    var count = 0
    for event in self {
      switch event {
      case .data(id, _, _, endStream: true), .headers(id, _, _, endStream: true): count += 1
      default: break
      }
    }
    return count
  }

  /// The header sections of the stream, in order.
  func headers(of id: StreamID) -> [(fields: HeaderFields, kind: HeadersKind, endStream: Bool)] {
    var sections: [(fields: HeaderFields, kind: HeadersKind, endStream: Bool)] = []
    for case .headers(id, let fields, let kind, let endStream) in self { sections.append((fields, kind, endStream)) }
    return sections
  }
}

let request: HeaderFields = [
  HeaderField(":method", "POST"), HeaderField(":scheme", "http"), HeaderField(":path", "/grpc.health.v1.Health/Check"),
  HeaderField(":authority", "localhost:50051"), HeaderField("content-type", "application/grpc"),
  HeaderField("te", "trailers"),
]

let response: HeaderFields = [HeaderField(":status", "200"), HeaderField("content-type", "application/grpc")]

let trailers: HeaderFields = [HeaderField("grpc-status", "0"), HeaderField("grpc-message", "fine")]
