// SPDX-License-Identifier: Apache-2.0

import Bytes
import DNS
import JSON
import Netlink
import Sys
import TestSupport
import Testing

@testable import Diagnostics

@Suite struct NetTests {
  // MARK: - Messages of the kernel, as in the tests of the module Netlink

  private static func attribute(_ type: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [UInt8(payload.count + 4), 0, type, 0] + payload + [UInt8](repeating: 0, count: (4 - payload.count % 4) % 4)
  }

  private static func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * $0) & 0xFF) } }

  private func interface(
    _ index: UInt8, _ name: String, mtu: UInt32 = 1_500, isLoopback: Bool = false, state: UInt8 = 6,
    addresses: [(String, UInt8)] = []
  ) throws -> NetworkFacts.Interface {
    let bytes =
      [0, 0, 1, 0, index, 0, 0, 0, isLoopback ? 9 : 1, 0, 1, 0, 0, 0, 0, 0]
      + Self.attribute(3, Array(name.utf8) + [0]) + Self.attribute(4, Self.number(mtu)) + Self.attribute(16, [state])
    let link = LinkRecord(bytes.span)
    return NetworkFacts.Interface(
      link: try #require(link),
      addresses: try addresses.map { text, length in
        let ip = try #require(IPAddress(text))
        let bytes = [ip.isIPv6 ? 10 : 2, length, 0, 0, index, 0, 0, 0] + Self.attribute(1, ip.bytes)
        let record = AddressRecord(bytes.span)
        return try #require(record)
      })
  }

  private func route(
    _ destination: String, _ length: UInt8, on interface: UInt32? = nil, via gateway: String? = nil, kind: UInt8 = 1,
    table: UInt8 = 254
  ) throws -> RouteRecord {
    let ip = try #require(IPAddress(destination))
    var bytes: [UInt8] = [ip.isIPv6 ? 10 : 2, length, 0, 0, table, 3, 0, kind, 0, 0, 0, 0]
    if length > 0 { bytes += Self.attribute(1, ip.bytes) }
    if let interface { bytes += Self.attribute(4, Self.number(interface)) }
    if let gateway { bytes += Self.attribute(5, try #require(IPAddress(gateway)).bytes) }
    let record = RouteRecord(bytes.span)
    return try #require(record)
  }

  private func healthy() throws -> NetworkFacts {
    NetworkFacts(
      interfaces: [
        try interface(1, "lo", mtu: 65_536, isLoopback: true, state: 0, addresses: [("127.0.0.1", 8)]),
        try interface(2, "eth0", addresses: [("172.20.0.5", 16), ("fe80::5", 64)]),
      ],
      routes: [
        try route("172.20.0.0", 16, on: 2), try route("0.0.0.0", 0, on: 2, via: "172.20.0.1"),
      ])
  }

  private var host: HostFacts {
    var host = HostFacts()
    host.resolver = ResolverConfiguration(Array("nameserver 127.0.0.11\n".utf8))
    host.trustStore = "/etc/ssl/cert.pem"
    return host
  }

  private func codes(_ network: NetworkFacts, _ host: HostFacts? = nil) -> [String] {
    NetReport(network: network, host: host ?? self.host).warnings.map(\.code)
  }

  // MARK: - Warnings

  @Test("a place where nothing is missing has no warning")
  func fine() throws {
    let report = NetReport(network: try healthy(), host: host)
    #expect(report.warnings.isEmpty)
    #expect((report.worst, report.code) == (.ok, "OK"))
  }

  @Test("what is missing in the networks is told, the most fundamental first")
  func networkWarnings() throws {
    var network = try healthy()
    network.routes = []
    #expect(codes(network) == ["NO_DEFAULT_ROUTE"])
    // A default route that refuses leads nowhere, and one in another table is not for everybody.
    network.routes = [try route("0.0.0.0", 0, kind: 7), try route("0.0.0.0", 0, on: 2, via: "172.20.0.1", table: 100)]
    #expect(codes(network) == ["NO_DEFAULT_ROUTE"])
    network.interfaces.removeLast()
    #expect(codes(network) == ["NO_ADDRESS"])
    // An address that is valid on the link alone is none that a server is reached from.
    network.interfaces.append(try interface(2, "eth0", addresses: [("fe80::5", 64)]))
    #expect(codes(network) == ["NO_ADDRESS"])
  }

  @Test("an interface whose MTU is lower than that of others is named, one that does not work is not")
  func mtu() throws {
    var network = try healthy()
    network.interfaces.append(try interface(3, "eth1", mtu: 1_400, addresses: [("10.0.0.2", 24)]))
    let report = NetReport(network: network, host: host)
    #expect(report.warnings.map(\.code) == ["MTU_LOWER"])
    #expect(report.warnings[0].text.hasPrefix("the MTU of eth1 is 1400, that of others 1500"))
    network.interfaces[2] = try interface(3, "eth1", mtu: 1_400, state: 2, addresses: [("10.0.0.2", 24)])
    #expect(codes(network).isEmpty)
    // Loopback's is always larger.
    #expect(codes(try healthy()).isEmpty)
  }

  @Test("what is missing beside the networks is told")
  func hostWarnings() throws {
    var host = self.host
    host.resolver = nil
    host.trustStore = nil
    #expect(codes(try healthy(), host) == ["NO_NAMESERVER", "NO_CA_STORE"])
    host = self.host
    host.resolver = ResolverConfiguration(Array("search a\n".utf8))
    #expect(codes(try healthy(), host) == ["NO_NAMESERVER"])
  }

  @Test("descriptors are nearly used up where fewer than a tenth are left")
  func descriptors() throws {
    var host = self.host
    for (used, soft, isWarning) in [(89, 100, false), (90, 100, true), (500, .max, false)] as [(Int, UInt64, Bool)] {
      host.firstProcess = ("srv", Descriptors(used: used, soft: soft, hard: soft))
      #expect(codes(try healthy(), host) == (isWarning ? ["FD_LIMIT"] : []), "\(used) of \(soft)")
    }
    host.firstProcess = nil
    host.descriptors = Descriptors(used: 20, soft: 20, hard: 20)
    #expect(codes(try healthy(), host) == ["FD_LIMIT"])
  }

  @Test("networks that the kernel does not tell are unknown, and no warning is made of that")
  func undetermined() throws {
    let report = NetReport(network: NetworkFacts(failure: "operation not permitted"), host: host)
    #expect(report.warnings.isEmpty)
    #expect((report.worst, report.code) == (.unknown, "UNDETERMINED"))
  }

  // MARK: - The same network

  private func judge(
    _ address: String, _ route: Result<RouteRecord, NetlinkError>, in network: NetworkFacts? = nil
  ) throws -> SameNetwork.Address {
    SameNetwork.judge(try #require(IPAddress(address)), route: route, in: try network ?? healthy())
  }

  @Test("an address is on the same network where no gateway is on the way")
  func sameNetwork() throws {
    let near = try judge("172.20.0.7", .success(try route("172.20.0.7", 32, on: 2)))
    #expect((near.answer, near.reason) == (.yes, "is on the network 172.20.0.0/16 of eth0"))
    let far = try judge("8.8.8.8", .success(try route("8.8.8.8", 32, on: 2, via: "172.20.0.1")))
    #expect((far.answer, far.reason) == (.no, "is behind the gateway 172.20.0.1 on eth0"))
    let own = try judge("172.20.0.5", .success(try route("172.20.0.5", 32, on: 1, kind: 2)))
    #expect((own.answer, own.reason) == (.yes, "is this machine's own"))
    let group = try judge("224.0.0.1", .success(try route("224.0.0.1", 32, on: 2, kind: 5)))
    #expect(group.answer == .undetermined)
  }

  @Test("a default route without a gateway tells nothing about the network")
  func tunnel() throws {
    var network = try healthy()
    network.routes = [try route("0.0.0.0", 0, on: 2)]
    #expect(try judge("8.8.8.8", .success(try route("8.8.8.8", 32, on: 2)), in: network).answer == .undetermined)
  }

  @Test("a refusal is an answer, in each way that the kernel has for it")
  func refusals() throws {
    for number in [Errno.networkUnreachable, Errno.hostUnreachable, Errno.permissionDenied, Errno.invalidArgument] {
      #expect(try judge("10.9.9.9", .failure(NetlinkError("request", errno: number))).answer == .no)
    }
    for kind in [6, 7, 8] as [UInt8] {
      #expect(try judge("10.9.9.9", .success(try route("10.9.9.9", 32, kind: kind))).answer == .no)
    }
    // What the kernel has to say of the question is no answer.
    let odd = try judge("10.9.9.9", .failure(NetlinkError("request", errno: Errno.invalidArgument, message: "Odd")))
    #expect(odd.answer == .undetermined && odd.reason.contains("Odd"))
  }

  @Test("one address on the network is enough, and one that is not known leaves the whole open")
  func severalAddresses() throws {
    func answer(_ answers: [SameNetwork.Answer]) throws -> SameNetwork.Answer {
      let address = try #require(IPAddress("10.0.0.1"))
      return SameNetwork(
        host: "h", addresses: answers.map { .init(address: address, answer: $0, reason: "is so") }
      ).answer
    }
    #expect(try answer([.no, .yes]) == .yes)
    #expect(try answer([.no, .no]) == .no)
    #expect(try answer([.no, .undetermined]) == .undetermined)
    #expect(try answer([]) == .undetermined)
  }

  // MARK: - Files and variables

  @Test("what must not be seen of a proxy is left out, whatever it looks like")
  func proxies() {
    for (value, shown) in [
      ("http://proxy:3128", "http://proxy:3128"), ("http://user:secret@proxy:3128", "http://…@proxy:3128"),
      ("user:secret@proxy", "…@proxy"), ("http://user:se@cret@proxy/", "http://…@proxy/"),
      ("socks5://secret@[::1]:1080", "socks5://…@[::1]:1080"), ("secret://secret@proxy", "secret://…@proxy"),
      ("user:sec://ret@proxy", "…@proxy"), ("@", "…@"), ("", ""),
    ] {
      #expect(value.withoutCredentials == shown)
    }
    for (value, shown) in [
      ("/a@b", "/a@b"), ("https://a/b@c?d=e@f", "https://a/b@c?d=e@f"), ("//a:b@c", "//…@c"), ("//@", "//…@"),
      ("HTTP://a:b@c@d/e?f=http://g@h#//i@j", "HTTP://…@d/e?f=http://…@h#//…@j"), ("///a@b//", "///a@b//"),
      ("<ftp://a@b>; x=\"//c@d\"", "<ftp://…@b>; x=\"//…@d\""), ("//", "//"), ("", ""),
    ] {
      #expect(value.withoutCredentialsInURLs == shown)
    }
    let environment = ["https_proxy": "http://a:b@c", "NO_PROXY": "me@here", "HTTP_PROXY": "", "grpc_proxy": "x"]
    let found = ProxyVariable.all { environment[$0] }
    #expect(found.map(\.name) == ["https_proxy", "NO_PROXY", "grpc_proxy"])
    #expect(found.map(\.value) == ["http://…@c", "me@here", "x"])
  }

  @Test("what the resolver makes of its file is told, and what has no effect there")
  func resolver() throws {
    var host = self.host
    host.resolver = ResolverConfiguration(Array("nameserver 1.1.1.1\nsearch a.b\noptions ndots:3 quick\n".utf8))
    var output = TextOutput(hasColour: false)
    NetReport(network: try healthy(), host: host).write(to: &output)
    #expect(
      output.text.contains("resolver     name servers 1.1.1.1, search a.b, ndots 3, timeout 5s, attempts 2\n"))
    #expect(output.text.contains("note  resolver     /etc/resolv.conf line 3: \"quick\" is no option of the resolver"))
  }

  @Test("rights are read by their names")
  func rights() {
    let status = """
      Name:\tsrv
      Uid:\t0\t1000\t0\t0
      Gid:\t0\t1001\t0\t0
      CapEff:\t00000000a80425fb
      CapBnd:\t000001ffffffffff
      NoNewPrivs:\t1
      Seccomp:\t2
      """
    let rights = ProcessRights(status: Array(status.utf8), userID: 1_000)
    #expect((rights.userID, rights.groupID) == (1_000, 1_001))
    #expect((rights.hasNoNewPrivileges, rights.systemCallFilter) == (true, .filter))
    #expect(rights.bounding?.text == "all")
    // What Docker gives a container.
    #expect(rights.effective?.names.count == 14)
    #expect(rights.effective?.names.contains("CAP_NET_RAW") == true)
    #expect(Capabilities(Array("0".utf8))?.text == "none")
    #expect(Capabilities(Array("1fffeffffff".utf8))?.text == "all but CAP_SYS_RESOURCE")
    #expect(Capabilities(Array("8000000000000000".utf8))?.names == ["63"])
    #expect(Capabilities(Array("x".utf8)) == nil)
    #expect(ProcessRights(status: [], userID: 5).effective == nil)
  }

  @Test("each sign of a container is named, and the strongest tells what made it")
  func containers() {
    func evidence(
      _ paths: Set<String> = [], _ files: [String: String] = [:], _ environment: [String: String] = [:]
    ) -> ContainerEvidence {
      ContainerEvidence(
        exists: paths.contains, read: { files[$0].map { Array($0.utf8) } }, environment: { environment[$0] })
    }
    #expect(evidence() == ContainerEvidence())
    #expect(evidence(["/.dockerenv"]).runtime == "docker")
    #expect(evidence(["/run/.containerenv"], [:], ["container": "podman"]).signs.count == 2)
    #expect(evidence([], ["/proc/self/cgroup": "0::/kubepods/besteffort/pod1\n"]).runtime == "kubernetes")
    let overlay = "540 539 0:47 / / rw,relatime - overlay overlay rw,lowerdir=/a\n"
    let plain = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    #expect(evidence([], ["/proc/self/mountinfo": overlay]).signs == ["an overlay as the root file system"])
    #expect(evidence([], ["/proc/self/mountinfo": overlay]).runtime == nil)
    #expect(evidence([], ["/proc/self/mountinfo": plain]).signs.isEmpty)
    // What is mounted last is what is seen.
    #expect(ContainerEvidence.hasOverlayRoot(Array((overlay + plain).utf8)) == false)
    #expect(evidence(["/.dockerenv"], [:], ["KUBERNETES_SERVICE_HOST": "10.0.0.1"]).runtime == "kubernetes")
  }

  @Test("no text of the system's breaks the reading")
  func garbage() {
    var generator = SeededGenerator(21)
    let words = ["CapEff:\t", "Gid:", "\n", " ", "-", "/", "ffff", "\t", "\u{0}", "@", "://"]
    for _ in 0..<5_000 {
      let text = (0..<Int.random(in: 0...30, using: &generator)).map { _ in words.randomElement(using: &generator)! }
      let bytes = Array(text.joined().utf8)
      #expect(ProcessRights(status: bytes, userID: 1).userID == 1)
      _ = ContainerEvidence.hasOverlayRoot(bytes)
      _ = HostFacts.range(bytes)
      #expect(text.joined().withoutCredentials.utf8.count <= bytes.count + 3)
      // What is left out is one byte at least, and what stands for it has three.
      #expect(text.joined().withoutCredentialsInURLs.utf8.count <= 3 * bytes.count)
    }
  }

  // MARK: - Forms

  @Test("text and JSON say the same, and hostile names break neither")
  func forms() throws {
    var network = try healthy()
    network.interfaces[1] = try interface(2, "e\u{1B}[31m\n\"", addresses: [("172.20.0.5", 16)])
    var output = TextOutput(hasColour: false)
    let report = NetReport(network: network, host: host)
    report.write(to: &output)
    #expect(!output.text.contains("\u{1B}"))
    #expect(output.text.contains("ok    interface    e\\x1b[31m\\n\"  up, mtu 1500\n      172.20.0.5/16\n"))
    #expect(output.text.contains("ok    route        default via 172.20.0.1 on e\\x1b[31m\\n\"\n"))
    #expect(throws: Never.self) { try JSONValue(parsing: report.json.bytes) }
    #expect(
      report.json.text.hasPrefix(#"{"schema":1,"command":"net","ok":true,"code":"OK","error":null,"warnings":[]"#))
  }

  @Test("a question about one host has one answer")
  func oneAnswer() throws {
    let near = try judge("172.20.0.7", .success(try route("172.20.0.7", 32, on: 2)))
    let report = NetReport(
      network: try healthy(), host: HostFacts(), sameNetwork: SameNetwork(host: "shop", addresses: [near]))
    var output = TextOutput(hasColour: false)
    report.write(to: &output)
    #expect(output.text == "ok    the same network: shop (172.20.0.7) is on the network 172.20.0.0/16 of eth0\n")
    // Warnings of the place are not what was asked for.
    #expect((report.worst, report.code) == (.ok, "SAME_NETWORK"))
  }
}
