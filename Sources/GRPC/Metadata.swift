// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import HTTP2

/// Why a name or a value cannot be sent as metadata.
public enum MetadataError: Error, Equatable, Sendable {
  /// The name is empty.
  case emptyName
  /// The name has a character other than `0-9 a-z - _ .`.
  case illegalName(String)
  /// The value of an ASCII entry has a byte outside printable ASCII.
  case illegalValue(name: String)

  /// One line that names what is wrong, in the words that users of gRPC's Go implementation know.
  public var message: String {
    switch self {
    case .emptyName: "there is an empty key in the header"
    case .illegalName(let name):
      "header key \(name.quoted) contains illegal characters not in [0-9a-z-_.]"
    case .illegalValue(let name): "header key \(name.quoted) contains value with non-printable ASCII characters"
    }
  }
}

/// The entries that travel with a call, in order; a name may occur more than once.
///
/// A name that ends in `-bin` has a binary value, which the wire carries in base64 without padding; every other value
/// is printable ASCII.
public struct Metadata: Equatable, Sendable {
  /// One entry.
  public struct Entry: Equatable, Sendable {
    /// The name, in lower case.
    public let name: String
    /// The value as the wire carries it.
    public let wireValue: String

    /// Whether the value is binary.
    public var isBinary: Bool { Metadata.isBinary(name) }

    /// The entry as a header field. Secrets never enter a compression table; nor does what is another in every call,
    /// which would only push out what comes again.
    var field: HeaderField {
      let isKeptOut =
        switch name {
        case "authorization", "cookie", "x-request-id", "traceparent", "grpc-status-details-bin": true
        default: false
        }
      return HeaderField(name, wireValue, isSensitive: isKeptOut)
    }

    /// The value's bytes; nil for a binary value whose base64 is broken.
    public var bytes: [UInt8]? { isBinary ? Base64.decode(wireValue.utf8) : Array(wireValue.utf8) }
  }

  /// The entries in order.
  public private(set) var entries: [Entry] = []

  /// No entries.
  public init() {}

  /// The entries of a header or trailer section: everything but pseudo-fields and gRPC's own.
  ///
  /// A binary field may hold several values, joined by commas.
  public init(_ fields: HeaderFields) {
    for field in fields { append(received: field) }
  }

  /// Adds a field that came, unless it is a pseudo-field or gRPC's own.
  mutating func append(received field: HeaderField) {
    guard field.name.utf8.first != 0x3A, !Metadata.isReserved(field.name) else { return }
    if Metadata.isBinary(field.name) {
      for part in field.value.split(onASCII: 0x2C) { entries.append(Entry(name: field.name, wireValue: part)) }
    } else {
      entries.append(Entry(name: field.name, wireValue: field.value))
    }
  }

  /// Adds an entry. The value of a `-bin` name is the plain bytes of the text; it is coded here.
  public mutating func append(_ name: String, _ value: String) throws(MetadataError) {
    try Self.check(name)
    if Self.isBinary(name) {
      entries.append(Entry(name: name, wireValue: Base64.encode(value.systemBytes.span, padded: false)))
    } else {
      guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { throw .illegalValue(name: name) }
      entries.append(Entry(name: name, wireValue: value))
    }
  }

  /// Adds a binary entry, whose name must end in `-bin`.
  public mutating func append(_ name: String, bytes: [UInt8]) throws(MetadataError) {
    try Self.check(name)
    guard Self.isBinary(name) else { throw .illegalValue(name: name) }
    entries.append(Entry(name: name, wireValue: Base64.encode(bytes.span, padded: false)))
  }

  /// Adds the entries of another.
  public mutating func append(contentsOf other: Metadata) { entries += other.entries }

  /// Removes the entries that have the name of one of another's.
  public mutating func remove(namesOf other: Metadata) {
    guard !other.entries.isEmpty, !entries.isEmpty else { return }
    entries.removeAll { entry in other.entries.contains { $0.name == entry.name } }
  }

  /// Adds the entries of another, in the place of those of the same names.
  public mutating func replace(with other: Metadata) {
    remove(namesOf: other)
    append(contentsOf: other)
  }

  /// Adds an entry of gRPC's own, whose name and value come from this module.
  mutating func appendReserved(_ name: String, _ value: String) {
    entries.append(Entry(name: name, wireValue: value))
  }

  /// The first value of a name as the wire carries it.
  public func first(_ name: String) -> String? {
    for entry in entries where entry.name == name { return entry.wireValue }
    return nil
  }

  /// The entries as header fields.
  public var fields: HeaderFields { entries.map { $0.field } }

  /// Whether gRPC or HTTP/2 uses the name itself, so that it is no user's to set.
  public static func isReserved(_ name: String) -> Bool {
    switch name.utf8.count {
    case 2: name == "te"
    case 10: name == "user-agent"
    case 11: name == "grpc-status"
    case 12: name == "content-type" || name == "grpc-timeout" || name == "grpc-message"
    case 13: name == "grpc-encoding"
    case 17: name == "grpc-message-type"
    case 20: name == "grpc-accept-encoding"
    default: false
    }
  }

  /// Whether the values of a name are binary.
  private static func isBinary(_ name: String) -> Bool { name.utf8.last == 0x6E && name.hasSuffix("-bin") }

  private static func check(_ name: String) throws(MetadataError) {
    guard !name.isEmpty else { throw .emptyName }
    for byte in name.utf8 {
      switch byte {
      case 0x61...0x7A, 0x30...0x39, 0x2D, 0x2E, 0x5F: continue  // a-z 0-9 - . _
      default: throw .illegalName(name)
      }
    }
  }
}
