// SPDX-License-Identifier: Apache-2.0

public import Bytes

/// One resource record.
public struct DNSRecord: Equatable, Sendable {
  /// Whose record it is.
  public var name: DNSName
  /// The class: 1 is the Internet.
  public var recordClass: UInt16
  /// How many seconds it may be kept; at most 2^31 - 1.
  public var timeToLive: UInt32
  /// What it says.
  public var data: DNSRecordData

  /// A record of these parts.
  public init(name: DNSName, recordClass: UInt16 = 1, timeToLive: UInt32, data: DNSRecordData) {
    self.name = name
    self.recordClass = recordClass
    self.timeToLive = timeToLive
    self.data = data
  }
}

/// What a record says, as its type has it.
public enum DNSRecordData: Equatable, Sendable {
  /// A or AAAA, which the address tells.
  case address(IPAddress)
  /// CNAME: the name that the record's is an alias of.
  case alias(DNSName)
  /// NS: a zone's server.
  case nameServer(DNSName)
  /// PTR: another name.
  case pointer(DNSName)
  /// SOA.
  case startOfAuthority(DNSStartOfAuthority)
  /// SRV: of all records, those of the least priority count, and the weight is their share.
  case service(priority: UInt16, weight: UInt16, port: UInt16, target: DNSName)
  /// MX: of all records, those of the least preference count.
  case mailExchange(preference: UInt16, exchange: DNSName)
  /// TXT: each text has 255 bytes at most, and they may be any.
  case text([[UInt8]])
  /// A type, or a class, that is not known here.
  case other(DNSRecordType, [UInt8])

  /// The record's type.
  public var type: DNSRecordType {
    switch self {
    case .address(let address): address.isIPv6 ? .aaaa : .a
    case .alias: .cname
    case .nameServer: .ns
    case .pointer: .ptr
    case .startOfAuthority: .soa
    case .service: .srv
    case .mailExchange: .mx
    case .text: .txt
    case .other(let type, _): type
    }
  }
}

/// What a zone says of itself. In an answer without records it tells how long that may be kept: the lesser of its
/// `minimum` and its record's time to live (RFC 2308 section 5). The times are seconds.
public struct DNSStartOfAuthority: Equatable, Sendable {
  /// The zone's primary server.
  public var primaryServer: DNSName
  /// The mailbox of who is responsible, its first label standing before the `@`.
  public var mailbox: DNSName
  /// The zone's version.
  public var serial: UInt32
  /// How often secondary servers look for a new version.
  public var refresh: UInt32
  /// How long they wait after a failure.
  public var retry: UInt32
  /// How long they answer without a success.
  public var expire: UInt32
  /// How long it may be kept that there is no such record.
  public var minimum: UInt32

  /// A zone's words of itself.
  public init(
    primaryServer: DNSName, mailbox: DNSName, serial: UInt32, refresh: UInt32, retry: UInt32, expire: UInt32,
    minimum: UInt32
  ) {
    self.primaryServer = primaryServer
    self.mailbox = mailbox
    self.serial = serial
    self.refresh = refresh
    self.retry = retry
    self.expire = expire
    self.minimum = minimum
  }
}
