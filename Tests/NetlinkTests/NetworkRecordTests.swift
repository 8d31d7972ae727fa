// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@testable import Netlink

/// Messages of the kernel about networks, as a machine with the low byte first sends them.
@Suite struct NetworkRecordTests {
  /// `3: eth0@if7: <UP,BROADCAST,LOWER_UP> mtu 1450 state up`, a veth.
  static let link: [UInt8] = [
    0x00, 0x00, 0x01, 0x00,  // any family, Ethernet
    0x03, 0x00, 0x00, 0x00,  // interface 3
    0x43, 0x10, 0x01, 0x00,  // UP, BROADCAST, RUNNING, MULTICAST, LOWER_UP
    0x00, 0x00, 0x00, 0x00,  // changes
    0x09, 0x00, 0x03, 0x00, 0x65, 0x74, 0x68, 0x30, 0x00, 0x00, 0x00, 0x00,  // IFLA_IFNAME "eth0"
    0x05, 0x00, 0x10, 0x00, 0x06, 0x00, 0x00, 0x00,  // IFLA_OPERSTATE up
    0x08, 0x00, 0x04, 0x00, 0xAA, 0x05, 0x00, 0x00,  // IFLA_MTU 1450
    0x0A, 0x00, 0x01, 0x00, 0x02, 0x42, 0xAC, 0x14, 0x00, 0x05, 0x00, 0x00,  // IFLA_ADDRESS 02:42:ac:14:00:05
    0x10, 0x00, 0x12, 0x00,  // IFLA_LINKINFO, which holds
    0x09, 0x00, 0x01, 0x00, 0x76, 0x65, 0x74, 0x68, 0x00, 0x00, 0x00, 0x00,  // IFLA_INFO_KIND "veth"
  ]

  /// `10.0.0.2 peer 10.0.0.1/32 scope global tun0`.
  static let address: [UInt8] = [
    0x02, 0x20, 0x80, 0x00,  // IPv4, /32, permanent, global
    0x05, 0x00, 0x00, 0x00,  // interface 5
    0x08, 0x00, 0x01, 0x00, 0x0A, 0x00, 0x00, 0x01,  // IFA_ADDRESS: the peer
    0x08, 0x00, 0x02, 0x00, 0x0A, 0x00, 0x00, 0x02,  // IFA_LOCAL
    0x09, 0x00, 0x03, 0x00, 0x74, 0x75, 0x6E, 0x30, 0x00, 0x00, 0x00, 0x00,  // IFA_LABEL "tun0"
  ]

  /// `default via 172.20.0.1 dev eth0 src 172.20.0.5 metric 100 mtu 1400`.
  static let route: [UInt8] = [
    0x02, 0x00, 0x00, 0x00, 0xFE, 0x03, 0x00, 0x01,  // IPv4, /0, table main, by boot, universe, unicast
    0x00, 0x00, 0x00, 0x00,  // flags
    0x08, 0x00, 0x0F, 0x00, 0xFE, 0x00, 0x00, 0x00,  // RTA_TABLE 254
    0x08, 0x00, 0x05, 0x00, 0xAC, 0x14, 0x00, 0x01,  // RTA_GATEWAY
    0x08, 0x00, 0x07, 0x00, 0xAC, 0x14, 0x00, 0x05,  // RTA_PREFSRC
    0x08, 0x00, 0x04, 0x00, 0x03, 0x00, 0x00, 0x00,  // RTA_OIF 3
    0x08, 0x00, 0x06, 0x00, 0x64, 0x00, 0x00, 0x00,  // RTA_PRIORITY 100
    0x0C, 0x00, 0x08, 0x00,  // RTA_METRICS, which holds
    0x08, 0x00, 0x02, 0x00, 0x78, 0x05, 0x00, 0x00,  // RTAX_MTU 1400
  ]

