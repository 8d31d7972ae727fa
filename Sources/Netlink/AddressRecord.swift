// SPDX-License-Identifier: Apache-2.0

public import Bytes

/// An address of an interface (`ifaddrmsg` of linux/if_addr.h).
public struct AddressRecord: Equatable, Sendable {
  /// How far an address is valid (`RT_SCOPE_…` of linux/rtnetlink.h).
  public enum Scope: UInt8, Sendable {
    /// Everywhere.
    case global = 0
    /// Within a site.
    case site = 200
    /// On one link.
    case link = 253
    /// Within the machine.
    case host = 254
    /// Nowhere.
    case nowhere = 255

    /// The name that tools of this field print.
    public var name: String {
      switch self {
      case .global: "global"
      case .site: "site"
      case .link: "link"
      case .host: "host"
      case .nowhere: "nowhere"
      }
    }
  }

  /// The interface's number.
  public let interface: UInt32
  /// The address.
  public let address: IPAddress
  /// How many bits of it are the network's.
  public let prefixLength: UInt8
  /// How far it is valid; nil for a scope of somebody's own.
  public let scope: Scope?
  /// IPv4: the interface's name, or an alias of it, as the bytes that somebody chose; empty where there is none.
  public let label: [UInt8]

  /// The size of `ifaddrmsg` in bytes.
  static let size = 8

  /// Decodes the payload of a message; nil where it is too short to be one, of another family, or without an address.
  public init?(_ payload: Span<UInt8>) {
    guard payload.count >= Self.size, let isIPv6 = payload.isIPv6 else { return nil }
    prefixLength = min(payload[1], isIPv6 ? 128 : 32)
    scope = Scope(rawValue: payload[3])
    interface = payload.uint32(at: 4)
    var (remote, local): (IPAddress?, IPAddress?)
    var label: [UInt8] = []
    var attributes = NetlinkAttributes(from: Self.size)
    while let (type, range) = attributes.next(in: payload) {
      let value = payload.extracting(range)
      switch type {
      case 1: remote = value.wholeAddress(isIPv6: isIPv6)
      case 2: local = value.wholeAddress(isIPv6: isIPv6)
      case 3: label = value.text
      default: break
      }
    }
    // Of a point-to-point link the first one is the peer's.
    guard let address = local ?? remote else { return nil }
    (self.address, self.label) = (address, label)
  }
}
