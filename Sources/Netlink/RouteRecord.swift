// SPDX-License-Identifier: Apache-2.0

public import Bytes

/// Where packets to some addresses go (`rtmsg` of linux/rtnetlink.h).
public struct RouteRecord: Equatable, Sendable {
  /// What becomes of the packets (`RTN_…`).
  public enum Kind: UInt8, Sendable {
    /// They go to a gateway, or to an address on the link.
    case unicast = 1
    /// The address is this machine's own.
    case local = 2
    /// The address is everybody's on the link.
    case broadcast = 3
    /// The nearest of several machines takes them.
    case anycast = 4
    /// All members of a group take them.
    case multicast = 5
    /// They vanish.
    case blackhole = 6
    /// They are refused: the host is unreachable.
    case unreachable = 7
    /// They are refused: it is forbidden.
    case prohibit = 8
    /// Another table decides.
    case `throw` = 9

    /// The name that tools of this field print.
    public var name: String {
      switch self {
      case .unicast: "unicast"
      case .local: "local"
      case .broadcast: "broadcast"
      case .anycast: "anycast"
      case .multicast: "multicast"
      case .blackhole: "blackhole"
      case .unreachable: "unreachable"
      case .prohibit: "prohibit"
      case .throw: "throw"
      }
    }
  }

  /// One way that packets may take.
  public struct NextHop: Equatable, Sendable {
    /// The interface's number; 0 for none.
    public var interface: UInt32
    /// Who passes them on; nil where the addresses are on the link itself.
    public var gateway: IPAddress?

    /// A way.
    public init(interface: UInt32, gateway: IPAddress?) { (self.interface, self.gateway) = (interface, gateway) }
  }

  /// The number of the table for everybody, and of the one with the machine's own addresses.
  public static let mainTable: UInt32 = 254
  /// The number of the table with the machine's own addresses, which the kernel keeps.
  public static let localTable: UInt32 = 255

  /// The addresses' common bits, all others zero.
  public let destination: IPAddress
  /// How many bits they have in common: 0 for every address of the family.
  public let prefixLength: UInt8
  /// What becomes of the packets; nil for a kind that is not known here.
  public let kind: Kind?
  /// The number of the table that it is in.
  public let table: UInt32
  /// The ways, more than one where packets are spread; without any for packets that go nowhere.
  public let nextHops: [NextHop]
  /// The own address that packets have unless their socket says otherwise.
  public let source: IPAddress?
  /// Of routes to the same addresses, that with the least is taken.
  public let metric: UInt32
  /// The largest packet in bytes, where the route says so.
  public let mtu: UInt32?

  /// Whether it is for every address of its family.
  public var isDefault: Bool { prefixLength == 0 }

  /// The size of `rtmsg` in bytes.
  static let size = 12

  /// Decodes the payload of a message; nil where it is too short to be one, or of another family.
  public init?(_ payload: Span<UInt8>) {
    guard payload.count >= Self.size, let isIPv6 = payload.isIPv6 else { return nil }
    prefixLength = min(payload[1], isIPv6 ? 128 : 32)
    kind = Kind(rawValue: payload[7])
    var destination = isIPv6 ? IPAddress.anyIPv6 : .anyIPv4
    // Numbers of tables that do not fit into the byte are in an attribute.
    var table = UInt32(payload[4])
    var hop = NextHop(interface: 0, gateway: nil)
    var hops: [NextHop] = []
    var source: IPAddress?
    var metric: UInt32 = 0
    var mtu: UInt32?
    var attributes = NetlinkAttributes(from: Self.size)
    while let (type, range) = attributes.next(in: payload) {
      let value = payload.extracting(range)
      switch type {
      case 1: destination = value.wholeAddress(isIPv6: isIPv6) ?? destination
      case 4: hop.interface = value.uint32(at: 0)
      case 5, 18: hop.gateway = Self.gateway(type, value, isIPv6: isIPv6)
      case 6: metric = value.uint32(at: 0)
      case 7: source = value.wholeAddress(isIPv6: isIPv6)
      case 8: mtu = Self.mtu(value)
      case 9: hops = Self.hops(value, isIPv6: isIPv6)
      case 15: table = value.uint32(at: 0)
      default: break
      }
    }
    if hop.interface != 0 || hop.gateway != nil { hops.insert(hop, at: 0) }
    (self.destination, self.table, nextHops) = (destination, table, hops)
    (self.source, self.metric, self.mtu) = (source, metric, mtu)
  }

  /// The gateway of an attribute: of the route's own family (`RTA_GATEWAY`), or with its family in front (`RTA_VIA`).
  private static func gateway(_ type: UInt16, _ value: Span<UInt8>, isIPv6: Bool) -> IPAddress? {
    guard type == 18 else { return value.wholeAddress(isIPv6: isIPv6) }
    guard value.count > 2 else { return nil }
    return value.extracting(2..<value.count).wholeAddress(isIPv6: value.uint16(at: 0) == familyIPv6)
  }

  /// The largest packet among the metrics (`RTAX_MTU`).
  private static func mtu(_ metrics: Span<UInt8>) -> UInt32? {
    var nested = NetlinkAttributes(from: 0)
    var mtu: UInt32?
    while let (type, range) = nested.next(in: metrics) {
      if type == 2 { mtu = metrics.extracting(range).uint32(at: 0) }
    }
    return mtu
  }

  /// The ways of a route that has several: for each `rtnexthop` (8 bytes: its length, flags, weight, interface) and
  /// its attributes.
  private static func hops(_ list: Span<UInt8>, isIPv6: Bool) -> [NextHop] {
    var hops: [NextHop] = []
    var offset = 0
    while list.count - offset >= 8 {
      let length = Int(list.uint16(at: offset))
      guard length >= 8, length <= list.count - offset else { break }
      let entry = list.extracting(offset..<offset + length)
      var hop = NextHop(interface: entry.uint32(at: 4), gateway: nil)
      var nested = NetlinkAttributes(from: 8)
      while let (type, range) = nested.next(in: entry) {
        if type == 5 || type == 18 { hop.gateway = gateway(type, entry.extracting(range), isIPv6: isIPv6) }
      }
      hops.append(hop)
      offset += (length + 3) & ~3
    }
    return hops
  }
}