  /// `2001:db8::/32 nexthop via fe80::1 dev 3 nexthop dev 4` in table 1000.
  static let multipath: [UInt8] =
    [
      0x0A, 0x20, 0x00, 0x00, 0x00, 0x03, 0x00, 0x01,  // IPv6, /32, a table beyond a byte, unicast
      0x00, 0x00, 0x00, 0x00,
      0x08, 0x00, 0x0F, 0x00, 0xE8, 0x03, 0x00, 0x00,  // RTA_TABLE 1000
      0x14, 0x00, 0x01, 0x00, 0x20, 0x01, 0x0D, 0xB8,  // RTA_DST 2001:db8::
    ] + [UInt8](repeating: 0, count: 12) + [
      0x28, 0x00, 0x09, 0x00,  // RTA_MULTIPATH, which holds
      0x1C, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,  // 28 bytes, interface 3, and its
      0x14, 0x00, 0x05, 0x00, 0xFE, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // RTA_GATEWAY
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
      0x08, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00,  // 8 bytes, interface 4
    ]

  /// `172.20.0.1 dev eth0 lladdr 02:42:ac:14:00:01 STALE`.
  static let neighbour: [UInt8] = [
    0x02, 0x00, 0x00, 0x00,  // IPv4
    0x03, 0x00, 0x00, 0x00,  // interface 3
    0x04, 0x00, 0x00, 0x01,  // stale, no flags, unicast
    0x08, 0x00, 0x01, 0x00, 0xAC, 0x14, 0x00, 0x01,  // NDA_DST
    0x0A, 0x00, 0x02, 0x00, 0x02, 0x42, 0xAC, 0x14, 0x00, 0x01, 0x00, 0x00,  // NDA_LLADDR
  ]

  @Test("an interface is what its bytes say")
  func links() throws {
    let decoded = LinkRecord(Self.link.span)
    let record = try #require(decoded)
    #expect((record.index, record.mtu, record.state, record.kind) == (3, 1_450, .up, "veth"))
    #expect(String(decoding: record.name, as: UTF8.self) == "eth0")
    #expect(record.hardwareAddress == [0x02, 0x42, 0xAC, 0x14, 0x00, 0x05])
    #expect(record.flags.isSuperset(of: [.up, .lowerUp]) && record.flags.isDisjoint(with: [.loopback, .noARP]))
  }

  @Test("of a point-to-point link, the address is the own one and not the peer's")
  func addresses() throws {
    let decoded = AddressRecord(Self.address.span)
    let record = try #require(decoded)
    #expect(record.address == IPAddress("10.0.0.2"))
    #expect((record.interface, record.prefixLength, record.scope) == (5, 32, .global))
    #expect(String(decoding: record.label, as: UTF8.self) == "tun0")
    // IPv6 addresses come as IFA_ADDRESS alone.
    let alone = AddressRecord(Array(Self.address[..<16]).span)
    #expect(alone?.address == IPAddress("10.0.0.1"))
  }

  @Test("a route is what its bytes say")
  func routes() throws {
    let decoded = RouteRecord(Self.route.span)
    let record = try #require(decoded)
    #expect(record.isDefault && record.destination == .anyIPv4)
    #expect((record.kind, record.table, record.metric, record.mtu) == (.unicast, 254, 100, 1_400))
    #expect(record.nextHops == [.init(interface: 3, gateway: IPAddress("172.20.0.1"))])
    #expect(record.source == IPAddress("172.20.0.5"))
  }

