// SPDX-License-Identifier: Apache-2.0

import Bytes
import DNS
import TestSupport
import Testing

private func nameFailure(_ text: String) -> DNSNameError? {
  do throws(DNSNameError) {
    _ = try DNSName(text)
    return nil
  } catch { return error }
}

@Suite struct DNSNameTests {
  @Test(
    "a name is written as it was read, but for a point at its end and needless escapes",
    arguments: [
      ("example.org", "example.org"), ("example.org.", "example.org"), (".", "."), ("a", "a"),
      ("_grpc._tcp.Svc", "_grpc._tcp.Svc"),
      (#"a\.b.c"#, #"a\.b.c"#), (#"a\\b"#, #"a\\b"#), (#"\097\b"#, "ab"), (#"\000\255 x"#, #"\000\255\032x"#),
      (#"a\."#, #"a\."#),
      ("é", #"\195\169"#), (#"\046"#, #"\."#),
    ])
  func text(text: String, expected: String) throws {
    let name = try DNSName(text)
    #expect(name.text == expected)
    #expect(try DNSName(expected).wire == name.wire)
  }

  @Test(
    "what is no name is refused, with the reason",
    arguments: [
      ("", .emptyLabel), ("..", .emptyLabel), (".a", .emptyLabel), ("a..b", .emptyLabel), ("a..", .emptyLabel),
      ("a\\", .badEscape), (#"\1"#, .badEscape), (#"\12"#, .badEscape), (#"\12x"#, .badEscape), (#"\256"#, .badEscape),
      (String(repeating: "a", count: 64), .labelTooLong), (String(repeating: "a.", count: 128), .nameTooLong),
      (String(repeating: String(repeating: "a", count: 63) + ".", count: 4), .nameTooLong),
    ] as [(String, DNSNameError)])
  func refusals(text: String, error: DNSNameError) { #expect(nameFailure(text) == error) }

  @Test("a text of any length is refused")
  func longText() { #expect(nameFailure(String(repeating: "a.", count: 100_000)) == .nameTooLong) }

  @Test("the longest label has 63 bytes, the longest name 255")
  func limits() throws {
    let label = String(repeating: "a", count: 63)
    #expect(try DNSName(label).labels.map(\.count) == [63])
    let longest = [label, label, label, String(repeating: "b", count: 61)].joined(separator: ".")
    #expect(try DNSName(longest).wire.count == 255)
    #expect(nameFailure(longest + "b") == .nameTooLong)
    #expect(nameFailure("a." + longest) == .nameTooLong)
  }

  @Test("names are equal in any case of ASCII, and in no other way")
  func equality() throws {
    let name = try DNSName("WWW.Example.org")
    #expect(try name == DNSName("www.eXAMPLE.ORG"))
    #expect(try Set([name]).contains(DNSName("www.example.org")))
    #expect(try name != DNSName("www.example.com"))
    #expect(try DNSName("a.b") != DNSName(#"a\.b"#))
    #expect(try DNSName("[") != DNSName("{"))
    #expect(try DNSName("É") != DNSName("é"))
  }

  @Test("random labels read back from their text")
  func roundTrip() throws {
    var random = SeededGenerator(4)
    for _ in 0..<5_000 {
      let labels = (0..<Int.random(in: 0...4, using: &random)).map { _ in
        (0..<Int.random(in: 1...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      }
      let name = try DNSName(labels: labels)
      #expect(name.labels.map { Array($0) } == labels)
      #expect(try DNSName(name.text).wire == name.wire)
      #expect(name.text.utf8.allSatisfy { (0x21...0x7E).contains($0) })
    }
  }

  @Test("a name takes another behind it where there is room")
  func appending() throws {
    #expect(try DNSName("db").appending(DNSName("svc.example")).text == "db.svc.example")
    #expect(try DNSName("db").appending(.root).text == "db")
    let long = try DNSName(String(repeating: "a.", count: 127))
    #expect(throws: DNSNameError.nameTooLong) { try DNSName("b").appending(long) }
  }
}

@Suite struct ReverseNameTests {
  @Test(
    "an address has a name",
    arguments: [
      ("192.0.2.1", "1.2.0.192.in-addr.arpa"),
      ("2001:db8::567:89ab", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
    ])
  func names(address: String, name: String) throws {
    let parsed = try #require(IPAddress(address))
    #expect(DNSName(reverseOf: parsed).text == name)
    #expect(try DNSName(name.uppercased()).reverseAddress == parsed)
  }

  @Test(
    "other names stand for no address",
    arguments: [
      "2.0.192.in-addr.arpa", "1.2.0.256.in-addr.arpa", "01.2.0.192.in-addr.arpa", "1.2.0.192.in-addr.example",
      "1.2.0.192.ip6.arpa", "x.2.0.192.in-addr.arpa", "1.2.0.192.in-addr.arpa.org", "arpa", ".",
      String(repeating: "0.", count: 31) + "ip6.arpa", String(repeating: "0.", count: 31) + "g.ip6.arpa",
      String(repeating: "0.", count: 31) + "00.ip6.arpa", String(repeating: "0.", count: 32) + "in-addr.arpa",
    ])
  func others(name: String) throws { #expect(try DNSName(name).reverseAddress == nil) }

  @Test("random addresses come back from their names")
  func roundTrip() throws {
    var random = SeededGenerator(5)
    for _ in 0..<2_000 {
      let count = Bool.random(using: &random) ? 4 : 16
      let address = try #require(IPAddress((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }))
      #expect(DNSName(reverseOf: address).reverseAddress == address)
    }
  }
}
