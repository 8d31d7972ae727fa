// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@testable import Netlink

@Suite struct SocketFilterTests {
  private static func read(_ text: String) throws(SocketFilterError) -> SocketFilter {
    try SocketFilter([text], interface: { ["lo": 1, "eth0": 2][$0] })
  }

  private static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

  private static func host(_ text: String, _ length: Int, port: UInt16? = nil) throws -> HostPattern {
    HostPattern(address: try address(text), length: length, port: port)
  }

  @Test("each test is read in each of its forms")
  func forms() throws {
    let equal = SocketCondition.port(.source, .equal, 443)
    for text in ["sport = :443", "sport=443", "sport eq 443", "sport == :443", "sport :443", "(sport = :443)"] {
      #expect(try Self.read(text).condition == equal, "\(text)")
    }
    let comparisons: [(String, SocketCondition)] = [
      ("dport != 1", .not(.port(.destination, .equal, 1))), ("dport ne 1", .not(.port(.destination, .equal, 1))),
      ("dport >= 1", .port(.destination, .atLeast, 1)), ("dport ge 1", .port(.destination, .atLeast, 1)),
      ("dport <= 1", .port(.destination, .atMost, 1)), ("dport le 1", .port(.destination, .atMost, 1)),
      ("dport < 1", .not(.port(.destination, .atLeast, 1))), ("dport lt 1", .not(.port(.destination, .atLeast, 1))),
      ("dport > 1", .not(.port(.destination, .atMost, 1))), ("dport gt 1", .not(.port(.destination, .atMost, 1))),
      ("dev lo", .interface(1)), ("dev = eth0", .interface(2)), ("dev != lo", .not(.interface(1))),
    ]
    for (text, condition) in comparisons { #expect(try Self.read(text).condition == condition, "\(text)") }
    let hosts: [(String, HostPattern)] = [
      ("10.0.0.1", try Self.host("10.0.0.1", 32)), ("10.0.0.0/8", try Self.host("10.0.0.0", 8)),
      // A prefix needs no more numbers than it covers.
      ("127/8", try Self.host("127.0.0.0", 8)), ("172.16/12:80", try Self.host("172.16.0.0", 12, port: 80)),
      ("1.2.3/24", try Self.host("1.2.3.0", 24)), ("0/0", try Self.host("0.0.0.0", 0)),
      ("10.0.0.1:80", try Self.host("10.0.0.1", 32, port: 80)),
      ("10.0.0.0/8:80", try Self.host("10.0.0.0", 8, port: 80)),
      ("::1", try Self.host("::1", 128)), ("[::1]:80", try Self.host("::1", 128, port: 80)),
      ("fe80::/10", try Self.host("fe80::", 10)), ("[fe80::/10]", try Self.host("fe80::", 10)),
      ("[fe80::]/10:80", try Self.host("fe80::", 10, port: 80)), ("[::]/0", try Self.host("::", 0)),
      ("*", HostPattern(address: nil, length: 0, port: nil)), (":80", HostPattern(address: nil, length: 0, port: 80)),
      ("*:80", HostPattern(address: nil, length: 0, port: 80)), ("10.0.0.1:*", try Self.host("10.0.0.1", 32)),
    ]
    for (text, pattern) in hosts {
      #expect(try Self.read("src \(text)").condition == .host(.source, pattern), "\(text)")
      #expect(try Self.read("dst = \(text)").condition == .host(.destination, pattern), "\(text)")
    }
  }

  @Test("and binds closer than or, not closest of all, and tests side by side are joined by and")
  func precedence() throws {
    func port(_ number: UInt16) -> SocketCondition { .port(.source, .equal, number) }
    let expected = SocketCondition.any([.all([port(1), .not(port(2))]), .all([port(3), port(4)])])
    #expect(try Self.read("sport 1 and not sport 2 or sport 3 sport 4").condition == expected)
    #expect(try Self.read("sport=1&!sport=2|sport=3&&sport=4").condition == expected)
    #expect(
      try Self.read("sport 1 and (sport 2 or sport 3)").condition == .all([port(1), .any([port(2), port(3)])]))
    // Cut into words anywhere.
    let words = ["(", "sport", "=", ":1", ")", "or(sport", "2)"]
    #expect(try SocketFilter(words, interface: { _ in nil }).condition == .any([port(1), port(2)]))
  }