  @Test("a route may have several ways, and a table beyond 255")
  func multipathRoutes() throws {
    let decoded = RouteRecord(Self.multipath.span)
    let record = try #require(decoded)
    #expect(record.destination == IPAddress("2001:db8::"))
    #expect((record.prefixLength, record.table) == (32, 1_000))
    #expect(
      record.nextHops == [
        .init(interface: 3, gateway: IPAddress("fe80::1")), .init(interface: 4, gateway: nil),
      ])
  }

  @Test("an IPv4 route may have a gateway of IPv6")
  func via() {
    var bytes = Array(Self.route[..<12])
    bytes += [0x16, 0x00, 0x12, 0x00, 0x0A, 0x00, 0xFE, 0x80] + [UInt8](repeating: 0, count: 13) + [1, 0, 0]
    let record = RouteRecord(bytes.span)
    #expect(record?.nextHops == [.init(interface: 0, gateway: IPAddress("fe80::1"))])
  }

  @Test("packets that go nowhere have no way")
  func refusals() {
    for (number, kind) in [(6, .blackhole), (7, .unreachable), (8, .prohibit)] as [(UInt8, RouteRecord.Kind)] {
      var bytes = Array(Self.route[..<12])
      bytes[7] = number
      let record = RouteRecord(bytes.span)
      #expect(record?.kind == kind)
      #expect(record?.nextHops == [])
    }
  }

  @Test("a neighbour is what its bytes say")
  func neighbours() throws {
    let decoded = NeighbourRecord(Self.neighbour.span)
    let record = try #require(decoded)
    #expect(record.address == IPAddress("172.20.0.1"))
    #expect((record.interface, record.state) == (3, .stale))
    #expect(record.hardwareAddress == [0x02, 0x42, 0xAC, 0x14, 0x00, 0x01])
  }

  @Test("messages of another family, or cut off, are none")
  func truncated() {
    for family in [0, 1, 7, 28] as [UInt8] {
      #expect(AddressRecord([family] + Self.address[1...]) == nil)
      #expect(RouteRecord([family] + Self.route[1...]) == nil)
      #expect(NeighbourRecord([family] + Self.neighbour[1...]) == nil)
    }
    for count in Self.route.indices {
      let record = RouteRecord(Array(Self.route[..<count]))
      #expect((record != nil) == (count >= RouteRecord.size))
    }
    for count in Self.link.indices { #expect((LinkRecord(Array(Self.link[..<count])) != nil) == (count >= 16)) }
    for count in Self.neighbour.indices {
      #expect((NeighbourRecord(Array(Self.neighbour[..<count])) != nil) == (count >= 20))
    }
  }

  @Test("no bytes break the decoding")
  func garbage() {
    var generator = SeededGenerator(13)
    let fixtures = [Self.link, Self.address, Self.route, Self.multipath, Self.neighbour]
    for _ in 0..<20_000 {
      var bytes = fixtures.randomElement(using: &generator)!
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let index = bytes.indices.randomElement(using: &generator)!
        bytes[index] = UInt8.random(in: 0...255, using: &generator)
      }
      bytes = Array(bytes[..<Int.random(in: 0...bytes.count, using: &generator)])
      // What comes out is within what came in.
      if let route = RouteRecord(bytes) {
        #expect(Int(route.prefixLength) <= route.destination.bitWidth)
        #expect(route.nextHops.count <= bytes.count / 8)
      }
      if let address = AddressRecord(bytes) { #expect(Int(address.prefixLength) <= address.address.bitWidth) }
      if let link = LinkRecord(bytes) { #expect(link.name.count + link.hardwareAddress.count <= bytes.count) }
      if let neighbour = NeighbourRecord(bytes) { #expect(neighbour.hardwareAddress.count <= bytes.count) }
      _ = NetlinkVerdict(bytes.span, flags: 0x300, isError: true)
    }
  }

  @Test("a question for one address is the kernel's structure")
  func question() throws {
    let address = try #require(IPAddress("10.1.2.3"))
    #expect(
      NetlinkSocket.routeQuestion(to: address, interface: 3) == [
        0x02, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00,  // IPv4, /32, RTM_F_LOOKUP_TABLE
        0x08, 0x00, 0x01, 0x00, 0x0A, 0x01, 0x02, 0x03,  // RTA_DST
        0x08, 0x00, 0x04, 0x00, 0x03, 0x00, 0x00, 0x00,  // RTA_OIF
      ])
    #expect(
      NetlinkSocket.routeQuestion(to: .loopbackIPv6, interface: 0) == [
        0x0A, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // IPv6, /128
        0x14, 0x00, 0x01, 0x00,  // RTA_DST
      ] + IPAddress.loopbackIPv6.bytes)
  }
}

