// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Netlink
internal import Sys

/// The interfaces, addresses, routes and neighbours of a network namespace.
struct NetworkFacts {
  /// An interface with its addresses.
  struct Interface {
    let link: LinkRecord
    var addresses: [AddressRecord]

    /// Its name, which somebody chose, safe to print.
    var name: String { String(systemBytes: link.name).safeForDisplay }
    /// Whether it takes part: switched on, working as far as that is known, and more than loopback.
    var isInUse: Bool {
      link.flags.contains(.up) && !link.flags.contains(.loopback) && (link.state == .up || link.state == .unknown)
    }
    /// Whether others can reach it, or could by an address that is valid beyond its link.
    var hasAddress: Bool { addresses.contains { !$0.address.isLinkLocal && !$0.address.isLoopback } }
  }

  /// More routes or neighbours than this are counted and left out: a router has a million.
  static let limit = 4_096

  /// The interfaces, by their numbers.
  var interfaces: [Interface] = []
  /// The routes that somebody set, defaults first; not those that the kernel keeps of its own addresses.
  var routes: [RouteRecord] = []
  /// The neighbours, groups of machines left out.
  var neighbours: [NeighbourRecord] = []
  /// How many routes and neighbours were left out.
  var (routesLeftOut, neighboursLeftOut) = (0, 0)
  /// Why the kernel does not tell; nil where it does.
  var failure: String?

  /// Facts that were found elsewhere; for tests.
  init(
    interfaces: [Interface] = [], routes: [RouteRecord] = [], neighbours: [NeighbourRecord] = [], failure: String? = nil
  ) {
    (self.interfaces, self.neighbours, self.failure) = (interfaces, neighbours, failure)
    self.routes = Self.sorted(routes)
  }

  /// Asks the kernel.
  init(_ socket: inout NetlinkSocket) {
    do throws(NetlinkError) {
      var links: [LinkRecord] = []
      try socket.links(restart: { links = [] }) { links.append($0) }
      var addresses: [AddressRecord] = []
      try socket.addresses(restart: { addresses = [] }) { addresses.append($0) }
      var (routes, routesLeftOut): ([RouteRecord], Int) = ([], 0)
      try socket.routes(restart: { (routes, routesLeftOut) = ([], 0) }) { route in
        guard route.table != RouteRecord.localTable, route.kind != .multicast else { return }
        // A default route is never left out, wherever among the others it stands.
        if routes.count < Self.limit || route.isDefault { routes.append(route) } else { routesLeftOut += 1 }
      }
      var (neighbours, neighboursLeftOut): ([NeighbourRecord], Int) = ([], 0)
      try socket.neighbours(restart: { (neighbours, neighboursLeftOut) = ([], 0) }) { neighbour in
        guard neighbour.state != .noARP else { return }
        if neighbours.count < Self.limit { neighbours.append(neighbour) } else { neighboursLeftOut += 1 }
      }
      self.init(
        interfaces: links.sorted { $0.index < $1.index }.map { link in
          Interface(link: link, addresses: addresses.filter { $0.interface == link.index })
        }, routes: routes, neighbours: neighbours)
      (self.routesLeftOut, self.neighboursLeftOut) = (routesLeftOut, neighboursLeftOut)
    } catch { self.init(failure: error.text) }
  }

  /// Defaults first, the table for everybody before others, IPv4 before IPv6, then as the kernel has them.
  private static func sorted(_ routes: [RouteRecord]) -> [RouteRecord] {
    func rank(_ route: RouteRecord) -> Int {
      (route.table == RouteRecord.mainTable ? 0 : 4) + (route.isDefault ? 0 : 2) + (route.destination.isIPv6 ? 1 : 0)
    }
    // Sorting keeps no order of equals by itself.
    return routes.enumerated().sorted { (rank($0.1), $0.0) < (rank($1.1), $1.0) }.map { $0.1 }
  }

  /// The routes to everywhere that packets can take.
  var defaultRoutes: [RouteRecord] {
    routes.filter { $0.isDefault && $0.kind == .unicast && $0.table == RouteRecord.mainTable }
  }

  /// The name of an interface; its number where it is gone.
  func name(ofInterface index: UInt32) -> String {
    interfaces.first { $0.link.index == index }?.name ?? "interface \(index)"
  }

  /// The most exact of the routes that an address fits, among those that need no gateway on an interface.
  func onLinkRoute(to address: IPAddress, interface: UInt32) -> RouteRecord? {
    routes.filter { route in
      route.kind == .unicast && address.isIn(route.destination, length: Int(route.prefixLength))
        && route.nextHops.contains { $0.interface == interface && $0.gateway == nil }
    }.max { $0.prefixLength < $1.prefixLength }
  }
}

extension NetlinkError {
  /// The error in words, those of the kernel's own last.
  var text: String {
    let text = SystemError(operation, errno: errno).text
    return message.map { "\(text): \($0.safeForDisplay)" } ?? text
  }
}

extension RouteRecord {
  /// What the route is for: `default`, or a prefix.
  var destinationText: String { isDefault ? "default" : "\(destination.text)/\(prefixLength)" }
}

extension [UInt8] {
  /// The bytes as hardware addresses are written: `02:42:ac:14:00:05`.
  var hardwareAddressText: String {
    map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined(separator: ":")
  }
}