  @Test("states are added or taken away, one after another")
  func states() throws {
    #expect(try Self.read("sport 1").states == nil)
    #expect(try Self.read("state listening").states == .listen)
    #expect(try Self.read("state LISTENING state time-wait").states == [.listen, .timeWait])
    #expect(try Self.read("exclude listening").states == SocketStates.all.subtracting(.listen))
    #expect(try Self.read("state connected exclude established").states?.contains(.established) == false)
    #expect(try Self.read("state all").states?.rawValue == 0x3FFE)
    #expect(try Self.read("state connected").states?.rawValue == 0x1B7E)
    #expect(try Self.read("state synchronized").states?.rawValue == 0x1B7A)
    #expect(SocketStates.connections.rawValue == 0x0B36)
    #expect(try Self.read("state established sport 1").condition == .port(.source, .equal, 1))
    // Listening sockets alone: with CLOSE too, the kernel would walk through every connection.
    #expect(try Self.read("state listening").states?.rawValue == 0x400)
  }

  @Test(
    "what is no filter is refused by one line that says why",
    arguments: [
      ("state", "stands a state"), ("state foo", "\"foo\" is no state"), ("sport", "a port is missing"),
      ("sport = :http", "\":http\" is no port"), ("sport = 65536", "is no port"), ("dport < = 1", "a port is missing"),
      ("src", "an address is missing"), ("src localhost", "is no address"), ("src < 1.2.3.4", "by = or != alone"),
      ("src 1.2.3.4/33", "no length of a prefix from 0 to 32"),
      ("src 127", "is no address"), ("src 127./8", "is no address"), ("src /8", "is no address"),
      ("src 300/8", "is no address"), ("src 1.2.3.4.5/8", "is no address"), ("src 127/33", "no length of a prefix"),
      ("src [::1", "a [ without its ]"),
      ("src 1.2.3.4:x", "is no port"), ("src [1.2.3.4]80", "more than a prefix and a port"), ("src :", "is no port"),
      ("dev nosuch", "there is no interface \"nosuch\""), ("dev < lo", "by = or != alone"),
      ("(sport 1", "without its )"),
      ("sport 1)", "a ) without its ("), ("sport 1 and", "ends where a test is missing"), ("not", "ends where"),
      ("()", "a sign where a test is missing"), ("or sport 1", "a sign where"), ("foo", "\"foo\" is no test"),
      ("sport 1 state listening", "states stand before"), ("\u{1B}[31m", "\"\\x1b[31m\" is no test"),
    ])
  func errors(text: String, why: String) {
    do throws(SocketFilterError) {
      _ = try Self.read(text)
      Issue.record("\(text) was taken")
    } catch {
      #expect(error.line.contains(why), "\(error.line)")
      #expect(!error.line.contains("\n") && !error.line.contains("\u{1B}"))
    }
  }

  @Test("length, tests and nesting are bounded, and what is within the bounds is taken by the kernel")
  func bounds() throws {
    func line(_ text: String) -> String? {
      do throws(SocketFilterError) {
        _ = try Self.read(text)
        return nil
      } catch { return error.line }
    }
    // The longest test and its opposite, which takes another instruction.
    let tests = Array(repeating: "!src [1111:2222:3333:4444:5555:6666:7777:8888]:65535", count: SocketFilter.maxTests)
    let widest = tests.joined(separator: "|")
    let program = try #require(try Self.read(widest).condition).bytecode
    #expect(program.count < 10_000)
    #expect(KernelFilter(program) != nil)
    #expect(line(widest + "|sport 1") == "the filter has more than 256 tests")
    let deep = String(repeating: "(", count: SocketFilter.maxDepth - 1)
    #expect(line(deep + "sport 1" + deep.map { _ in ")" }.joined()) == nil)
    let deeper = "(" + deep + "sport 1" + deep.map { _ in ")" }.joined() + ")"
    #expect(line(deeper) == "the filter is nested deeper than 64 levels")
    #expect(line(String(repeating: "!", count: 20_000)) == "the filter is longer than 16384 bytes")
    #expect(line(String(repeating: "!", count: 16_000))?.contains("nested deeper") == true)
  }

  // MARK: - Programs

  private static let addresses = [
    "0.0.0.0", "127.0.0.1", "10.0.0.1", "10.1.0.1", "::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "fe80::1",
  ].compactMap { IPAddress($0) }

  private static func socket(using generator: inout SeededGenerator) throws -> SocketRecord {
    let isIPv6 = Bool.random(using: &generator)
    let own = addresses.filter { $0.isIPv6 == isIPv6 }
    var bytes: [UInt8] = [isIPv6 ? 10 : 2, UInt8.random(in: 1...11, using: &generator), 0, 0]
    for _ in 0..<2 { bytes += [0, UInt8.random(in: 0...5, using: &generator)] }
    for _ in 0..<2 {
      let address = own[Int.random(in: own.indices, using: &generator)].bytes
      bytes += address + [UInt8](repeating: 0, count: 16 - address.count)
    }
    bytes.append(native: UInt32.random(in: 0...2, using: &generator))
    bytes += [UInt8](repeating: 1, count: SocketRecord.size - bytes.count)
    let record = SocketRecord(bytes.span)
    return try #require(record)
  }

