// SPDX-License-Identifier: Apache-2.0

import BlockingClient
import Fault
import Flags
import Foundation
import GRPC
import Health
import Sys
import Testing

@testable import HealthProbe

func options(_ arguments: String...) throws -> ProbeOptions {
  try ProbeOptions(try probeFlags.parse(["-addr=localhost:1"] + arguments))
}

@Suite struct ReportTests {
  static let hostile = String(repeating: "\u{1B}\"é\n", count: 3_000)

  func reports(_ arguments: String...) throws -> [Report] {
    let options = try ProbeOptions(try probeFlags.parse(["-addr=" + Self.hostile] + arguments))
    let status = Status(.unknown, Self.hostile, origin: .peer)
    let failed = Outcome(status, service: Self.hostile, fault: nil, peer: Self.hostile)
    let many = (0..<500).map { (name: "service-\($0)-" + Self.hostile, outcome: failed) }
    return [
      Report(options: options, outcome: failed),
      Report(options: options, outcome: Outcome(.notServing, service: Self.hostile)),
      Report(options: options, outcome: failed, services: many),
      Report(options: options, outcome: .failure(.connectionFailed, Self.hostile.safeForDisplayText)),
    ]
  }

  @Test("text and JSON together stay below Docker's 4096 bytes, whatever a peer or a user put into them")
  func bound() throws {
    for report in try reports("-output=json") {
      let room = Report.limit / 2 - 1
      let text = report.text(limit: room)
      let json = report.json(limit: room)
      #expect(text.utf8.count + json.utf8.count + 1 < Report.limit)
      let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
      #expect(object["truncated"] as? Bool == true)
      #expect(object["ok"] as? Bool == false)
    }
  }

  @Test("no line of a report can be steered by what is in it")
  func lines() throws {
    for report in try reports() {
      let text = report.text(limit: Report.limit - 1)
      #expect(text.utf8.count < Report.limit)
      #expect(!text.contains("\u{1B}"))
      #expect(text.hasSuffix("\n"))
    }
  }

  @Test("a list that is too long says how much of it is missing")
  func longLists() throws {
    var report = Report(options: try options(), outcome: Outcome(.serving, service: ""))
    report.services = (0..<1_000).map { (name: "s\($0)", outcome: Outcome(.serving, service: "s")) }
    let text = report.text(limit: 4095)
    #expect(text.contains("service \"s0\": SERVING\n"))
    let left = try #require(text.firstMatch(of: /… and (\d+) more services\n/))
    let shown = text.split(separator: "\n").filter { $0.hasPrefix("service ") }.count
    #expect(Int(left.output.1) == 1_000 - shown)
    #expect(text.hasSuffix("status: SERVING\n"))
  }

  @Test("Docker's set of exit codes is 0 and 1")
  func dockerCodes() throws {
    let healthy = Outcome(.serving, service: "")
    let unhealthy = Outcome(.notServing, service: "")
    #expect(Report(options: try options("-exit-codes=docker"), outcome: unhealthy).exitCode == 1)
    #expect(Report(options: try options("-exit-codes=docker"), outcome: healthy).exitCode == 0)
    #expect(Report(options: try options(), outcome: unhealthy).exitCode == 4)
  }

  @Test("the object of a healthy service has these members and no others")
  func schema() throws {
    var report = Report(options: try options("-service=a.B"), outcome: Outcome(.serving, service: "a.B"))
    report.timings.connect = 1_234_567
    report.totalTime = 2_000_000
    #expect(
      report.json(limit: 2000)
        == #"{"status":"SERVING","ok":true,"exitCode":0,"address":"localhost:1","service":"a.B","#
        + #""timings":{"connect":1.234,"total":2}}"#)
  }
}

extension String {
  fileprivate var safeForDisplayText: String { Fault(.callFailed, self).subject }
}

@Suite struct OptionsTests {
  func line(_ arguments: String...) -> String? {
    do {
      _ = try ProbeOptions(try probeFlags.parse(arguments))
      return nil
    } catch let error as UsageError { return error.line } catch { return "\(error)" }
  }

  @Test("mistakes are found in the order that scripts know")
  func order() {
    #expect(line("-connect-timeout=0s") == "error: -addr not specified")
    #expect(
      line("-addr=a", "-connect-timeout=0", "-rpc-timeout=0")
        == "error: -connect-timeout must be greater than zero (specified: 0s)")
    #expect(line("-addr=a", "-alts", "-spiffe", "-tls") == "error: -alts and -spiffe are mutually incompatible")
    #expect(line("-addr=a", "-tls", "-alts") == "error: cannot specify -tls with -alts")
    #expect(
      line("-addr=a", "-tls-no-verify", "-tls-ca-cert=x") == "error: specified -tls-no-verify without specifying -tls")
    #expect(line("-addr=a", "-alts")?.hasPrefix("error: -alts is not supported") == true)
    #expect(line("-addr=a", "-tls", "-spiffe") == nil)
  }

  @Test("flags that ask for different things are refused by name; one that is off asks for nothing")
  func conflicts() {
    #expect(line("-addr=a", "-watch", "-wait=1s") == "error: cannot specify -watch with -wait")
    #expect(line("-addr=a", "-services=x", "-service=y") == "error: cannot specify -services with -service")
    #expect(line("-addr=a", "-connect-only", "-all") == "error: cannot specify -connect-only with -all")
    #expect(line("-addr=a", "-watch=false", "-wait=1s") == nil)
    #expect(line("-addr=a", "-services=x", "-service=") == nil)
  }

  @Test("services are split at commas, trimmed, and asked for once")
  func services() throws {
    #expect(try options("-services=a, b,a,").subject == .services(["a", "b", ""]))
    #expect(try options("-all").subject == .all)
    #expect(try options().subject == .service(""))
    #expect(try options("-connect-only").subject == .connection)
  }

  @Test("a header is split at its first colon, its name in small letters, its value trimmed on the left")
  func headers() {
    #expect(splitHeader("A-b:  c : d ").map { [$0.name, $0.value] } == ["a-b", "c : d "])
    #expect(splitHeader(":authority: x").map { [$0.name, $0.value] } == ["", "authority: x"])
    #expect(splitHeader("none") == nil)
  }

  @Test("a name for the probe of nothing leaves no space before the toolkit's")
  func userAgent() throws {
    #expect(try options().fullUserAgent == "grpc_health_probe sonde/\(sondeVersion)")
    #expect(try options("-user-agent=").fullUserAgent == "sonde/\(sondeVersion)")
  }
}
