// SPDX-License-Identifier: Apache-2.0

internal import Bytes

// DNS: names, messages, and the files that steer a resolver, all from bytes and into bytes.

/// A domain name, absolute: its labels from the host to the root. Names that differ in ASCII case alone are equal
/// (RFC 4343).
public struct DNSName: Sendable {
  /// The name as a message has it, uncompressed: each label after its length, and the root's zero. At most
  /// ``maxLength`` bytes.
  public let wire: [UInt8]

  /// The longest name, in bytes of ``wire`` (RFC 1035 section 2.3.4).
  public static let maxLength = 255
  /// The longest label, in bytes (RFC 1035 section 2.3.4).
  public static let maxLabelLength = 63

  /// The root, which has no label.
  public static let root = DNSName(checkedWire: [0])

  /// A name from what was checked to be one.
  init(checkedWire wire: [UInt8]) { self.wire = wire }

  /// The name of these labels.
  public init(labels: some Sequence<some Collection<UInt8>>) throws(DNSNameError) {
    var wire: [UInt8] = []
    for label in labels {
      guard !label.isEmpty else { throw .emptyLabel }
      guard label.count <= Self.maxLabelLength else { throw .labelTooLong }
      guard wire.count + label.count + 2 <= Self.maxLength else { throw .nameTooLong }
      wire.append(UInt8(truncatingIfNeeded: label.count))
      wire.append(contentsOf: label)
    }
    self.wire = wire + [0]
  }

  /// Reads a name as people write it: labels with points between them, one more at the end or not, `\.` and `\\` for a
  /// point and a backslash in a label, `\DDD` for any byte (RFC 1035 section 5.1). `.` is the root.
  public init(_ text: String) throws(DNSNameError) {
    if text == "." {
      self = .root
      return
    }
    var labels: [[UInt8]] = [[]]
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      switch byte {
      case 0x2E where rest.isEmpty:
        self = try DNSName(labels: labels)
        return
      case 0x2E: labels.append([])
      case 0x5C: labels[labels.count - 1].append(try Self.escaped(&rest))
      default: labels[labels.count - 1].append(byte)
      }
      // What no name has room for is not read to its end.
      guard labels.count <= Self.maxLength / 2 else { throw .nameTooLong }
    }
    self = try DNSName(labels: labels)
  }

  private static func escaped(_ rest: inout Substring.UTF8View) throws(DNSNameError) -> UInt8 {
    guard let first = rest.popFirst() else { throw .badEscape }
    guard first.isASCIIDigit else { return first }
    let digits = [first] + rest.prefix(2)
    rest = rest.dropFirst(2)
    guard digits.count == 3, let value = parseDecimal(digits, atMost: 255) else { throw .badEscape }
    return UInt8(truncatingIfNeeded: value)
  }

  /// The labels, without the root's.
  public var labels: [ArraySlice<UInt8>] {
    var labels: [ArraySlice<UInt8>] = []
    var index = 0
    while index < wire.count, wire[index] != 0 {
      let end = index + 1 + Int(wire[index])
      labels.append(wire[index + 1..<end])
      index = end
    }
    return labels
  }

  /// The name as people write it, without a point at its end: printable ASCII, with escapes for all else. The root is
  /// `.`.
  public var text: String {
    var text: [UInt8] = []
    for label in labels {
      if !text.isEmpty { text.append(0x2E) }
      for byte in label {
        switch byte {
        case 0x2E, 0x5C: text += [0x5C, byte]
        case 0x21...0x7E: text.append(byte)
        default: text += [0x5C, 0x30 + byte / 100, 0x30 + byte / 10 % 10, 0x30 + byte % 10]
        }
      }
    }
    return text.isEmpty ? "." : String(decoding: text, as: UTF8.self)
  }

  /// The name with another's labels after its own.
  public func appending(_ suffix: DNSName) throws(DNSNameError) -> DNSName {
    guard wire.count - 1 + suffix.wire.count <= Self.maxLength else { throw .nameTooLong }
    return DNSName(checkedWire: wire.dropLast() + suffix.wire)
  }
}

extension DNSName: Hashable {
  // A label's length is below the letters, so that the whole wire form may be compared like text.

  /// Whether two names are the same when ASCII case is ignored.
  public static func == (left: DNSName, right: DNSName) -> Bool {
    left.wire.count == right.wire.count
      && left.wire.elementsEqual(right.wire) { $0.asciiLowercased == $1.asciiLowercased }
  }

  /// Hashes what makes names equal.
  public func hash(into hasher: inout Hasher) {
    for byte in wire { hasher.combine(byte.asciiLowercased) }
  }
}

/// Why a text or labels are no domain name.
public enum DNSNameError: Error, Equatable, Sendable {
  /// Nothing stands before, between or after points.
  case emptyLabel
  /// A label of more than 63 bytes.
  case labelTooLong
  /// A name of more than 255 bytes.
  case nameTooLong
  /// A backslash at the end, or before digits that are not three and at most 255.
  case badEscape

  /// The reason in a few words: `a label has more than 63 bytes`.
  public var message: String {
    switch self {
    case .emptyLabel: "a label is empty"
    case .labelTooLong: "a label has more than 63 bytes"
    case .nameTooLong: "the name has more than 255 bytes"
    case .badEscape: "a backslash escapes nothing"
    }
  }
}
