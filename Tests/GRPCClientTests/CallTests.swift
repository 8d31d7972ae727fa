// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCMethods
import GRPCServer
import InProcess
import NIOCore
import TestSupport
import Testing

@testable import GRPCClient

@Suite(.endsIfItHangs) struct CallTests {
  @Test("a unary call brings the response back, with the metadata before and after it")
  func unary() async throws {
    try await withEcho { client in
      var metadata = Metadata()
      try metadata.append("x-id", "7")
      let answer = try await client.answer(Echo.one, [1, 2, 3], options: CallOptions(metadata: metadata))
      #expect(answer.message == [1, 2, 3])
      #expect(answer.headers.first("x-id") == "7")
      #expect(answer.trailers.first("x-id") == "7")
    }
  }

  @Test("the responses of a streaming call come in order, and then its trailers")
  func serverStreaming() async throws {
    try await withEcho { client in
      var metadata = Metadata()
      try metadata.append("x-id", "7")
      let all = try await client.call(Echo.many, Array(0..<100), options: CallOptions(metadata: metadata)) {
        responses in
        #expect(try await responses.headers.first("x-id") == "7")
        var all: [UInt8] = []
        for try await response in responses { all += response }
        #expect(responses.trailers.first("x-id") == "7")
        return all
      }
      #expect(all == Array(0..<100))
    }
  }

  @Test("a call with many requests gives one response")
  func clientStreaming() async throws {
    try await withEcho { client in
      let sum = try await client.call(Echo.sum) { writer in
        for byte in 0..<100 as Range<UInt8> { try await writer.write([byte]) }
      }
      #expect(sum == Array(0..<100))
    }
  }

  @Test("a call without a request or a response is a call")
  func emptyStreams() async throws {
    try await withEcho { client in
      #expect(try await client.call(Echo.sum) { _ in } == [])
      let count = try await client.call(Echo.chat) { writer, responses in
        writer.finish()
        var count = 0
        for try await _ in responses { count += 1 }
        return count
      }
      #expect(count == 0)
    }
  }

  @Test("requests and responses of a bidirectional call go to and fro")
  func bidirectional() async throws {
    try await withEcho { client in
      try await client.call(Echo.chat) { writer, responses in
        for byte in 0..<50 as Range<UInt8> {
          try await writer.write([byte])
          #expect(try await responses.next() == [byte])
        }
        writer.finish()
        #expect(try await responses.next() == nil)
        #expect(try await responses.next() == nil)
      }
    }
  }

  @Test("a failure carries code, message and trailing metadata")
  func failures() async throws {
    let service = Echo.implementation { _, context in
      try context.responseTrailers.append("x-why", "because")
      throw RPCError(.notFound, "no such thing: ä%")
    }
    try await withEcho([service]) { client in
      let error = try await failure { try await client.call(Echo.one, []) }
      #expect(error.status.code == .notFound)
      #expect(error.status.message == "no such thing: ä%")
      #expect(error.trailers.first("x-why") == "because")
    }
  }

  @Test("a method that the server has not is UNIMPLEMENTED")
  func unimplemented() async throws {
    let missing = Method<Unary, [UInt8], [UInt8]>(
      service: "test.Missing", name: "M", request: .bytes, response: .bytes)
    try await withEcho { client in
      let error = try await failure { try await client.call(missing, []) }
      #expect(error.status.code == .unimplemented)
    }
  }

