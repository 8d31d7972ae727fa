// SPDX-License-Identifier: Apache-2.0

/// What is asked: a name and a type of records.
public struct DNSQuestion: Equatable, Sendable {
  /// Whose records.
  public var name: DNSName
  /// Which records.
  public var type: DNSRecordType
  /// The class: 1 is the Internet.
  public var recordClass: UInt16

  /// A question of the Internet's class unless told otherwise.
  public init(name: DNSName, type: DNSRecordType, recordClass: UInt16 = 1) {
    self.name = name
    self.type = type
    self.recordClass = recordClass
  }
}

/// What EDNS adds to a message (RFC 6891).
public struct DNSExtension: Equatable, Sendable {
  /// One option, whose meaning its code gives.
  public struct Option: Equatable, Sendable {
    /// The option's number.
    public var code: UInt16
    /// Its content.
    public var bytes: [UInt8]

    /// An option of a number.
    public init(code: UInt16, bytes: [UInt8]) {
      self.code = code
      self.bytes = bytes
    }
  }

  /// The longest message over UDP that the sender takes, in bytes.
  public var payloadSize: UInt16
  /// The version, of which 0 is the only one.
  public var version: UInt8
  /// Whether DNSSEC's records are wanted or were sent (the bit DO).
  public var wantsDNSSEC: Bool
  /// The options, in their order.
  public var options: [Option]

  /// What a message says by EDNS.
  public init(payloadSize: UInt16, version: UInt8 = 0, wantsDNSSEC: Bool = false, options: [Option] = []) {
    self.payloadSize = payloadSize
    self.version = version
    self.wantsDNSSEC = wantsDNSSEC
    self.options = options
  }
}

/// A message of a resolver or a name server (RFC 1035 section 4), read from bytes by ``init(decoding:)``.
public struct DNSMessage: Equatable, Sendable {
  /// The number that joins an answer to its query.
  public var id: UInt16 = 0
  /// Whether it is an answer (the bit QR).
  public var isResponse = false
  /// The kind of query, 0 to 15: 0 is an ordinary one.
  public var opcode: UInt8 = 0
  /// Whether the server speaks for the zone itself (the bit AA).
  public var isAuthoritative = false
  /// Whether there was more than fits (the bit TC): the whole answer is to be had over TCP.
  public var isTruncated = false
  /// Whether the server is to ask others (the bit RD).
  public var recursionDesired = false
  /// Whether the server would ask others (the bit RA).
  public var recursionAvailable = false
  /// Whether the server vouches for the data (the bit AD, RFC 4035).
  public var isAuthenticated = false
  /// Whether the data may be unchecked (the bit CD, RFC 4035).
  public var checkingDisabled = false
  /// How the server answered, EDNS included.
  public var code = DNSResponseCode.noError
  /// What was asked.
  public var questions: [DNSQuestion] = []
  /// The records that answer.
  public var answers: [DNSRecord] = []
  /// The records that tell who knows.
  public var authorities: [DNSRecord] = []
  /// The records that come in addition, without that of EDNS.
  public var additionals: [DNSRecord] = []
  /// What EDNS adds; nil where the sender does not use it.
  public var ednsExtension: DNSExtension?
  /// How many bytes follow the message; they mean nothing.
  public var trailingByteCount = 0

  /// A message without content.
  public init() {}
}

/// Why bytes are no DNS message, and where.
public struct DNSError: Error, Equatable, Sendable {
  /// What was wrong.
  public enum Code: Equatable, Sendable {
    /// The bytes end inside the header, a name or a record.
    case unexpectedEnd
    /// A label's length has upper bits that no RFC gives a meaning.
    case badLabelType
    /// A pointer in a name that does not lead back to an earlier name, or one too many.
    case badPointer
    /// A name of more than 255 bytes.
    case nameTooLong
    /// A record's content that is shorter or longer than its type has it.
    case badRecord(DNSRecordType)
    /// Two records of EDNS, or one with a name.
    case badExtension
  }

  /// What was wrong.
  public let code: Code
  /// The offset in bytes, from the message's start, of the part where it was found.
  public let offset: Int

  init(_ code: Code, at offset: Int) {
    self.code = code
    self.offset = offset
  }

  /// One line in words: `byte 17: a name's pointer does not lead back`.
  public var message: String { "byte \(offset): " + reason }

  private var reason: String {
    switch code {
    case .unexpectedEnd: "the message ends too early"
    case .badLabelType: "a name has a label of an unknown kind"
    case .badPointer: "a name's pointer does not lead back"
    case .nameTooLong: "a name has more than 255 bytes"
    case .badRecord(let type): "a record of type \(type.name) is malformed"
    case .badExtension: "the record of EDNS is malformed"
    }
  }
}
