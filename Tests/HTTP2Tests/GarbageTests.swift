// SPDX-License-Identifier: Apache-2.0

import HTTP2
import TestSupport
import Testing

/// Bytes that no sane peer sends. Whatever comes: no trap, an end, and `.failed` last if at all.
@Suite struct GarbageTests {
  /// Feeds a session and does with its events what a careless application might.
  func survive(_ role: HTTP2Role, _ bytes: [UInt8], using generator: inout SeededGenerator) throws {
    let session = try Endpoint(role, role == .client ? .client : .server)
    if role == .client {
      for _ in 0..<3 {
        let id = try session.submitRequest(endStream: false)
        try session.send([1, 2, 3], on: id, endStream: generator.next() % 2 == 0)
      }
    }
    var rest = bytes[...]
    var failures = 0
    var events = 0
    while !rest.isEmpty {
      let piece = [UInt8](rest.prefix(Int.random(in: 1...max(1, rest.count), using: &generator)))
      rest = rest.dropFirst(piece.count)
      session.receive(piece)
      for event in session.events() {
        #expect(failures == 0, "an event after the failure")
        events += 1
        answer(event, session, using: &generator, failures: &failures)
      }
      if generator.next() % 4 != 0 { _ = session.drained() }
    }
    session.receiveEnd()
    for event in session.events() { answer(event, session, using: &generator, failures: &failures) }
    _ = session.drained()
    #expect(failures <= 1)
    #expect(events <= bytes.count)
    if failures == 1 { #expect(session.isOver) }
  }

  func answer(
    _ event: HTTP2Event, _ session: Endpoint, using generator: inout SeededGenerator, failures: inout Int
  ) {
    switch event {
    case .failed:
      failures += 1
    case .headers(let id, _, kind: .request, _):
      switch generator.next() % 4 {
      case 0: try? session.submitHeaders(id, response + trailers, endStream: true)
      case 1: session.reset(id, .cancel)
      case 2:
        try? session.submitHeaders(id, response, endStream: false)
        try? session.send([UInt8](repeating: 7, count: 20_000), on: id, endStream: false)
        try? session.submitTrailers(id, trailers)
      default: break
      }
    case .data(let id, _, let count, _):
      if generator.next() % 2 == 0 { session.consume(id, count) }
    case .reset(let id, _, _):
      try? session.send([1], on: id, endStream: true)
    default:
      break
    }
  }

  /// Everything that a peer of the role says in a lively but correct conversation.
  func transcript(from role: HTTP2Role) throws -> [UInt8] {
    switch role {
    case .client:
      let frames: [Frame] = [
        .settings([(3, 10), (4, 70_000)]), .settingsACK, .headers(1, request),
        .data(1, [UInt8](0..<40), padding: 5), .data(1, [], endStream: true), .ping([1, 2, 3, 4, 5, 6, 7, 8]),
        .headers(3, block: request.flatMap(Frame.literal), endHeaders: false),
        .continuation(3, block: Frame.literal(HeaderField("x", "y")), endHeaders: true), .windowUpdate(3, 1_000),
        .headers(3, trailers, endStream: true), .headers(5, request), .reset(5, .cancel), .windowUpdate(0, 5),
        Frame(type: 2, flags: 0, stream: 7, payload: [0, 0, 0, 0, 16]), .headers(7, request, endStream: true),
        .goAway(0, .noError, [UInt8]("bye".utf8)),
      ]
      return Frame.preface + frames.bytes
    case .server:
      let frames: [Frame] = [
        .settings([(3, 10), (4, 70_000)]), .settingsACK, .headers(1, [HeaderField(":status", "103")]),
        .headers(1, response), .data(1, [UInt8](0..<40), padding: 5), .headers(1, trailers, endStream: true),
        .ping([1, 2, 3, 4, 5, 6, 7, 8]), .windowUpdate(3, 1_000), .headers(3, response), .data(3, [1], endStream: true),
        .reset(5, .refusedStream), Frame(type: 0x0C, flags: 0, stream: 0, payload: [1, 2, 3]),
        .goAway(5, .noError, [UInt8]("bye".utf8)),
      ]
      return frames.bytes
    }
  }

  @Test("random bytes, at once and after a proper opening", arguments: [HTTP2Role.client, .server])
  func random(role: HTTP2Role) throws {
    var generator = SeededGenerator(role == .client ? 1 : 2)
    for round in 0..<2_000 {
      let noise = (0..<Int.random(in: 1...200, using: &generator)).map { _ in UInt8(generator.next() & 0xFF) }
      var opening: [UInt8] = []
      if round % 2 == 0 { opening = (role == .server ? Frame.preface : []) + Frame.settings().bytes() }
      try survive(role, opening + noise, using: &generator)
    }
  }

  @Test("random frames with proper headers", arguments: [HTTP2Role.client, .server])
  func randomFrames(role: HTTP2Role) throws {
    var generator = SeededGenerator(role == .client ? 3 : 4)
    for _ in 0..<2_000 {
      var bytes = (role == .server ? Frame.preface : []) + Frame.settings().bytes()
      for _ in 0..<Int.random(in: 1...20, using: &generator) {
        let payload = (0..<Int.random(in: 0...30, using: &generator)).map { _ in UInt8(generator.next() & 0xFF) }
        bytes += Frame(
          type: UInt8.random(in: 0...10, using: &generator), flags: UInt8(generator.next() & 0x2D),
          stream: StreamID.random(in: 0...8, using: &generator), payload: payload
        ).bytes()
      }
      try survive(role, bytes, using: &generator)
    }
  }

  @Test(
    "a correct conversation with bytes changed, left out, doubled or cut off", arguments: [HTTP2Role.client, .server])
  func mutated(role: HTTP2Role) throws {
    let transcript = try transcript(from: role == .client ? .server : .client)
    var generator = SeededGenerator(role == .client ? 5 : 6)
    for _ in 0..<3_000 {
      var bytes = transcript
      for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        switch generator.next() % 5 {
        case 0: bytes[index] = UInt8(generator.next() & 0xFF)
        case 1: bytes[index] ^= 1 << UInt8(generator.next() % 8)
        case 2: bytes.remove(at: index)
        case 3: bytes.insert(contentsOf: bytes[index..<min(index + 30, bytes.count)], at: index)
        default: bytes.removeSubrange(index...)
        }
      }
      try survive(role, bytes, using: &generator)
    }
  }

  @Test("the correct conversation itself fails nowhere, however it is cut", arguments: [HTTP2Role.client, .server])
  func unharmed(role: HTTP2Role) throws {
    let transcript = try transcript(from: role == .client ? .server : .client)
    for seed in 0..<20 as Range<UInt64> {
      var generator = SeededGenerator(seed)
      let session = try Endpoint(role, role == .client ? .client : .server)
      if role == .client { for _ in 0..<3 { _ = try session.submitRequest(endStream: true) } }
      _ = session.drained()
      session.receive(transcript) { Int.random(in: 1...$0, using: &generator) }
      let events = session.events()
      #expect(events.failure == nil)
      #expect(events.contains(.ping(0x0102_0304_0506_0708)))
      #expect(events.contains { if case .goAway = $0 { true } else { false } })
    }
  }
}
