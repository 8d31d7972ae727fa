// SPDX-License-Identifier: Apache-2.0

/// A network interface (`ifinfomsg` of linux/rtnetlink.h).
public struct LinkRecord: Equatable, Sendable {
  /// Whether an interface works, as the kernel sees it (`IF_OPER_…` of linux/if.h, RFC 2863).
  public enum State: UInt8, Sendable {
    /// The driver does not say.
    case unknown = 0
    /// The device is missing.
    case notPresent = 1
    /// It does not work.
    case down = 2
    /// What is below it does not work.
    case lowerLayerDown = 3
    /// It is being tested.
    case testing = 4
    /// It waits for something, as for authentication.
    case dormant = 5
    /// It works.
    case up = 6

    /// The name that tools of this field print, in small letters.
    public var name: String {
      switch self {
      case .unknown: "unknown"
      case .notPresent: "not present"
      case .down: "down"
      case .lowerLayerDown: "lower layer down"
      case .testing: "testing"
      case .dormant: "dormant"
      case .up: "up"
      }
    }
  }

  /// What is set on an interface (`IFF_…` of linux/if.h).
  public struct Flags: OptionSet, Sendable {
    /// The kernel's bits.
    public let rawValue: UInt32
    /// Bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// It was switched on.
    public static let up = Flags(rawValue: 1)
    /// Only the machine itself is behind it.
    public static let loopback = Flags(rawValue: 1 << 3)
    /// There is one peer and no more.
    public static let pointToPoint = Flags(rawValue: 1 << 4)
    /// It does not ask for hardware addresses.
    public static let noARP = Flags(rawValue: 1 << 7)
    /// There is a carrier.
    public static let lowerUp = Flags(rawValue: 1 << 16)
  }

  /// Its number.
  public let index: UInt32
  /// What is set on it.
  public let flags: Flags
  /// Its name, as the bytes that somebody chose; empty where the kernel did not say.
  public private(set) var name: [UInt8] = []
  /// The largest packet in bytes; 0 where the kernel did not say.
  public private(set) var mtu: UInt32 = 0
  /// Whether it works.
  public private(set) var state = State.unknown
  /// What kind of software makes it, such as `veth`; empty for hardware.
  public private(set) var kind = ""
  /// Its hardware address; empty where it has none.
  public private(set) var hardwareAddress: [UInt8] = []

  /// The size of `ifinfomsg` in bytes.
  static let size = 16

  /// Decodes the payload of a message; nil where it is too short to be one.
  public init?(_ payload: Span<UInt8>) {
    guard payload.count >= Self.size else { return nil }
    index = payload.uint32(at: 4)
    flags = Flags(rawValue: payload.uint32(at: 8))
    var attributes = NetlinkAttributes(from: Self.size)
    while let (type, range) = attributes.next(in: payload) {
      let value = payload.extracting(range)
      switch type {
      case 1: hardwareAddress = value.bytes
      case 3: name = value.text
      case 4: mtu = value.uint32(at: 0)
      case 16: state = State(rawValue: value.byte(at: 0)) ?? .unknown
      case 18:
        var nested = NetlinkAttributes(from: 0)
        while let (type, range) = nested.next(in: value) {
          if type == 1 { kind = String(decoding: value.extracting(range).text, as: UTF8.self) }
        }
      default: break
      }
    }
  }
}