@Suite struct NetlinkVerdictTests {
  private let text: [UInt8] = [0x0A, 0x00, 0x01, 0x00, 0x6F, 0x68, 0x20, 0x6E, 0x6F, 0x00, 0x00, 0x00]  // "oh no"
  private let error: [UInt8] = [0xEA, 0xFF, 0xFF, 0xFF]  // -22
  /// A request of 20 bytes: its header, then its payload.
  private let quoted: [UInt8] = [0x14, 0x00, 0x00, 0x00] + [UInt8](repeating: 0, count: 12) + [9, 9, 9, 9]

  @Test("the kernel's words stand behind the request that it quotes, whole or capped")
  func messages() {
    let whole = NetlinkVerdict((error + quoted + text).span, flags: 0x200, isError: true)
    #expect((whole.errno, whole.message) == (22, "oh no"))
    let capped = NetlinkVerdict((error + quoted[..<16] + text).span, flags: 0x300, isError: true)
    #expect((capped.errno, capped.message) == (22, "oh no"))
    let done = NetlinkVerdict((error + text).span, flags: 0x202, isError: false)
    #expect((done.errno, done.message) == (22, "oh no"))
  }

  @Test("without words there is the number, and without a number all is well")
  func numbers() {
    let silent = NetlinkVerdict((error + quoted).span, flags: 0, isError: true)
    #expect((silent.errno, silent.message) == (22, nil))
    let fine = NetlinkVerdict([UInt8](repeating: 0, count: 4).span, flags: 0x200, isError: false)
    #expect((fine.errno, fine.message) == (0, nil))
    let extreme = NetlinkVerdict([0, 0, 0, 0x80].span, flags: 0, isError: true)
    #expect(extreme.errno == .max)
  }
}

/// What the kernel of this machine answers: every machine has a loopback interface, or says why not.
@Suite struct RouteDumpTests {
  @Test("the kernel's own answers are read: loopback is an interface, and its address is local")
  func dumps() throws {
    var socket = try NetlinkSocket(.route)
    var links: [LinkRecord] = []
    try socket.links { links.append($0) }
    let loopback = try #require(links.first { $0.flags.contains(.loopback) })
    #expect(String(decoding: loopback.name, as: UTF8.self) == "lo")
    var addresses: [AddressRecord] = []
    try socket.addresses { addresses.append($0) }
    #expect(addresses.contains { $0.address == .loopbackIPv4 && $0.interface == loopback.index && $0.scope == .host })
    var routes: [RouteRecord] = []
    try socket.routes { routes.append($0) }
    #expect(routes.contains { $0.kind == .local && $0.table == RouteRecord.localTable })
    try socket.neighbours { #expect($0.interface > 0) }
    let route = try socket.route(to: .loopbackIPv4)
    #expect((route.kind, route.nextHops.first?.interface) == (.local, loopback.index))
  }

  @Test("what the kernel does not take is an error with its number, and the conversation goes on")
  func refusal() throws {
    var socket = try NetlinkSocket(.route)
    // An interface that does not exist.
    #expect(throws: NetlinkError.self) { try socket.route(to: .anyIPv4, interface: .max) }
    #expect(try socket.route(to: .loopbackIPv4).kind == .local)
  }
}

extension LinkRecord {
  fileprivate init?(_ bytes: [UInt8]) { self.init(bytes.span) }
}

extension AddressRecord {
  fileprivate init?(_ bytes: [UInt8]) { self.init(bytes.span) }
}

extension RouteRecord {
  fileprivate init?(_ bytes: [UInt8]) { self.init(bytes.span) }
}

extension NeighbourRecord {
  fileprivate init?(_ bytes: [UInt8]) { self.init(bytes.span) }
}
