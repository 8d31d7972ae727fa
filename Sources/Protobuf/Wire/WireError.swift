// SPDX-License-Identifier: Apache-2.0

/// Why bytes are no Protobuf message.
public struct WireError: Error, Equatable, Sendable {
  /// What was wrong.
  public enum Code: Equatable, Sendable {
    /// The bytes end inside a field.
    case truncated
    /// A varint of more than ten bytes, or one of ten that does not fit 64 bits; a length of more than five.
    case malformedVarint
    /// Field number 0 or above 2^29 - 1, wire type 6 or 7, or a tag of more than five bytes.
    case illegalTag
    /// A group that ends without its start, with another field's number, or not at all.
    case unbalancedGroup
    /// Groups nested deeper than the reader allows.
    case tooDeep
    /// A string field whose bytes are not UTF-8.
    case invalidUTF8
  }

  /// What was wrong.
  public let code: Code
  /// The offset in bytes, from the start of the reader's bytes, of the field where it was found.
  public let offset: Int

  /// An error at an offset.
  public init(_ code: Code, at offset: Int) {
    self.code = code
    self.offset = offset
  }
}
