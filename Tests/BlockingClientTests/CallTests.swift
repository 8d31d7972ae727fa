// SPDX-License-Identifier: Apache-2.0

import BlockingClient
import Fault
import GRPC
import HTTP2
import Sys
import Testing

/// Signals belong to the whole process, so every test shares the one waiter and they run one after another.
@Suite(.serialized) struct CallTests {
  nonisolated(unsafe) static let waiter = Result { () throws(Fault) in try Waiter() }

  let server: EchoServer
  let connection: Connection
  let soon = Deadline(nanoseconds: 20_000_000_000)

  init() throws {
    server = try EchoServer()
    let options = DialOptions(target: try Target("unix:" + server.path))
    connection = try Dialer(options, waiter: try Self.waiter.get()).dial(until: soon)
  }

  func start(_ path: String, _ kind: CallKind) throws -> Call {
    try connection.start(ClientRequest(path: path, authority: "localhost", isSecure: false), kind: kind)
  }

  /// All messages and the end.
  func rest(_ call: Call) throws -> (messages: [[UInt8]], end: CallEnd?) {
    var messages: [[UInt8]] = []
    while let event = try call.nextEvent(until: soon) {
      switch event {
      case .headers: break
      case .message(let message): messages.append(message)
      case .ended(let end): return (messages, end)
      }
    }
    return (messages, nil)
  }

  @Test("a unary call has one answer, plain or compressed", arguments: [MessageEncoding.identity, .gzip])
  func unary(encoding: MessageEncoding) throws {
    let request = ClientRequest(path: "/echo/Last", authority: "localhost", isSecure: false, encoding: encoding)
    let call = try connection.start(request, kind: .unary)
    try call.send([1, 2, 3], encoding: encoding, isLast: true, until: soon)
    let (messages, end) = try rest(call)
    #expect(messages == [[1, 2, 3]])
    #expect(end?.status.code == .ok)
    #expect(try call.nextEvent(until: soon) == nil)
  }

  @Test("a server stream gives every message, though they exceed every window")
  func serverStream() throws {
    let call = try start("/echo/Many", .serverStreaming)
    try call.send(Array(repeating: 7, count: 50_000), isLast: true, until: soon)
    let (messages, end) = try rest(call)
    #expect(messages.count == 100)
    #expect(messages.allSatisfy { $0.count == 50_000 })
    #expect(end?.status.code == .ok)
  }

  @Test("a client stream takes every message and gives one answer")
  func clientStream() throws {
    let call = try start("/echo/Last", .clientStreaming)
    for index in 0..<200 { try call.send([UInt8(index)] + Array(repeating: 0, count: 5_000), until: soon) }
    call.finishSending()
    let (messages, end) = try rest(call)
    #expect(messages.map { $0.first } == [199])
    #expect(end?.status.code == .ok)
  }

  @Test("a bidirectional call answers while it is being asked")
  func bidirectional() throws {
    let call = try start("/echo/Each", .bidirectional)
    for index in 0..<10 as Range<UInt8> {
      try call.send([index], until: soon)
      while true {
        let event = try call.nextEvent(until: soon)
        if case .headers = event { continue }
        #expect(event == .message([index]))
        break
      }
    }
    call.finishSending()
    #expect(try rest(call).end?.status.code == .ok)
  }

  @Test("two calls share a connection, each with its own messages")
  func sideBySide() throws {
    let one = try start("/echo/Each", .bidirectional)
    let two = try start("/echo/Last", .unary)
    try one.send([1], until: soon)
    try two.send([2], isLast: true, until: soon)
    #expect(try rest(two).messages == [[2]])
    one.finishSending()
    #expect(try rest(one).messages == [[1]])
  }

  @Test("a status comes with its message, before anything was sent")
  func failure() throws {
    let call = try start("/echo/Fail", .unary)
    #expect(try rest(call).end?.status == Status(.failedPrecondition, "no é", origin: .peer))
  }

  @Test("a writer waits for a server that does not read, and its deadline ends the waiting")
  func backpressure() throws {
    let call = try start("/echo/Hold", .clientStreaming)
    let end = Deadline(nanoseconds: 300_000_000)
    var sent = 0
    var fault: Fault?
    do throws(Fault) {
      while sent < 100_000_000 {
        try call.send(Array(repeating: 0, count: 20_000), until: end)
        sent += 20_000
      }
    } catch { fault = error }
    #expect(fault?.code == .callTimeout)
    #expect(sent < 1_000_000)  // the window and the backlog, and nothing beyond
    call.cancel()
    let other = try start("/echo/Fail", .unary)
    #expect(try rest(other).end?.status.code == .failedPrecondition)
  }

  @Test("a call without an answer ends at its deadline, and the connection goes on")
  func deadline() throws {
    let call = try start("/echo/Each", .bidirectional)
    #expect(throws: Fault.self) { try call.nextEvent(until: Deadline(nanoseconds: 50_000_000)) }
    #expect(try call.nextEvent(until: soon) == nil)
    let other = try start("/echo/Fail", .unary)
    #expect(try rest(other).end?.status.code == .failedPrecondition)
  }

  @Test("closing a connection ends its calls")
  func closing() throws {
    let call = try start("/echo/Each", .bidirectional)
    connection.close()
    #expect(try rest(call).end?.status.code == .unavailable)
  }

  @Test("a connection says goodbye and closes without a reset")
  func goodbye() throws {
    let call = try start("/echo/Last", .unary)
    try call.send([1], isLast: true, until: soon)
    _ = try rest(call)
    connection.close()
    #expect(server.waitForEnd())
    #expect(server.goAway?.code == .noError)
    #expect(server.goAway?.text == "client transport shutdown")
    #expect(server.endedCleanly)
    #expect(connection.failure != nil)
    #expect(throws: Fault.self) { try start("/echo/Last", .unary) }
  }
}
