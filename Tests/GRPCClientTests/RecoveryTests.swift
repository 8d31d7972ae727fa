// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCMethods
import GRPCServer
import HTTP2
import NIOCore
import NIOTransport
import Synchronization
import TestSupport
import Testing

@testable import GRPCClient

@Suite(.endsIfItHangs) struct RecoveryTests {
  private static let quick = Backoff(initial: .milliseconds(1), maximum: .milliseconds(2))

  private func retrying(
    _ attempts: Int = 3, _ codes: Set<StatusCode> = [.unavailable], backoff: Backoff = quick
  ) -> (inout ClientConfiguration) -> Void {
    { configuration in
      var method = MethodConfig()
      method.recovery = .retry(RetryPolicy(maxAttempts: attempts, backoff: backoff, retryableCodes: codes))
      configuration.serviceConfig.set(method)
    }
  }

  /// A handler that fails so many times before it answers, and how often it was called.
  private func failing(_ times: Int, _ code: StatusCode = .unavailable) -> (Service, Counter) {
    let calls = Counter()
    let service = Echo.implementation { request, _ in
      guard calls.increment() > times else { throw RPCError(code, "try again") }
      return request
    }
    return (service, calls)
  }

  @Test("a call is sent again until it succeeds, and says how often it was sent before")
  func retries() async throws {
    let facts = FactsKeeper()
    let calls = Mutex<[String?]>([])
    let count = Counter()
    let service = Echo.implementation { request, context in
      calls.withLock { $0.append(context.metadata.first("grpc-previous-rpc-attempts")) }
      guard count.increment() > 2 else { throw RPCError(.unavailable, "try again") }
      return request
    }
    try await withEcho([service], client: retrying(), interceptors: [facts]) { client async throws in
      #expect(try await client.call(Echo.one, [4]) == [4])
    }
    #expect(calls.withLock { $0 } == [nil, "1", "2"])
    #expect(facts.latest?.attempts.map(\.number) == [0, 1, 2])
    #expect(facts.latest?.attempts.map(\.status.code) == [.unavailable, .unavailable, .ok])
  }

  @Test("the last failure is the call's once the attempts are used up")
  func usedUp() async throws {
    let (service, calls) = failing(10)
    try await withEcho([service], client: retrying(3)) { client in
      let error = try await failure { try await client.call(Echo.one, []) }
      #expect(error.status == Status(.unavailable, "try again", origin: .peer))
    }
    #expect(calls.value == 3)
  }

  @Test("a status that is not in the policy is final, and so is one without a policy")
  func finalStatus() async throws {
    let (service, calls) = failing(10, .internal)
    try await withEcho([service], client: retrying()) { client in
      _ = try await failure { try await client.call(Echo.one, []) }
    }
    #expect(calls.value == 1)
    let (other, otherCalls) = failing(10)
    try await withEcho([other]) { client in _ = try await failure { try await client.call(Echo.one, []) } }
    #expect(otherCalls.value == 1)
  }

  @Test("requests that were written are sent again, in every kind of call")
  func replay() async throws {
    let attempts = Counter()
    let service = Service(
      Echo.service,
      [
        handle(Echo.sum) { requests, _ in
          var all: [UInt8] = []
          for try await request in requests { all += request }
          guard attempts.increment() > 2 else { throw RPCError(.unavailable, "again") }
          return all
        },
        handle(Echo.chat) { requests, writer, _ in
          let first = try await requests.next() ?? []
          guard attempts.increment() > 5 else { throw RPCError(.unavailable, "again") }
          try await writer.write(first)
          for try await request in requests { try await writer.write(request) }
        },
      ])
    try await withEcho([service], client: retrying()) { client in
      let sum = try await client.call(Echo.sum) { writer in
        for byte in 0..<100 as Range<UInt8> { try await writer.write([byte]) }
      }
      #expect(sum == Array(0..<100))
      #expect(attempts.value == 3)
      let all = try await client.call(Echo.chat) { writer, responses in
        for byte in 0..<10 as Range<UInt8> { try await writer.write([byte]) }
        writer.finish()
        return try await responses.reduce(into: [UInt8]()) { $0 += $1 }
      }
      #expect(all == Array(0..<10))
      #expect(attempts.value == 6)
    }
  }

  @Test("a call that has written more than is kept is not sent again")
  func tooMuchToKeep() async throws {
    let attempts = Counter()
    let service = Service(
      Echo.service,
      [
        handle(Echo.sum) { requests, _ in
          attempts.increment()
          for try await _ in requests {}
          throw RPCError(.unavailable, "again")
        }
      ])
    try await withEcho([service], client: retrying()) { client in
      let error = try await failure {
        try await client.call(Echo.sum) { writer in
          for _ in 0..<30 { try await writer.write([UInt8](repeating: 1, count: 10_000)) }
        }
      }
      #expect(error.status.code == .unavailable)
    }
    #expect(attempts.value == 1)
  }

