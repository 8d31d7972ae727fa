// SPDX-License-Identifier: Apache-2.0

public import Bytes

/// A machine on a link, as far as the kernel has found it (`ndmsg` of linux/neighbour.h).
public struct NeighbourRecord: Equatable, Sendable {
  /// What is known of a neighbour (`NUD_…`).
  public enum State: UInt16, Sendable {
    /// Nothing yet.
    case none = 0
    /// It was asked for, and has not answered so far.
    case incomplete = 1
    /// It answered not long ago.
    case reachable = 2
    /// It answered long ago.
    case stale = 4
    /// It answered long ago, and has just been sent something.
    case delay = 8
    /// It is being asked again.
    case probe = 16
    /// It does not answer.
    case failed = 32
    /// Nobody needs to ask, as on loopback.
    case noARP = 64
    /// Somebody has entered it.
    case permanent = 128

    /// The name that tools of this field print.
    public var name: String {
      switch self {
      case .none: "NONE"
      case .incomplete: "INCOMPLETE"
      case .reachable: "REACHABLE"
      case .stale: "STALE"
      case .delay: "DELAY"
      case .probe: "PROBE"
      case .failed: "FAILED"
      case .noARP: "NOARP"
      case .permanent: "PERMANENT"
      }
    }
  }

  /// The interface's number.
  public let interface: UInt32
  /// Its address.
  public let address: IPAddress
  /// Its hardware address; empty where it is not known.
  public let hardwareAddress: [UInt8]
  /// What is known of it; nil for a state that is not known here.
  public let state: State?

  /// The size of `ndmsg` in bytes.
  static let size = 12

  /// Decodes the payload of a message; nil where it is too short to be one, of another family, or without an address.
  public init?(_ payload: Span<UInt8>) {
    guard payload.count >= Self.size, let isIPv6 = payload.isIPv6 else { return nil }
    interface = payload.uint32(at: 4)
    state = State(rawValue: payload.uint16(at: 8))
    var address: IPAddress?
    var hardwareAddress: [UInt8] = []
    var attributes = NetlinkAttributes(from: Self.size)
    while let (type, range) = attributes.next(in: payload) {
      let value = payload.extracting(range)
      switch type {
      case 1: address = value.wholeAddress(isIPv6: isIPv6)
      case 2: hardwareAddress = value.bytes
      default: break
      }
    }
    guard let address else { return nil }
    (self.address, self.hardwareAddress) = (address, hardwareAddress)
  }
}
