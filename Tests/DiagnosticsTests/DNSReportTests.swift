// SPDX-License-Identifier: Apache-2.0

import Bytes
import DNS
import JSON
import Sys
import Testing

@testable import Diagnostics

@Suite struct DNSReportTests {
  private typealias Server = DNSReport.Server

  private func reply(
    _ name: String, _ records: [DNSRecord] = [], code: DNSResponseCode = .noError
  ) throws -> DNSReply {
    var message = DNSMessage()
    message.code = code
    message.answers = records
    return DNSReply(DNSQuestion(name: try DNSName(name), type: .a), .answer(message), time: 1_000_000)
  }

  private func failed(_ name: String, _ outcome: DNSOutcome, isOverTCP: Bool = false) throws -> DNSReply {
    DNSReply(DNSQuestion(name: try DNSName(name), type: .a), outcome, time: 2_000_000_000, isOverTCP: isOverTCP)
  }

  private func record(_ name: String, _ address: String) throws -> DNSRecord {
    let address = try #require(IPAddress(address))
    return DNSRecord(name: try DNSName(name), timeToLive: 60, data: .address(address))
  }

  private func server(_ address: String, _ replies: DNSReply..., pointers: [DNSReport.Pointer] = []) throws -> Server {
    Server(
      address: try #require(SocketAddress(literal: address, port: 53)),
      steps: replies.map { DNSReport.Step(name: $0.question.name, replies: [$0]) }, pointers: pointers)
  }

  private func report(_ servers: Server..., hosts: String = "", hostsDecide: Bool = true) -> DNSReport {
    DNSReport(
      name: "a", types: [.a], hosts: HostsFile(Array(hosts.utf8)).entries(named: "a"), hostsDecide: hostsDecide,
      servers: servers, remarks: [])
  }

