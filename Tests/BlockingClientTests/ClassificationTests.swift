// SPDX-License-Identifier: Apache-2.0

import Bytes
import Fault
import Sys
import Testing

@testable import BlockingClient

@Suite struct ConnectorTests {
  func v4(_ last: UInt8) -> SocketAddress { .ipv4([10, 0, 0, last], port: 1) }
  func v6(_ last: UInt8) -> SocketAddress {
    .ipv6([0xFD] + Array(repeating: 0, count: 14) + [last], port: 1, scope: 0)
  }

  @Test("families take turns, beginning with the system's choice")
  func interleaving() {
    #expect(Connector.interleaved([]) == [])
    #expect(Connector.interleaved([v6(1), v6(2), v6(3), v4(1)]) == [v6(1), v4(1), v6(2), v6(3)])
    #expect(Connector.interleaved([v4(1), v6(1), v4(2)]) == [v4(1), v6(1), v4(2)])
  }

  @Test("several refusals are one fault that names every address")
  func combining() {
    let refused = Connector.combined([Fault(.connectionRefused, "a"), Fault(.connectionRefused, "b")])
    #expect(refused == Fault(.connectionRefused, "a and b"))
    let mixed = Connector.combined([
      Fault(.noRoute, "[::1]:1", detail: "no IPv6"), Fault(.connectionRefused, "127.0.0.1:1"),
    ])
    #expect(mixed.code == .connectionRefused)
    #expect(mixed.subject == "127.0.0.1:1")
    #expect(mixed.detail.contains("[::1]:1"))
    #expect(Connector.combined([Fault(.noRoute, "a")]).code == .noRoute)
    #expect(Connector.combined([]).code == .nameHasNoAddress)
  }

  @Test("a reset before the connection was looked at came after it stood")
  func earlyReset() {
    let fault = Fault(SystemError("connect", errno: Errno.connectionReset), to: "127.0.0.1:1")
    #expect(fault == Fault(.closedBeforeSettings, "127.0.0.1:1", detail: "connection reset by peer"))
  }
}

@Suite struct TransportLogTests {
  func lines(_ severity: String?, _ verbosity: String? = nil) -> [String] {
    final class Lines { var texts: [String] = [] }
    let kept = Lines()
    let log = TransportLog(
      environment: { $0 == "GRPC_GO_LOG_SEVERITY_LEVEL" ? severity : verbosity }, write: { kept.texts.append($0) })
    log.info("i\n")
    log.warning("w")
    log.error("e")
    if log.wantsFrames { kept.texts.append("frames") }
    return kept.texts
  }

  @Test("the variables of gRPC's Go implementation choose what is told")
  func levels() {
    #expect(lines(nil).count == 1)
    #expect(lines("") == lines(nil))
    #expect(lines("off") == [])
    #expect(lines("error").count == 1)
    #expect(lines("WARNING").count == 2)
    #expect(lines("info").count == 3)
    #expect(lines("info", "99").count == 4)
    #expect(lines("error", "99").count == 1)
  }

  @Test("a line has a date, a level and one end")
  func form() {
    let line = lines("info").first ?? ""
    #expect(line.wholeMatch(of: /\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d INFO: \[transport\] i\\n\n/) != nil)
  }

  @Test(
    "seconds become dates of the Gregorian calendar",
    arguments: [
      (0, "1970/01/01 00:00:00"), (951_782_399, "2000/02/28 23:59:59"), (951_782_400, "2000/02/29 00:00:00"),
      (1_795_251_661, "2026/11/21 09:01:01"), (4_107_542_400, "2100/03/01 00:00:00"), (-1, "1969/12/31 23:59:59"),
    ] as [(Int64, String)])
  func dates(seconds: Int64, text: String) { #expect(CivilTime(seconds).logText == text) }
}