  @Test("a call whose answer has begun is not sent again")
  func committed() async throws {
    let attempts = Counter()
    let service = Service(
      Echo.service,
      [
        handle(Echo.many) { _, writer, _ in
          attempts.increment()
          try await writer.write([1])
          throw RPCError(.unavailable, "again")
        }
      ])
    try await withEcho([service], client: retrying()) { client in
      try await client.call(Echo.many, []) { responses in
        let first = try await responses.next()
        #expect(first == [1])
        let error = try await failure { try await responses.next() }
        #expect(error.status.code == .unavailable)
      }
    }
    #expect(attempts.value == 1)
  }

  @Test("a server's pushback is obeyed: a number is waited for, anything else ends the retries")
  func pushback() async throws {
    let attempts = Counter()
    let service = Echo.implementation { request, context in
      switch attempts.increment() {
      case 1:
        try context.responseTrailers.append("grpc-retry-pushback-ms", "1")
        throw RPCError(.unavailable, "later")
      case 2:
        try context.responseTrailers.append("grpc-retry-pushback-ms", "-1")
        throw RPCError(.unavailable, "never")
      default: return request
      }
    }
    // Without the pushback the first wait would be longer than the deadline allows.
    let slow = Backoff(initial: .hours(1), maximum: .hours(1))
    try await withEcho([service], client: retrying(5, backoff: slow)) { client in
      let error = try await failure {
        try await client.call(Echo.one, [], options: CallOptions(timeout: .seconds(50)))
      }
      #expect(error.status.message == "never")
    }
    #expect(attempts.value == 2)
  }

  @Test("a wait that the deadline would end is not begun: the caller learns what went wrong")
  func noHopelessWait() async throws {
    let (service, calls) = failing(10)
    let slow = Backoff(initial: .hours(1), maximum: .hours(1))
    try await withEcho([service], client: retrying(backoff: slow)) { client in
      let error = try await failure {
        try await client.call(Echo.one, [], options: CallOptions(timeout: .seconds(50)))
      }
      #expect(error.status.message == "try again")
    }
    #expect(calls.value == 1)
  }

  @Test("failing calls use up the tokens of all, and then none is sent again")
  func throttling() async throws {
    let (service, calls) = failing(.max)
    try await withEcho(
      [service],
      client: {
        retrying(5)(&$0)
        $0.serviceConfig.retryThrottling = RetryThrottling(maxTokens: 4, ratioThousandths: 100)
      }
    ) { client in
      for _ in 0..<5 { _ = try await failure { try await client.call(Echo.one, []) } }
    }
    // The first call makes two attempts; after them half of the tokens are gone.
    #expect(calls.value == 6)
  }

  @Test("a connection that cannot be made is tried again by a policy that says so")
  func unreachable() async throws {
    let port = try await unusedPort()
    let facts = FactsKeeper()
    try await withClient(of: [port], retrying(), interceptors: [facts]) { client, _ in
      let error = try await failure { try await client.call(Echo.one, []) }
      #expect(error.status.code == .unavailable)
      #expect(facts.latest?.attempts.count == 3)
    }
  }

  // MARK: - Hedging

  private func hedging(
    _ attempts: Int, after delay: TimeAmount, _ codes: Set<StatusCode> = [.unavailable]
  ) -> (inout ClientConfiguration) -> Void {
    { configuration in
      var method = MethodConfig()
      method.recovery = .hedging(HedgingPolicy(maxAttempts: attempts, delay: delay.nanoseconds, nonFatalCodes: codes))
      configuration.serviceConfig.set(method)
    }
  }

  @Test("a slow call is sent again without waiting, the first answer counts, and the others are cancelled")
  func hedge() async throws {
    let attempts = Counter()
    let cancelled = Counter()
    let service = Echo.implementation { request, context in
      let number = attempts.increment()
      guard number == 3 else {
        do { try await Task.sleep(for: .seconds(60)) } catch { cancelled.increment() }
        return []
      }
      return request
    }
    let facts = FactsKeeper()
    try await withEcho([service], client: hedging(4, after: .milliseconds(1)), interceptors: [facts]) {
      client async throws in
      #expect(try await client.call(Echo.one, [6]) == [6])
      await cancelled.reaches(2)
    }
    #expect(facts.latest?.attempts.filter { $0.status.code == .ok }.count == 1)
  }

  @Test("a hedge's failure that is not final starts the next at once")
  func hedgeFails() async throws {
    let (service, calls) = failing(2)
    try await withEcho([service], client: hedging(3, after: .hours(1))) { client async throws in
      #expect(try await client.call(Echo.one, [6]) == [6])
    }
    #expect(calls.value == 3)
  }

  @Test("when every hedge has failed, the last failure is the call's")
  func hedgesFail() async throws {
    let (service, calls) = failing(10)
    try await withEcho([service], client: hedging(3, after: .hours(1))) { client in
      let error = try await failure { try await client.call(Echo.one, []) }
      #expect(error.status.message == "try again")
    }
    #expect(calls.value == 3)
  }

  @Test("a hedge's failure that is final ends the call")
  func fatalHedge() async throws {
    let (service, calls) = failing(10, .internal)
    try await withEcho([service], client: hedging(3, after: .hours(1))) { client in
      let error = try await failure { try await client.call(Echo.one, []) }
      #expect(error.status.code == .internal)
    }
    #expect(calls.value == 1)
  }
}
