// SPDX-License-Identifier: Apache-2.0

import Fault
import Testing

@testable import Diagnostics

@Suite struct BalanceTests {
  private func served(_ names: String?...) -> ServedBy {
    var served = ServedBy()
    for name in names { served.note(answerOf: name) }
    return served
  }

  private func report(_ one: ServedBy, _ many: ServedBy) throws -> BalanceReport {
    BalanceReport(
      endpoint: try Endpoint(["shop:1"]), addresses: [], connections: PeerCounts(peers: []),
      calls: BalanceProbe.Findings(header: "x-served-by", oneConnection: one, manyConnections: many))
  }

  @Test("who answers the calls of one connection, and of many, tells what is balanced")
  func verdicts() throws {
    #expect(try report(served("a", "b"), served("a", "b")).code == "OK")
    #expect(try report(served("a", "a"), served("a", "b")).code == "ONE_BACKEND")
    // The one connection's server need not be among the others'.
    #expect(try report(served("a", "a"), served("b", "b")).code == "ONE_BACKEND")
    #expect(try report(served("a", "a"), served("a", "a")).worst == .note)
    #expect(try report(served(nil, nil), served(nil, nil)).code == "UNDETERMINED")
    // One call each tells nothing of who answers a connection's others.
    #expect(try report(served("a"), served("b")).worst == .note)
  }

  @Test("a call without an answer is a warning beside those that have one, and a failure where none has")
  func failures() throws {
    var partly = served("a", "b")
    partly.note(Fault(.connectionLost, "10.0.0.1:1"))
    let warning = try report(partly, served("a", "b"))
    #expect(warning.worst == .warning && warning.code == "CONNECTION_LOST")
    var never = ServedBy()
    never.note(Fault(.connectionRefused, "10.0.0.1:1"))
    let failure = try report(never, never)
    #expect(failure.worst == .failure && failure.code == "TCP_REFUSED")
  }

  @Test("a server that gives every answer another name fills no memory")
  func bounds() {
    var served = ServedBy()
    for number in 0..<10_000 { served.note(answerOf: "\(number)" + String(repeating: "x", count: 1_000)) }
    #expect(served.answered == 10_000 && served.counts.count == ServedBy.maxNames)
    #expect(served.names.allSatisfy { $0.name.utf8.count <= 210 })
  }

  @Test("the most frequent server comes first")
  func order() {
    #expect(served("b", "a", "c", "c").names.map(\.name) == ["c", "a", "b"])
  }
}
