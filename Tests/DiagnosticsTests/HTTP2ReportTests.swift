// SPDX-License-Identifier: Apache-2.0

import BlockingClient
import Fault
import HTTP2
import JSON
import Testing

@testable import Diagnostics

@Suite struct HTTP2ReportTests {
  private func findings(_ change: (inout HTTP2Findings) -> Void = { _ in }) -> HTTP2Findings {
    var findings = HTTP2Findings(peer: "127.0.0.1:1", security: nil, timings: Timings())
    findings.acknowledgement = 1_000_000
    findings.pings = [100_000]
    findings.sentPings = 1
    change(&findings)
    return findings
  }

  private func report(_ outcome: Result<HTTP2Findings, Fault>) throws -> HTTP2Report {
    HTTP2Report(endpoint: try Endpoint(["a:1"]), outcome: outcome)
  }

  private func goAway(_ code: HTTP2ErrorCode, _ text: String = "") -> HTTP2Findings.GoAway {
    HTTP2Findings.GoAway(code: code, lastStreamID: 0, debugText: text)
  }

  @Test("the code is that of the first thing that is wrong")
  func codes() throws {
    #expect(try report(.success(findings())).code == "OK")
    #expect(try report(.success(findings { $0.acknowledgement = nil })).code == "H2_UNANSWERED")
    #expect(try report(.success(findings { $0.sentPings = 2 })).code == "H2_UNANSWERED")
    #expect(try report(.failure(Fault(.noSettings, "a"))).code == "NO_SETTINGS")
    let lost = Fault(.connectionLost, "a")
    #expect(try report(.success(findings { ($0.failure, $0.acknowledgement) = (lost, nil) })).code == "CONNECTION_LOST")
  }

  @Test("an idle connection that the server ends is no problem unless it says why it is one")
  func idle() throws {
    func ended(_ code: HTTP2ErrorCode, _ text: String = "") throws -> HTTP2Report {
      try report(
        .success(findings { ($0.idle, $0.idleEnd, $0.goAway) = (5_000_000_000, .goAway, goAway(code, text)) }))
    }
    #expect(try ended(.noError).worst == .ok)
    #expect(try ended(.enhanceYourCalm, "too_many_pings").code == "TOO_MANY_PINGS")
    #expect(try ended(.internalError).code == "H2_GOAWAY")
    #expect(try report(.success(findings { ($0.idle, $0.idleEnd) = (1, .reset) })).worst == .ok)
  }

  @Test("a setting counts with its last value, and no server can make the list long")
  func settings() {
    let found = findings {
      $0.note([HTTP2Setting(identifier: 3, value: 1), HTTP2Setting(identifier: 0xFE03, value: 2)])
      $0.note([HTTP2Setting(identifier: 3, value: 9)])
    }
    #expect(found.settings.map(\.name) == ["MAX_CONCURRENT_STREAMS", "0xfe03"])
    #expect(found.settings.map(\.value) == [9, 2])
    let flooded = findings {
      for number in 0..<500 as Range<UInt16> {
        $0.note([HTTP2Setting(identifier: number, value: 0)])
      }
    }
    #expect(flooded.settings.count == HTTP2Findings.maxSettings)
  }

  @Test("what the server says cannot reach the terminal")
  func hostile() throws {
    let hostile = try report(.success(findings { $0.goAway = goAway(.noError, "\u{1B}[2J\n\u{0}") }))
    var output = TextOutput(hasColour: false)
    hostile.write(to: &output)
    #expect(!output.text.contains("\u{1B}") && !hostile.json.text.contains("\u{1B}"))
  }

  @Test("the keys of the document are the same without a connection")
  func keys() throws {
    func keys(_ report: HTTP2Report) throws -> [String] {
      guard case .object(let members) = try JSONValue(parsing: report.json.bytes) else { return [] }
      return members.map(\.name)
    }
    let failed = try keys(report(.failure(Fault(.connectionRefused, "a"))))
    #expect(failed == (try keys(report(.success(findings())))) && failed.first == "schema")
  }
}