  private static func condition(depth: Int, using generator: inout SeededGenerator) -> SocketCondition {
    let end: SocketEnd = Bool.random(using: &generator) ? .source : .destination
    switch Int.random(in: 0..<(depth > 0 ? 7 : 4), using: &generator) {
    case 0, 1:
      let comparisons = [PortComparison.equal, .atLeast, .atMost]
      let ports: [UInt16] = [0, 1, 2, 3, 4, 5, 0xFFFF]
      return .port(
        end, comparisons[Int.random(in: comparisons.indices, using: &generator)],
        ports[Int.random(in: ports.indices, using: &generator)])
    case 2:
      let isAny = Int.random(in: 0...5, using: &generator) == 0
      let pattern = isAny ? nil : addresses[Int.random(in: addresses.indices, using: &generator)]
      let length = Int.random(in: 0...(pattern?.bitWidth ?? 0), using: &generator)
      let port: UInt16? = Bool.random(using: &generator) ? nil : UInt16.random(in: 0...5, using: &generator)
      return .host(end, HostPattern(address: pattern, length: length, port: port))
    case 3: return .interface(UInt32.random(in: 0...2, using: &generator))
    case 4: return .not(condition(depth: depth - 1, using: &generator))
    case let kind:
      let conditions = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
        condition(depth: depth - 1, using: &generator)
      }
      return kind == 5 ? .all(conditions) : .any(conditions)
    }
  }

  @Test("a program is taken by the kernel, and says of every socket what the condition says")
  func programs() throws {
    var generator = SeededGenerator(31)
    let sockets = try (0..<60).map { _ in try Self.socket(using: &generator) }
    var outcomes: [Bool: Int] = [:]
    for _ in 0..<3_000 {
      let condition = Self.condition(depth: 4, using: &generator)
      let kernel = try #require(KernelFilter(condition.bytecode), "\(condition)")
      for socket in sockets {
        let isWanted = condition.matches(socket)
        outcomes[isWanted, default: 0] += 1
        #expect(kernel.accepts(socket) == isWanted, "\(condition) of \(socket)")
        if isWanted { #expect(condition.canMatch(isIPv6: socket.localAddress.isIPv6), "\(condition)") }
      }
    }
    // Both answers are given often, or this has shown nothing.
    #expect(outcomes.values.allSatisfy { $0 > 10_000 })
  }

  @Test("IPv4 sockets are not asked about where only IPv6 can match; IPv6 ones always, as they may have IPv4 peers")
  func families() throws {
    let cases: [(String, Bool, Bool)] = [
      ("src ::1", false, true), ("src 10.0.0.1", true, true), ("not src ::1", true, true), ("sport 1", true, true),
      ("src ::1 or sport 1", true, true), ("src ::1 and sport 1", false, true),
      ("not (src ::1 and sport 1)", true, true),
      ("src * or dst ::1", true, true), ("src 10.0.0.1 and dst ::1", false, true),
    ]
    for (text, isIPv4, isIPv6) in cases {
      let condition = try #require(try Self.read(text).condition)
      #expect((condition.canMatch(isIPv6: false), condition.canMatch(isIPv6: true)) == (isIPv4, isIPv6), "\(text)")
    }
  }

  @Test("a question carries its program as an attribute")
  func question() throws {
    let query = SocketQuery(
      .udp, isIPv6: false, states: .closed, extensions: .memory, condition: .port(.source, .equal, 0x1234))
    let payload = query.payload
    #expect(Array(payload[..<4]) == [2, 17, 0x40, 0])
    var attribute: [UInt8] = []
    attribute.append(native: UInt16(4 + 8))
    attribute.append(native: UInt16(1))
    attribute += [11, 8]  // the own port is equal; the next instruction, which is the end
    attribute.append(native: UInt16(8 + 4))  // beyond the end
    attribute += [0, 0]
    attribute.append(native: UInt16(0x1234))
    #expect(Array(payload[56...]) == attribute)
  }

  @Test("no text breaks the reading, and no filter that is read breaks the kernel")
  func garbage() {
    var generator = SeededGenerator(32)
    let words = [
      "sport", "dport", "src", "dst", "dev", "lo", "and", "or", "not", "(", ")", "!", "=", "!=", "<", ">=", ":1", "80",
      "10.0.0.1", "::1", "[::1]:80", "*", "state", "exclude", "all", "listening", "10.0.0.0/8", "&&", "||", "\u{0}",
      "é",
    ]
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
        words[Int.random(in: words.indices, using: &generator)]
      }
      let filter = try? SocketFilter(text, interface: { $0 == "lo" ? 1 : nil })
      guard let condition = filter?.condition else { continue }
      #expect(KernelFilter(condition.bytecode) != nil, "\(text)")
    }
  }
}
