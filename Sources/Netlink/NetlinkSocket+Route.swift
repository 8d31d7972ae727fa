// SPDX-License-Identifier: Apache-2.0

public import Bytes
import CMnl

extension NetlinkSocket {
  /// Questions about networks (`RTM_…` of linux/rtnetlink.h), each with the size of the structure that it begins with.
  private enum Question {
    static let links: (type: UInt16, size: Int) = (18, LinkRecord.size)
    static let addresses: (type: UInt16, size: Int) = (22, AddressRecord.size)
    static let routes: (type: UInt16, size: Int) = (26, RouteRecord.size)
    static let neighbours: (type: UInt16, size: Int) = (30, NeighbourRecord.size)
  }

  /// `RTM_F_LOOKUP_TABLE`: the answer names the table that it was found in. For IPv6 it always does, and the flag is
  /// refused.
  private static let lookupTable: UInt32 = 0x1000

  /// Calls the body with each interface. `restart` is called before it begins anew, as the answer had changed while it
  /// was given; the same holds for the other questions.
  public mutating func links(
    restart: () -> Void = {}, _ body: (LinkRecord) -> Void
  ) throws(NetlinkError) {
    try dump(Question.links, restart: restart) { payload in LinkRecord(payload).map(body) }
  }

  /// Calls the body with each address of each interface.
  public mutating func addresses(
    restart: () -> Void = {}, _ body: (AddressRecord) -> Void
  ) throws(NetlinkError) {
    try dump(Question.addresses, restart: restart) { payload in AddressRecord(payload).map(body) }
  }

  /// Calls the body with each route of each table.
  public mutating func routes(
    restart: () -> Void = {}, _ body: (RouteRecord) -> Void
  ) throws(NetlinkError) {
    try dump(Question.routes, restart: restart) { payload in RouteRecord(payload).map(body) }
  }

  /// Calls the body with each neighbour.
  public mutating func neighbours(
    restart: () -> Void = {}, _ body: (NeighbourRecord) -> Void
  ) throws(NetlinkError) {
    try dump(Question.neighbours, restart: restart) { payload in NeighbourRecord(payload).map(body) }
  }

  /// The route that a packet to an address would take now.
  ///
  /// Throws what keeps the packet from being sent: `ENETUNREACH` where no route leads there, `EHOSTUNREACH`, `EACCES`
  /// or `EINVAL` where one says that it is unreachable, prohibited or a black hole; the latter without any words.
  ///
  /// - Parameter interface: the number of the interface to leave by, which link-local addresses need; 0 for any.
  public mutating func route(to address: IPAddress, interface: UInt32 = 0) throws(NetlinkError) -> RouteRecord {
    var found: RouteRecord?
    try request(Question.routes.type, Self.routeQuestion(to: address, interface: interface)) { _, payload in
      found = RouteRecord(payload)
    }
    guard let found else { throw NetlinkError("request", errno: EBADMSG) }
    return found
  }

  /// `rtmsg` for one address, with `RTA_DST` and, where there is an interface, `RTA_OIF`.
  static func routeQuestion(to address: IPAddress, interface: UInt32) -> [UInt8] {
    let family = UInt8(address.isIPv6 ? familyIPv6 : familyIPv4)
    var bytes: [UInt8] = [family, UInt8(address.bitWidth), 0, 0, 0, 0, 0, 0]
    bytes.append(native: address.isIPv6 ? 0 : lookupTable)
    bytes.append(native: UInt16(4 + address.bytes.count))
    bytes.append(native: UInt16(1))
    bytes += address.bytes
    guard interface != 0 else { return bytes }
    bytes.append(native: UInt16(8))
    bytes.append(native: UInt16(4))
    bytes.append(native: interface)
    return bytes
  }

  /// Asks for all there is of a kind: the structure that a question begins with, all zero, leaves nothing out.
  private mutating func dump(
    _ question: (type: UInt16, size: Int), restart: () -> Void, _ body: (Span<UInt8>) -> Void
  ) throws(NetlinkError) {
    let payload = [UInt8](repeating: 0, count: question.size)
    try dump(question.type, payload, restart: restart) { _, payload in body(payload) }
  }
}