  @Test("two calls of one task and many tasks share a connection")
  func concurrency() async throws {
    try await withEcho { client in
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<500 {
          group.addTask {
            let bytes = [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)]
            return try await client.call(Echo.one, bytes) == bytes
          }
        }
        for try await isEqual in group { #expect(isEqual) }
      }
    }
  }

  // MARK: - Deadlines

  @Test("a call ends when its deadline comes, and its handler is cancelled")
  func deadline() async throws {
    let started = Counter()
    let cancelled = Counter()
    let service = Echo.implementation { request, context in
      started.increment()
      #expect(context.deadline != nil)
      do { try await Task.sleep(for: .seconds(60)) } catch { cancelled.increment() }
      return request
    }
    try await withEcho([service]) { client in
      // On a busy machine the time may be over before the call is sent.
      while started.value == 0 {
        let error = try await failure {
          try await client.call(Echo.one, [], options: CallOptions(timeout: .milliseconds(50)))
        }
        #expect(error.status.code == .deadlineExceeded)
      }
      await cancelled.reaches(1)
    }
  }

  @Test("a call whose deadline is over is not sent")
  func expired() async throws {
    let handled = Counter()
    let service = Echo.implementation { request, _ in
      handled.increment()
      return request
    }
    try await withEcho([service]) { client in
      let error = try await failure {
        try await client.call(Echo.one, [], options: CallOptions(timeout: .nanoseconds(-1)))
      }
      #expect(error.status == Status(.deadlineExceeded, "the deadline was exceeded before the call was sent"))
      #expect(try await client.call(Echo.one, [1]) == [1])
      #expect(handled.value == 1)
    }
  }

  @Test("a timeout beyond what the clock can tell is no timeout")
  func endlessTimeout() async throws {
    try await withEcho { client in
      let options = CallOptions(timeout: .nanoseconds(.max))
      let response = try await client.call(Echo.one, [1], options: options)
      #expect(response == [1])
    }
  }

  @Test("the earliest of option, configuration and scope is the deadline, and the scope's metadata goes out")
  func earliestDeadline() async throws {
    let service = Echo.implementation { _, context in
      [UInt8(clamping: (context.timeRemaining ?? .zero).nanoseconds / 1_000_000_000)]
    }
    var method = MethodConfig()
    method.timeout = 100_000_000_000
    try await withEcho([service], client: { [method] in $0.serviceConfig.set(method, service: Echo.service) }) {
      client in
      #expect(try await client.call(Echo.one, [])[0] / 10 == 9)
      #expect(try await client.call(Echo.one, [], options: CallOptions(timeout: .seconds(200)))[0] / 10 == 9)
      #expect(try await client.call(Echo.one, [], options: CallOptions(timeout: .seconds(60)))[0] / 10 == 5)
      let scope = CallScope(deadline: .now() + .seconds(30))
      try scope.metadata.append("x-request-id", "abc")
      try await CallScope.$current.withValue(scope) {
        let answer = try await client.answer(Echo.one, [])
        #expect(answer.message[0] / 10 == 2)
        #expect(answer.headers.first("x-request-id") == "abc")
      }
    }
  }

  // MARK: - Cancellation

  @Test("a call is cancelled with its task, and so is its handler", arguments: [CallKind.unary, .bidirectional])
  func cancellation(kind: CallKind) async throws {
    let started = Counter()
    let cancelled = Counter()
    let service = Service(
      Echo.service,
      [
        handle(Echo.one) { request, _ in
          started.increment()
          do { try await Task.sleep(for: .seconds(60)) } catch { cancelled.increment() }
          return request
        },
        handle(Echo.chat) { requests, _, _ in
          started.increment()
          do { while try await requests.next() != nil {} } catch { cancelled.increment() }
        },
      ])
    try await withEcho([service]) { client in
      let task = Task {
        switch kind {
        case .unary: _ = try await client.call(Echo.one, [])
        default: _ = try await client.call(Echo.chat) { _, responses in try await responses.next() }
        }
      }
      await started.reaches(1)
      task.cancel()
      let error = try await failure { try await task.value }
      #expect(error.status.code == .cancelled)
      await cancelled.reaches(1)
    }
  }

  @Test("a caller that stops reading cancels the call")
  func stopReading() async throws {
    let cancelled = Counter()
    let service = Service(
      Echo.service,
      [
        handle(Echo.many) { _, writer, _ in
          do { while true { try await writer.write([1]) } } catch { cancelled.increment() }
        }
      ])
    try await withEcho([service]) { client in
      let first = try await client.call(Echo.many, []) { responses in try await responses.next() }
      #expect(first == [1])
      await cancelled.reaches(1)
    }
  }

  @Test("a caller's own error comes through, and cancels the call")
  func bodyThrows() async throws {
    let started = Counter()
    let ended = Counter()
    let service = Service(
      Echo.service,
      [
        handle(Echo.chat) { requests, _, _ in
          started.increment()
          do { while try await requests.next() != nil {} } catch { ended.increment() }
        }
      ])
    try await withEcho([service]) { client in
      await #expect(throws: TestFailure.self) {
        try await client.call(Echo.chat) { writer, _ in
          try await writer.write([1])
          await started.reaches(1)
          throw TestFailure("mine")
        }
      }
      await ended.reaches(1)
    }
  }

  @Test("a server that answers before the last request ends the writing, and the answer counts")
  func earlyAnswer() async throws {
    let service = Service(
      Echo.service,
      [
        handle(Echo.sum) { requests, _ in try await requests.next() ?? [] },
        handle(Echo.chat) { _, _, _ in throw RPCError(.permissionDenied, "no") },
      ])
    try await withEcho([service]) { client in
      let answer = try await client.call(Echo.sum) { writer in
        while true { try await writer.write([9]) }
      }
      #expect(answer == [9])
      let error = try await failure {
        try await client.call(Echo.chat) { writer, _ in while true { try await writer.write([1]) } }
      }
      #expect(error.status == Status(.permissionDenied, "no", origin: .peer))
    }
  }

  // MARK: - Sizes and compression

  @Test("messages of 4 MiB pass and larger ones do not", arguments: [-1, 0, 1])
  func sizes(offset: Int) async throws {
    let size = 4 << 20 + offset
    try await withEcho { client in
      let message = [UInt8](repeating: 7, count: (4 << 20) + offset)
      guard offset > 0 else {
        #expect(try await client.call(Echo.one, message) == message)
        return
      }
      let error = try await failure { try await client.call(Echo.one, message) }
      #expect(error.status.code == .resourceExhausted, "\(size)")
    }
  }

  @Test("a response beyond the client's limit, and a request beyond it, are RESOURCE_EXHAUSTED")
  func clientLimits() async throws {
    try await withEcho(client: {
      $0.limits.receivedMessageSize = 1_000
      $0.limits.sentMessageSize = 2_000
    }) { client in
      #expect(try await client.call(Echo.one, [UInt8](repeating: 1, count: 1_000)).count == 1_000)
      let received = try await failure { try await client.call(Echo.one, [UInt8](repeating: 1, count: 1_001)) }
      #expect(received.status == Status(.resourceExhausted, "grpc: received message larger than max (1001 vs. 1000)"))
      let sent = try await failure { try await client.call(Echo.one, [UInt8](repeating: 1, count: 2_001)) }
      #expect(
        sent.status == Status(.resourceExhausted, "grpc: trying to send message larger than max (2001 vs. 2000)"))
    }
  }

  @Test("requests are compressed where the call wants it, and responses where the server does")
  func compression() async throws {
    let service = Service(
      Echo.service,
      [
        handle(Echo.one) { request, context in
          context.compressesResponses = true
          return context.requestWasCompressed ? request : []
        },
        handle(Echo.many) { request, writer, context in
          context.compressesResponses = true
          try await writer.write(request)
          try await writer.write(request, compressible: false)
        },
      ])
    let message = [UInt8](repeating: 7, count: 100_000)
    try await withEcho([service]) { client in
      #expect(try await client.call(Echo.one, message) == [])
      #expect(try await client.call(Echo.one, message, options: CallOptions(compressesRequests: true)) == message)
      try await client.call(Echo.many, message) { responses in
        let first = try await responses.next()
        #expect(first == message)
        #expect(responses.lastWasCompressed)
        let second = try await responses.next()
        #expect(second == message)
        #expect(!responses.lastWasCompressed)
      }
    }
  }

  @Test("a message that is none of its type fails the call")
  func undecodable() async throws {
    let codec = MessageCodec<Int>(
      encode: { _ in MessageFrame([1]) }, decode: { _ in throw TestFailure("no number") })
    let method = Method<Unary, Int, Int>(service: Echo.service, name: "One", request: codec, response: codec)
    try await withEcho { client in
      let error = try await failure { try await client.call(method, 1) }
      #expect(error.status.code == .internal)
    }
  }

  // MARK: - The end

  @Test("a closed client takes no calls, and those that run end within the grace")
  func close() async throws {
    let started = Counter()
    let go = Counter()
    let service = Echo.implementation { request, _ in
      started.increment()
      await go.reaches(1)
      return request
    }
    let server = try await GRPCServer.start([service], on: [])
    let client = try GRPCClient(inProcess: server)
    async let running = client.call(Echo.one, [5])
    await started.reaches(1)
    async let closed: Void = client.close(grace: .seconds(30))
    var error: RPCError?
    while error == nil {
      // The closing runs beside us.
      if client.state == .shutdown || started.value > 1 { break }
      do { _ = try await client.call(Echo.sum) { _ in } } catch let failed as RPCError { error = failed }
    }
    #expect(error?.status == Status(.unavailable, "the client is closed"))
    go.increment()
    #expect(try await running == [5])
    await closed
    #expect(client.state == .shutdown)
    await server.shutdown(grace: .zero)
  }

  @Test("a call that waits for a server when its client is closed still gets it within the grace")
  func closeWhileWaiting() async throws {
    let port = try await unusedPort()
    let client = try GRPCClient(target: "127.0.0.1:\(port)", configuration: quickConfiguration())
    async let answer = client.call(Echo.one, [5], options: CallOptions(waitsForReady: true))
    await client.reaches(.transientFailure)
    async let closed: Void = client.close(grace: .seconds(30))
    let (server, _) = try await startServer(port: port)
    #expect(try await answer == [5])
    await closed
    await server.shutdown(grace: .zero)
  }

  @Test("a client that is closed without grace cuts its calls off")
  func closeNow() async throws {
    let started = Counter()
    let service = Echo.implementation { request, _ in
      started.increment()
      try await Task.sleep(for: .seconds(60))
      return request
    }
    let server = try await GRPCServer.start([service], on: [])
    let client = try GRPCClient(inProcess: server)
    async let running = failure { try await client.call(Echo.one, [5]) }
    await started.reaches(1)
    await client.close()
    #expect(try await running.status.code == .unavailable)
    await server.shutdown(grace: .zero)
  }
}
