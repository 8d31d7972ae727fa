// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCMethods
import HTTP2
import NIOCore
import NIOTransport
import Synchronization
import TestSupport
import Testing

@testable import GRPCClient

/// Peers that do by turns whatever a peer can do to a call, drawn from a seed.
@Suite(.endsIfItHangs) struct ChaosTests {
  @Test("whatever servers do, every call ends, and with an answer or an RPCError", arguments: 0..<8)
  func everyCallEnds(seed: UInt64) async throws {
    let chance = Mutex(SeededGenerator(seed))
    let script: ScriptedPeer.Script = { connection, event in
      guard case .headers(let id, _, kind: .request, endStream: _) = event else { return }
      let head = [HeaderField(":status", "200"), HeaderField("content-type", "application/grpc")]
      switch chance.withLock({ Int.random(in: 0..<30, using: &$0) }) {
      case 0: connection.http2.session.reset(id, .refusedStream)
      case 1: connection.http2.session.reset(id, .internalError)
      case 2: connection.http2.abort()
      case 3:
        connection.http2.session.goAway(.noError, lastStreamID: connection.requests.first)
        if id == connection.requests.first { connection.answer(id, [1]) }
      case 4: connection.answer(id, nil, code: 14)
      case 5: connection.answer(id, nil, code: 14, [HeaderField("grpc-retry-pushback-ms", "1")])
      case 6:
        try? connection.http2.session.submitHeaders(id, head, endStream: false)
        connection.http2.session.reset(id, .cancel)
      case 7:
        // A frame that promises more than comes.
        try? connection.http2.session.submitHeaders(id, head, endStream: false)
        try? connection.http2.session.send([0, 0, 0, 0, 9, 1], on: id, endStream: true)
      case 8: try? connection.http2.session.submitHeaders(id, [HeaderField(":status", "503")], endStream: true)
      default: connection.answer(id, [1])
      }
    }
    let peers = [try await ScriptedPeer(script), try await ScriptedPeer(script)]
    var method = MethodConfig()
    let backoff = Backoff(initial: 1_000_000, multiplier: 1.6, limit: 5_000_000)
    if seed % 2 == 0 {
      method.recovery = .retry(RetryPolicy(maxAttempts: 3, backoff: backoff, retryableCodes: [.unavailable]))
    } else {
      method.recovery = .hedging(HedgingPolicy(maxAttempts: 3, delay: 1_000_000, nonFatalCodes: [.unavailable]))
    }
    try await withClient(
      of: peers.map(\.port),
      {
        $0.serviceConfig.loadBalancing = seed % 3 == 0 ? .pickFirst(shuffles: false) : .roundRobin
        $0.serviceConfig.set(method)
        $0.connecting.backoff = backoff
      }
    ) { client, _ in
      let answers = Counter()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<6 {
          group.addTask {
            for number in 0..<40 {
              // Some callers have little time, and some give up.
              let isImpatient = number % 7 == worker
              let options = CallOptions(
                timeout: isImpatient ? .milliseconds(3) : .seconds(60), waitsForReady: true)
              let task = Task { try await client.call(Echo.one, [0], options: options) }
              if number % 11 == worker { task.cancel() }
              do {
                if try await task.value == [1] { answers.increment() }
              } catch let error as RPCError {
                #expect(isImpatient || error.status.code != .deadlineExceeded)
              }
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(answers.value > 60)
    }
    for peer in peers { await peer.stop() }
  }
}
