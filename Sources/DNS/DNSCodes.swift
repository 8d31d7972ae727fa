// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The type of a record, or of the records that are asked for, by its number.
public struct DNSRecordType: RawRepresentable, Hashable, Sendable {
  /// The number on the wire.
  public var rawValue: UInt16

  /// The type of this number.
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// An address of IPv4 (RFC 1035).
  public static let a = DNSRecordType(rawValue: 1)
  /// A zone's name server (RFC 1035).
  public static let ns = DNSRecordType(rawValue: 2)
  /// The name that this one is an alias of (RFC 1035).
  public static let cname = DNSRecordType(rawValue: 5)
  /// The start of a zone's authority (RFC 1035).
  public static let soa = DNSRecordType(rawValue: 6)
  /// Another name, which reverse names have (RFC 1035).
  public static let ptr = DNSRecordType(rawValue: 12)
  /// A host that takes mail (RFC 1035).
  public static let mx = DNSRecordType(rawValue: 15)
  /// Texts (RFC 1035).
  public static let txt = DNSRecordType(rawValue: 16)
  /// An address of IPv6 (RFC 3596).
  public static let aaaa = DNSRecordType(rawValue: 28)
  /// A host and a port of a service (RFC 2782).
  public static let srv = DNSRecordType(rawValue: 33)
  /// What EDNS adds to the header (RFC 6891).
  static let opt = DNSRecordType(rawValue: 41)

  private static let names: [(type: DNSRecordType, name: String)] = [
    (.a, "A"), (.ns, "NS"), (.cname, "CNAME"), (.soa, "SOA"), (.ptr, "PTR"), (.mx, "MX"), (.txt, "TXT"),
    (.aaaa, "AAAA"), (.srv, "SRV"), (.opt, "OPT"),
  ]

  /// The type of a name in either case, `AAAA`, or of a number, `TYPE65` (RFC 3597 section 5); nil for anything else.
  public init?(name: String) {
    if let known = Self.names.first(where: { $0.name.equalsIgnoringASCIICase(name) }) {
      self = known.type
    } else if let digits = name.asciiLowercased.after("type"), let number = parseDecimal(digits.utf8, atMost: 0xFFFF) {
      self.init(rawValue: UInt16(truncatingIfNeeded: number))
    } else {
      return nil
    }
  }

  /// The usual name, such as `AAAA`; `TYPE65` for one that is not known here.
  public var name: String { Self.names.first { $0.type == self }?.name ?? "TYPE" + String(rawValue) }
}

/// How a server answered: RCODE, with the upper bits that EDNS adds.
public struct DNSResponseCode: RawRepresentable, Hashable, Sendable {
  /// The number, at most 4,095.
  public var rawValue: UInt16

  /// The code of this number.
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// There is nothing to complain of; there may be no records all the same.
  public static let noError = DNSResponseCode(rawValue: 0)
  /// The server did not understand the query.
  public static let formatError = DNSResponseCode(rawValue: 1)
  /// The server could not find out.
  public static let serverFailure = DNSResponseCode(rawValue: 2)
  /// There is no such name.
  public static let nameError = DNSResponseCode(rawValue: 3)
  /// The server does not do what was asked.
  public static let notImplemented = DNSResponseCode(rawValue: 4)
  /// The server does not do it for this client.
  public static let refused = DNSResponseCode(rawValue: 5)

  /// The usual name, such as `NXDOMAIN`; `RCODE12` for one that no RFC names.
  public var name: String {
    switch rawValue {
    case 0: "NOERROR"
    case 1: "FORMERR"
    case 2: "SERVFAIL"
    case 3: "NXDOMAIN"
    case 4: "NOTIMP"
    case 5: "REFUSED"
    case 6: "YXDOMAIN"
    case 7: "YXRRSET"
    case 8: "NXRRSET"
    case 9: "NOTAUTH"
    case 10: "NOTZONE"
    case 16: "BADVERS"
    case 23: "BADCOOKIE"
    default: "RCODE" + String(rawValue)
    }
  }
}
