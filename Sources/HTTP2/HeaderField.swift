// SPDX-License-Identifier: Apache-2.0

/// One field of a header or trailer section (RFC 9113 section 8.2), pseudo-fields such as `:path` included.
public struct HeaderField: Equatable, Sendable {
  /// The name, in lower case on the wire.
  public var name: String

  /// The value. Bytes of a received value that are no UTF-8 have become U+FFFD.
  public var value: String

  /// Whether the field must never enter a compression table, here or at an intermediary (RFC 7541 section 7.1.3).
  public var isSensitive: Bool

  /// A field; `isSensitive` is for credentials and the like.
  public init(_ name: String, _ value: String, isSensitive: Bool = false) {
    self.name = name
    self.value = value
    self.isSensitive = isSensitive
  }

  /// What SETTINGS_MAX_HEADER_LIST_SIZE counts for a field beside both lengths (RFC 9113 section 6.5.2).
  static let overhead = 32
}

/// A header or trailer section, in the order of the wire.
public typealias HeaderFields = [HeaderField]

extension [HeaderField] {
  /// The value of the first field with the name, which is compared as is: names are lower case in HTTP/2.
  public func first(named name: String) -> String? {
    for field in self where field.name == name { return field.value }
    return nil
  }

  /// The values of all fields with the name, in order.
  public func all(named name: String) -> [String] {
    var values: [String] = []
    for field in self where field.name == name { values.append(field.value) }
    return values
  }

  /// Adds a field at the end.
  public mutating func append(_ name: String, _ value: String) { append(HeaderField(name, value)) }
}
