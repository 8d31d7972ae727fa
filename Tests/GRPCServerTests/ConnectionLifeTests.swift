// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import GRPCServer

@Suite struct ConnectionLifeTests {
  private func time(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

  @Test("pings at the least interval are welcome for ever, with calls and without")
  func patient() {
    var police = PingPolice()
    for second in stride(from: Int64(0), to: 1_000, by: 5) {
      let verdict = police.isTooMany(time(second), hasCalls: second % 2 == 0, policy: ConnectionPolicy())
      #expect(!verdict)
    }
  }

  @Test("the third ping that comes too early is one too many")
  func hasty() {
    var police = PingPolice()
    let verdicts = (0..<4).map { police.isTooMany(time($0), hasCalls: true, policy: ConnectionPolicy()) }
    #expect(verdicts == [false, false, false, true])
  }

  @Test("a ping after something was sent measures the path, and counts for nothing")
  func measuring() {
    var police = PingPolice()
    for second in 0..<100 {
      let verdict = police.isTooMany(time(Int64(second)), hasCalls: true, policy: ConnectionPolicy())
      #expect(!verdict)
      police.reset()
    }
  }

  @Test("where pings without calls are not wanted, they may come every two hours")
  func withoutCalls() {
    var policy = ConnectionPolicy()
    policy.allowsPingsWithoutCalls = false
    var police = PingPolice()
    let verdicts = (0..<4).map { police.isTooMany(time($0 * 60), hasCalls: false, policy: policy) }
    #expect(verdicts == [false, false, false, true])
    var calling = PingPolice()
    let callers = (0..<4).map { calling.isTooMany(time($0 * 60), hasCalls: true, policy: policy) }
    #expect(callers == [false, false, false, false])
  }

  @Test("connections of one age grow old within a tenth of it")
  func ages() throws {
    var policy = ConnectionPolicy()
    policy.maxAge = .seconds(1_000)
    for _ in 0..<1_000 {
      let oldAt = try #require(ConnectionLife(now: time(0), policy: policy).oldAt)
      #expect(oldAt >= time(900) && oldAt <= time(1_100))
    }
    policy.maxAge = .nanoseconds(.max)
    #expect(ConnectionLife(now: time(0), policy: policy).oldAt != nil)
    #expect(ConnectionLife(now: time(0), policy: ConnectionPolicy()).oldAt == nil)
  }

  @Test(
    "only a client of HTTP/1 is answered in its own tongue",
    arguments: [
      ("GET / HTTP/1.1\r\n", true), ("OPTIONS * HTTP/1.1\r\n", true), ("", false), (" GET", false),
      ("\u{16}\u{3}\u{1}\u{2}\u{0}", false), ("get / HTTP/1.1", false), ("SSH-2.0-OpenSSH", false),
      ("ABCDEFGHIJKLMNOPQ /", false),
    ])
  func foreign(bytes: String, isAnswered: Bool) {
    let answer = String(decoding: ForeignClient.answer(to: Array(bytes.utf8)), as: UTF8.self)
    #expect(answer.hasPrefix("HTTP/1.1 505 ") == isAnswered)
    guard isAnswered else { return #expect(answer.isEmpty) }
    let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1)
    #expect(parts[0].contains("Content-Length: \(parts[1].utf8.count)\r\n"))
  }
}
