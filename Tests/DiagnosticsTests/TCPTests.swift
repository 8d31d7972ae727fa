// SPDX-License-Identifier: Apache-2.0

import JSON
import Sys
import Testing

@testable import Diagnostics

@Suite struct TCPTests {
  private func address(_ text: String) throws -> SocketAddress { try #require(SocketAddress(literal: text, port: 80)) }

  private func icmp(_ type: UInt8, _ code: UInt8, from sender: String, errno: Int32) throws -> NetworkError {
    NetworkError(origin: .icmp, errno: errno, type: type, code: code, sender: try address(sender))
  }

  @Test("a failed connect means what the network said of it, and no more")
  func outcomes() throws {
    let target = try address("10.0.0.2")
    func outcome(_ errno: Int32, _ said: [NetworkError] = [], synchronous: Bool = false) -> String {
      TCPOutcome(SystemError("connect", errno: errno), said, to: target, isSynchronous: synchronous).code
    }
    let refused = Errno.connectionRefused
    #expect(outcome(refused) == "TCP_REFUSED")
    #expect(outcome(refused, [try icmp(3, 3, from: "10.0.0.1", errno: refused)]) == "TCP_FILTERED")
    let unreachable = Errno.hostUnreachable
    #expect(outcome(unreachable, [try icmp(3, 1, from: "10.0.0.1", errno: unreachable)]) == "HOST_DOWN")
    #expect(outcome(unreachable, [try icmp(3, 1, from: "10.0.0.2", errno: unreachable)]) == "TCP_FILTERED")
    #expect(outcome(unreachable, [try icmp(3, 13, from: "10.0.0.1", errno: unreachable)]) == "TCP_FILTERED")
    #expect(outcome(unreachable, synchronous: true) == "NO_ROUTE")
    #expect(outcome(unreachable) == "HOST_DOWN")
    #expect(outcome(Errno.networkUnreachable, synchronous: true) == "NO_ROUTE")
    #expect(outcome(Errno.permissionDenied, synchronous: true) == "FORBIDDEN_LOCALLY")
    #expect(outcome(Errno.invalidArgument, synchronous: true) == "FORBIDDEN_LOCALLY")
    #expect(outcome(Errno.addressNotAvailable, synchronous: true) == "EPHEMERAL_PORTS_EXHAUSTED")
    #expect(outcome(Errno.tooManyFiles, synchronous: true) == "FD_LIMIT")
    #expect(outcome(Errno.timedOut) == "TCP_TIMEOUT")
    #expect(outcome(Errno.connectionReset) == "ACCEPTED_THEN_CLOSED")
    #expect(outcome(Errno.fileTooLarge) == "TCP_FAILED")
  }

  @Test("operands name one endpoint, or say what is wrong")
  func endpoints() throws {
    func read(_ words: String...) throws(UsageError) -> String { try Endpoint(words).text }
    #expect(try read("user-service:50051") == "user-service:50051")
    #expect(try read("user-service", "50051") == "user-service:50051")
    #expect(try read("[fd00::1]:80") == "[fd00::1]:80")
    #expect(try read("fd00::1", "80") == "[fd00::1]:80")
    #expect(try read(":80") == "localhost:80")
    for words in [
      [], ["a"], ["a:"], ["a:0"], ["a:65536"], ["a:b"], ["::1:80"], ["::1"], ["a", "1", "2"], ["a b:1"], ["a:-1"],
      ["x:y:1"], ["[x:y]:1"],
    ] {
      #expect(throws: UsageError.self, "\(words)") { try Endpoint(words) }
    }
  }

  @Test("an address that fails beside one that does not is a warning")
  func marks() throws {
    func attempt(_ text: String, _ outcome: TCPOutcome) throws -> TCPReport.Address {
      let attempt = TCPAttempt(address: try address(text), outcome: outcome, time: 123_456, retransmits: 0)
      return TCPReport.Address(address: attempt.address, attempts: [attempt], hops: [])
    }
    func report(_ addresses: [TCPReport.Address]) throws -> TCPReport {
      TCPReport(endpoint: try Endpoint(["a:80"]), addresses: addresses, nameFailure: nil)
    }
    let mixed = try report([attempt("::1", .refused), attempt("127.0.0.1", .open)])
    #expect(mixed.worst == .warning && mixed.code == "OK")
    let none = try report([attempt("::1", .silence), attempt("127.0.0.1", .refused)])
    #expect(none.worst == .failure && none.code == "TCP_TIMEOUT")
    #expect(try report([]).worst == .failure)
    var output = TextOutput(hasColour: false)
    mixed.write(to: &output)
    #expect(output.text.hasSuffix("ok    127.0.0.1:80  open in 123µs\n"))
    #expect(throws: Never.self) { try JSONValue(parsing: mixed.json.bytes) }
  }

  @Test("a percentile is a value that was measured")
  func percentiles() {
    #expect((0...100).allSatisfy { TCPReport.index($0, of: 1) == 0 })
    #expect(TCPReport.index(50, of: 4) == 1 && TCPReport.index(99, of: 100) == 98 && TCPReport.index(99, of: 4) == 3)
    #expect(TCPReport.index(0, of: 9) == 0 && TCPReport.index(100, of: 9) == 8)
  }

  @Test("connecting to this machine's own ports comes to what they are")
  func loopback() throws {
    let closed = TCPProbe(timeout: 5_000_000_000).connect(to: [
      try #require(SocketAddress(literal: "127.0.0.1", port: 1))
    ])
    #expect(closed.map(\.outcome) == [.refused])
  }
}
