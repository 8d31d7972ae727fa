// SPDX-License-Identifier: Apache-2.0

/// Why bytes are no message of a type, or why a message cannot be encoded or changed.
public struct MessageError: Error, Equatable, Sendable {
  /// What was wrong.
  public enum Code: Equatable, Sendable {
    /// The bytes break a rule of the wire format, or a string is not UTF-8.
    case malformed(WireError.Code)
    /// A packed field whose length is no multiple of its values' size.
    case unevenPackedField
    /// The message is larger than ``MessageLimits/bytes``, or, to be encoded, than 2 GiB.
    case tooLarge
    /// There are more values than ``MessageLimits/elements``.
    case tooManyElements
    /// A required field is not set.
    case missingRequired
    /// A field of another message, or of another pool.
    case foreignField
    /// A value of another type than the field's.
    case wrongType
    /// A key that stands twice in the value of a map.
    case duplicateKey
  }

  /// What was wrong.
  public let code: Code
  /// The offset in bytes, from the start of the message, of the field where it was found; 0 where there were no bytes.
  public let offset: Int
  /// The way to the field, by names and, in lists, places: `users[2].address.street`; empty for the message itself.
  public private(set) var path: String

  init(_ code: Code, at offset: Int = 0, path: String = "") {
    self.code = code
    self.offset = offset
    self.path = path
  }

  /// The same error, seen from the message around.
  func within(_ field: FieldLayout, _ place: Int? = nil) -> MessageError {
    var error = self
    let name = field.isExtension ? field.jsonKey : field.common.name
    error.path = name + (place.map { "[\($0)]" } ?? "") + (path.isEmpty ? "" : ".") + path
    return error
  }

  /// One line in words: `users[2].name: a string is not UTF-8, at byte 17`.
  public var message: String { (path.isEmpty ? "" : path + ": ") + reason }

  private var reason: String {
    switch code {
    case .malformed(let code): code.reason + ", at byte \(offset)"
    case .unevenPackedField: "a packed field ends within a value, at byte \(offset)"
    case .tooLarge: "the message is too large"
    case .tooManyElements: "the message has too many values, at byte \(offset)"
    case .missingRequired: "a required field is not set"
    case .foreignField: "the field is one of another message"
    case .wrongType: "the value is not of the field's type"
    case .duplicateKey: "a key stands twice in a map"
    }
  }
}

extension WireError.Code {
  fileprivate var reason: String {
    switch self {
    case .truncated: "the bytes end within a field"
    case .malformedVarint: "a varint is malformed"
    case .illegalTag: "a tag is illegal"
    case .unbalancedGroup: "a group has no end, or an end no group"
    case .tooDeep: "messages nest too deep"
    case .invalidUTF8: "a string is not UTF-8"
    }
  }
}

/// How much of a message decoding takes.
public struct MessageLimits: Sendable {
  /// How deep messages and groups may nest within the message; the same as the official implementations'.
  public var depth = WireReader.defaultDepthLimit
  /// Bytes; gRPC's own limit for a message.
  public var bytes = 4 << 20
  /// Values over all fields, elements of lists and entries of maps among them. One takes up to a hundred bytes of
  /// memory, however few it has on the wire.
  public var elements = 1 << 20

  /// The limits unless the caller says otherwise.
  public init() {}
}
