// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCMethods
import GRPCServer
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import GRPCClient

/// Notes what passes through it.
private final class Notes: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  func add(_ line: String) { lines.withLock { $0.append(line) } }
}

private struct Named: ClientInterceptor {
  let name: String
  let notes: Notes

  func intercept(_ context: ClientContext, next: ClientNext) async throws {
    notes.add("\(name) before \(context.method.name)")
    do {
      try await next()
      notes.add("\(name) after \(context.status?.code.name ?? "-")")
    } catch {
      notes.add("\(name) failed \(context.status?.code.name ?? "-")")
      throw error
    }
  }

  var seesMessages: Bool { true }
  func sending<Message: Sendable>(_ message: Message, _ context: ClientContext) { notes.add("\(name) sends") }
  func received<Message: Sendable>(_ message: Message, _ context: ClientContext) { notes.add("\(name) receives") }
}

/// Does what a test wants around the call.
private struct Around: ClientInterceptor {
  let body: @Sendable (ClientContext, ClientNext) async throws -> Void
  func intercept(_ context: ClientContext, next: ClientNext) async throws {
    try await body(context, next)
  }
}

private enum Mark: ClientContextKey { typealias Value = Int }

@Suite(.endsIfItHangs) struct InterceptorTests {
  @Test("the first interceptor is the outermost, and sees messages and outcome")
  func order() async throws {
    let notes = Notes()
    try await withEcho(interceptors: [Named(name: "a", notes: notes), Named(name: "b", notes: notes)]) { client in
      _ = try await client.call(Echo.one, [1])
    }
    #expect(
      notes.all == [
        "a before One", "b before One", "a sends", "b sends", "b receives", "a receives", "b after OK", "a after OK",
      ])
  }

  @Test("a failure passes through the interceptors, who know its status")
  func failing() async throws {
    let notes = Notes()
    let service = Echo.implementation { _, _ in throw RPCError(.notFound, "") }
    try await withEcho([service], interceptors: [Named(name: "a", notes: notes)]) { client in
      _ = try await failure { try await client.call(Echo.one, [1]) }
      _ = try await client.call(Echo.many, [1, 2]) { responses in try await responses.next() }
    }
    #expect(
      notes.all == [
        "a before One", "a sends", "a failed NotFound", "a before Many", "a sends", "a receives", "a after Canceled",
      ])
  }

  @Test("what an interceptor changes goes out: metadata, deadline, compression, authority")
  func changes() async throws {
    let service = Echo.implementation { request, context in
      try context.responseHeaders.append("x-authority", context.authority)
      try context.responseHeaders.append("x-compressed", "\(context.requestWasCompressed)")
      try context.responseHeaders.append("x-timed", "\(context.deadline != nil)")
      return request
    }
    let change = Around { context, next in
      try context.metadata.append("x-token", "t")
      context.deadline = .now() + .seconds(40)
      context.compressesRequests = true
      context.authority = "elsewhere"
      context[Mark.self] = 7
      try await next()
    }
    let check = Around { context, next in
      #expect(context[Mark.self] == 7)
      try await next()
    }
    try await withEcho([service], interceptors: [change, check]) { client in
      let answer = try await client.answer(Echo.one, [UInt8](repeating: 0, count: 10_000))
      #expect(answer.headers.first("x-token") == "t")
      #expect(answer.headers.first("x-authority") == "elsewhere")
      #expect(answer.headers.first("x-compressed") == "true")
      #expect(answer.headers.first("x-timed") == "true")
    }
  }

  @Test("an interceptor can refuse a call, replace its error, and make it once more")
  func control() async throws {
    let refuse = Around { _, _ in throw RPCError(.permissionDenied, "mine") }
    try await withEcho(interceptors: [refuse]) { client in
      let error = try await failure { try await client.call(Echo.one, []) }
      #expect(error.status.message == "mine")
    }
    let forget = Around { _, _ in }
    try await withEcho(interceptors: [forget]) { client in
      let error = try await failure { try await client.call(Echo.one, []) }
      #expect(error.status.code == .internal)
    }
    let calls = Counter()
    let service = Echo.implementation { request, _ in
      guard calls.increment() > 1 else { throw RPCError(.aborted, "") }
      return request
    }
    let again = Around { context, next in
      do { try await next() } catch let error as RPCError where error.status.code == .aborted {
        try await next()
        #expect(context.status?.code == .ok)
      }
    }
    try await withEcho([service], interceptors: [again]) { client async throws in
      #expect(try await client.call(Echo.one, [5]) == [5])
    }
  }

  @Test("a call's facts are counted: messages, bytes, attempts, the peer")
  func facts() async throws {
    let facts = FactsKeeper()
    try await withEcho(interceptors: [facts]) { client in
      _ = try await client.call(Echo.chat) { writer, responses in
        for _ in 0..<3 { try await writer.write([1, 2, 3, 4]) }
        writer.finish()
        for try await _ in responses {}
      }
    }
    let context = try #require(facts.latest)
    #expect(context.sentMessages == 3)
    #expect(context.sentBytes == 12)
    #expect(context.receivedMessages == 3)
    #expect(context.receivedBytes == 12)
    #expect(context.status?.code == .ok)
    #expect(context.attempts.count == 1)
    #expect(context.peer?.hasPrefix("unix:") == true)
    #expect(context.responseHeaders != nil)
  }
}
