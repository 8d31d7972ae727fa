// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import GRPCClient

@Suite struct TargetTests {
  private typealias Place = ClientTarget.Place

  @Test(
    "a target names its places, the authority and the host",
    arguments: [
      ("users:50051", [.host("users", port: 50_051)], "users:50051", "users"),
      ("users", [.host("users", port: 443)], "users", "users"),
      ("dns:///users:50051", [.host("users", port: 50_051)], "users:50051", "users"),
      ("dns:users", [.host("users", port: 443)], "users", "users"),
      ("[::1]:50051", [.host("::1", port: 50_051)], "[::1]:50051", "::1"),
      (
        "ipv4:127.0.0.1:1,127.0.0.2", [.host("127.0.0.1", port: 1), .host("127.0.0.2", port: 443)], "127.0.0.1:1",
        "127.0.0.1"
      ),
      ("ipv6:[::1]:7", [.host("::1", port: 7)], "[::1]:7", "::1"),
      ("unix:/run/a.sock", [.unix(path: "/run/a.sock")], "localhost", "localhost"),
      ("unix:///run/a.sock", [.unix(path: "/run/a.sock")], "localhost", "localhost"),
      ("static:a:1,b:2", [.host("a", port: 1), .host("b", port: 2)], "a:1", "a"),
    ] as [(String, [ClientTarget.Place], String, String)])
  func targets(text: String, places: [ClientTarget.Place], authority: String, host: String) throws {
    let target = try ClientTarget(text)
    #expect(target.places == places)
    #expect(target.authority == authority)
    #expect(target.hostName == host)
  }

  @Test(
    "what is no target is refused with a reason",
    arguments: [
      "", "a:b:c", "users:99999", "users:x", "http://users", "xds:///users", "ipv4:users:1", "ipv6:127.0.0.1x:1",
      "static:", "unix:", "unix:@name", "unix://host/path", "dns://1.1.1.1", "[::1", "a b:1",
    ])
  func refused(text: String) {
    let error = #expect(throws: ClientTargetError.self) { try ClientTarget(text) }
    #expect(error?.cause.isEmpty == false)
    #expect(error?.description.hasPrefix("the target \"") == true)
  }

  @Test("no text traps", arguments: 0..<300)
  func noise(seed: UInt64) {
    var generator = SeededGenerator(seed)
    let parts = [
      "dns:", "///", "unix:", "ipv4:", "ipv6:", "static:", ":", ",", "[", "]", "::1", "1.2.3.4", "80", "é", "a", "\0",
    ]
    let text = (0..<Int.random(in: 0..<9, using: &generator)).map { _ in
      parts.randomElement(using: &generator) ?? ""
    }.joined()
    if let target = try? ClientTarget(text) { #expect(!target.places.isEmpty) }
  }

  @Test("a literal and localhost are resolved without asking anybody, and each address once")
  func immediate() async throws {
    let resolver = SystemResolver(try ClientTarget("static:127.0.0.1:1,localhost:1,127.0.0.1:1"))
    #expect(try await resolver.resolve().map(\.logName) == ["127.0.0.1:1", "[::1]:1"])
    #expect(!resolver.isVariable)
    #expect(SystemResolver(try ClientTarget("users:1")).isVariable)
  }

  @Test("a name that nobody knows is an error that names it")
  func unknownName() async throws {
    let resolver = SystemResolver(try ClientTarget("no-such-host.invalid:1"))
    let error = await #expect(throws: ResolveFailure.self) { try await resolver.resolve() }
    #expect(error?.description.hasPrefix("cannot resolve \"no-such-host.invalid\": ") == true)
  }
}