  @Test("each outcome has its code")
  func codes() throws {
    #expect(try reply("a", [record("a", "10.0.0.1")]).code == "OK")
    #expect(try reply("a").code == "DNS_NO_ADDRESS")
    #expect(try reply("a", code: .nameError).code == "DNS_NXDOMAIN")
    #expect(try reply("a", code: .serverFailure).code == "DNS_SERVFAIL")
    #expect(try reply("a", code: .refused).code == "DNS_REFUSED")
    #expect(try reply("a", code: .notImplemented).code == "DNS_SERVFAIL")
    #expect(try failed("a", .silence).code == "DNS_TIMEOUT")
    for outcome in [DNSOutcome.closed, .network(.noRoute), .ended] {
      #expect(try failed("a", outcome).code == "DNS_UNREACHABLE")
    }
    #expect(try failed("a", .noRandomness).code == "SYSTEM_FAILURE")
    #expect(
      try failed("a", .ended, isOverTCP: true).meaning
        == "the answer is too long for UDP, and over TCP: the server ended the connection without an answer")
  }

  @Test("only records that the question leads to are believed, and a circle of aliases ends")
  func chains() throws {
    func alias(_ name: String, _ target: String) throws -> DNSRecord {
      DNSRecord(name: try DNSName(name), timeToLive: 60, data: .alias(try DNSName(target)))
    }
    let led = try reply(
      "A", [record("other", "6.6.6.6"), record("c", "10.0.0.1"), alias("b", "C"), alias("a", "b")])
    #expect(led.records.map { $0.data.text } == ["b", "C", "10.0.0.1"])
    #expect(led.data.count == 1 && led.addresses.map { $0.text } == ["10.0.0.1"])
    #expect(try reply("a", [alias("a", "b"), alias("b", "a")]).code == "DNS_NO_ADDRESS")
    let long = try (0..<1_000).map { try alias("n\($0)", "n\($0 + 1)") }
    #expect(try reply("n0", long).records.count < 40)
  }

  @Test("the first server that settles it decides, and one that fails beside it is a warning")
  func verdicts() throws {
    let well = try server("10.0.0.1", reply("a", [record("a", "10.1.0.1")]))
    let none = try server("10.0.0.2", reply("a", code: .nameError))
    let silent = try server("10.0.0.3", failed("a", .silence))
    let closed = try server("10.0.0.4", failed("a", .closed))
    #expect(report(well).worst == .ok && report(well).code == "OK" && report(well).error == nil)
    #expect(report(silent, well).worst == .warning && report(silent, well).code == "OK")
    #expect(report(closed, silent).worst == .failure && report(closed, silent).code == "DNS_TIMEOUT")
    #expect(report(closed).code == "DNS_UNREACHABLE")
    #expect(report(silent, none).code == "DNS_NXDOMAIN")
    #expect(report(none, well).code == "DNS_NXDOMAIN" && report(none, well).worst == .failure)
    #expect(report(well, none).code == "DNS_DISAGREE" && report(well, none).worst == .warning)
    #expect(report(try server("10.0.0.5", failed("a", .noRandomness))).worst == .unknown)
  }

  @Test("the hosts file decides unless servers are named")
  func hostsFile() throws {
    let none = try server("10.0.0.2", reply("a", code: .nameError))
    let well = try server("10.0.0.1", reply("a", [record("a", "10.1.0.1"), record("a", "10.1.0.2")]))
    let found = report(none, hosts: "10.9.0.1 a\n")
    #expect(found.code == "OK" && found.worst == .note)
    #expect(report(none, hosts: "10.9.0.1 a\n", hostsDecide: false).code == "DNS_NXDOMAIN")
    #expect(report(well, hosts: "10.9.0.1 a\n").code == "DNS_DISAGREE")
    // A part of what DNS has is no contradiction.
    #expect(report(well, hosts: "10.1.0.2 a\n").code == "OK")
  }

  @Test("the order of records does not count, and their number does")
  func differences() throws {
    let (one, two) = try (record("a", "10.1.0.1"), record("a", "10.1.0.2"))
    let first = try server("10.0.0.1", reply("a", [one, two]))
    #expect(report(first, try server("10.0.0.2", reply("a", [two, one]))).warnings == [])
    #expect(report(first, try server("10.0.0.2", reply("a", [two]))).code == "DNS_DISAGREE")
    let twice = report(try server("10.0.0.1", reply("a", [one, one])))
    #expect(twice.warnings == ["10.0.0.1 gives the same record more than once: A 10.1.0.1"] && twice.code == "OK")
  }

  @Test("the step with records counts, else the one that says most")
  func searchList() throws {
    let missing = try reply("a.x", code: .nameError)
    let found = try server("10.0.0.1", missing, reply("a.y", [record("a.y", "10.1.0.1")]))
    #expect(found.code == "OK" && found.step?.name.text == "a.y")
    #expect(try server("10.0.0.1", reply("a.x"), reply("a", code: .nameError)).code == "DNS_NO_ADDRESS")
    #expect(try server("10.0.0.1", missing, failed("a.y", .silence)).code == "DNS_TIMEOUT")
    var output = TextOutput(hasColour: false)
    report(found).write(to: &output)
    #expect(
      output.text == """
        ok    10.0.0.1  a.y: 1 record; in 1ms
              searched, too: a.x: there is no such name (NXDOMAIN)
              A     10.1.0.1  TTL 60

        """)
  }

  @Test("only what can be a container's name is taken for one")
  func containers() throws {
    func container(
      _ name: String, _ address: String = "172.20.0.2", at server: String = "127.0.0.11"
    ) throws -> String? {
      let pointer = DNSReport.Pointer(address: try #require(IPAddress(address)), name: try DNSName(name))
      return try self.server(server).container(pointer).map { $0.name + " on " + $0.network }
    }
    #expect(try container("web-1.shop_net") == "web-1 on shop_net")
    #expect(try container("w\\027.net") == "w\\027 on net")
    #expect(try container("web.shop.net") == nil && container("web") == nil)
    #expect(try container("dns.google", "8.8.8.8") == nil)
    #expect(try container("router.lan", at: "192.168.1.1") == nil)
  }

  @Test("records are written as zone files have them, safe to print")
  func presentation() throws {
    let name = try DNSName("a\\027.b")
    #expect(DNSRecordData.alias(name).text == "a\\027.b")
    #expect(DNSRecordData.service(priority: 1, weight: 2, port: 3, target: name).text == "1 2 3 a\\027.b")
    #expect(DNSRecordData.text([[0x1B, 0x22], []]).text == "\"\\x1b\\\"\" \"\"")
    #expect(DNSRecordData.other(.init(rawValue: 65), [0, 0x1F]).text == "\\# 2 001f")
  }
}
