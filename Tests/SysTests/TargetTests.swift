// SPDX-License-Identifier: Apache-2.0

import Sys
import Testing

@Suite struct TargetTests {
  @Test(
    "host and port are read, and the authority is what was written",
    arguments: [
      ("example.com:50051", "example.com", 50051, "example.com:50051"),
      ("10.1.2.3:80", "10.1.2.3", 80, "10.1.2.3:80"),
      ("[::1]:7001", "::1", 7001, "[::1]:7001"),
      ("[fe80::1%lo]:7001", "fe80::1%lo", 7001, "[fe80::1%25lo]:7001"),
      (":7001", "localhost", 7001, "localhost:7001"),
      ("dns:///localhost:7001", "localhost", 7001, "localhost:7001"),
      ("dns:localhost:7001", "localhost", 7001, "localhost:7001"),
      ("dns:///example.com", "example.com", 443, "example.com"),
      ("dns:///[::1]", "::1", 443, "[::1]"),
      ("passthrough:///localhost:7001", "localhost", 7001, "localhost:7001"),
      ("http:80", "http", 80, "http:80"),
      ("a_b.c-d:1", "a_b.c-d", 1, "a_b.c-d:1"),
    ] as [(String, String, UInt16, String)])
  func hosts(text: String, host: String, port: UInt16, authority: String) throws {
    let target = try Target(text)
    #expect(target.endpoint == .host(host, port: port))
    #expect(target.authority == authority)
    #expect(target.hostName == host)
  }

  @Test(
    "Unix sockets are paths or abstract names, and their authority is localhost",
    arguments: [
      ("unix:/run/a.sock", SocketAddress.unix(path: "/run/a.sock")), ("unix:a.sock", .unix(path: "a.sock")),
      ("unix:///run/a.sock", .unix(path: "/run/a.sock")), ("unix-abstract:name", .unixAbstract(name: "name")),
      ("unix:@name", .unixAbstract(name: "name")),
    ])
  func unixSockets(text: String, address: SocketAddress) throws {
    let target = try Target(text)
    #expect(target.endpoint == .unix(address))
    #expect(target.authority == "localhost")
    #expect(target.hostName == "localhost")
  }

  @Test(
    "what is no target is refused with what to write instead",
    arguments: [
      ("localhost", "missing port", "localhost:PORT"), ("1:2:3", "too many colons", "brackets"),
      ("::1:7001", "too many colons", "brackets"), ("[::1]", "missing port", "[::1]:PORT"),
      ("[::1", "missing ']'", "brackets"), ("[localhost]:1", "no IPv6 address", "brackets"),
      ("[::1]7", "unexpected text", "brackets"), ("", "empty", "HOST:PORT"),
      ("localhost:", "invalid port", "65535"), ("localhost:0", "invalid port", "65535"),
      ("localhost:65536", "invalid port", "65535"), ("localhost:grpc", "invalid port", "65535"),
      ("http://localhost:5000", "URL", "localhost:5000 without http://"),
      ("https://0.0.0.0:5000/x", "URL", "0.0.0.0:5000 without https:// and add -tls"),
      ("HTTPS://host", "URL", "host:PORT"), ("xds:///foo", "unknown scheme \"xds\"", "dns"),
      ("ipv4:1.2.3.4:80", "unknown scheme \"ipv4\"", "1.2.3.4:80"), ("foo://bar:1", "unknown scheme \"foo\"", "dns"),
      ("unix://host/tmp/x", "invalid (non-empty) authority: host", "three slashes"), ("unix:", "no path", "unix:/path"),
      ("unix:@", "no name", "unix:@NAME"), ("unix-abstract:", "no name", "unix:@NAME"),
      ("unix:" + String(repeating: "x", count: 108), "longer than 107 bytes", "shorter"),
      ("dns://8.8.8.8/host:1", "no server of its own", "dns:///host:1"), ("a b:1", "invalid host name", "HOST:PORT"),
      ("a/b:1", "invalid host name", "HOST:PORT"), (String(repeating: "x", count: 300) + ":1", "255 bytes", "HOST"),
    ])
  func refusals(text: String, cause: String, hint: String) {
    do throws(TargetError) {
      _ = try Target(text)
      Issue.record("\(text) was taken for a target")
    } catch {
      #expect(error.cause.contains(cause))
      #expect(error.hint.contains(hint))
    }
  }

  @Test("mutated targets are read or refused, never a trap")
  func mutations() {
    var random = SystemRandomNumberGenerator()
    let seeds = [
      "[fe80::1%lo]:7001", "dns:///host:1", "unix:///a", "http://a:1", "unix:@n", ":1", "passthrough:///x:9",
    ]
    var taken = 0
    for _ in 0..<20_000 {
      var bytes = Array((seeds.randomElement(using: &random) ?? "").utf8)
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        let byte = Array(":/[]%@.\u{0}é ".utf8).randomElement(using: &random) ?? 0
        bytes.insert(byte, at: Int.random(in: 0...bytes.count, using: &random))
        if Bool.random(using: &random) { bytes.remove(at: Int.random(in: 0..<bytes.count, using: &random)) }
      }
      if (try? Target(String(decoding: bytes, as: UTF8.self))) != nil { taken += 1 }
    }
    #expect(taken > 1_000)
  }
}

@Suite struct SocketAddressTests {
  @Test("literals read and print in their canonical form")
  func literals() {
    #expect(SocketAddress(literal: "127.0.0.1", port: 80)?.text == "127.0.0.1:80")
    #expect(SocketAddress(literal: "0:0:0::1", port: 80)?.text == "[::1]:80")
    #expect(SocketAddress(literal: "fe80::1%lo", port: 80)?.text == "[fe80::1%lo]:80")
    #expect(SocketAddress(literal: "fe80::1%1", port: 80)?.text == "[fe80::1%lo]:80")
    for bad in ["", "localhost", "127.1", "1.2.3.4%lo", "::1%", "::1%nosuchinterface", "1.2.3.4\u{0}"] {
      #expect(SocketAddress(literal: bad, port: 80) == nil)
    }
  }

  @Test("loopback is 127/8, ::1, mapped 127/8 and Unix sockets, and nothing else")
  func loopback() {
    for text in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
      #expect(SocketAddress(literal: text, port: 1)?.isLoopback == true)
    }
    for text in ["128.0.0.1", "10.0.0.1", "::", "::2", "::ffff:10.0.0.1", "fe80::1"] {
      #expect(SocketAddress(literal: text, port: 1)?.isLoopback == false)
    }
    #expect(SocketAddress.unix(path: "/x").isLoopback)
  }
}
