// SPDX-License-Identifier: Apache-2.0

import Protobuf

/// Makes a serialized message of parts, each a field's number with a text, a number or a message.
public func message(_ parts: [(Int, Part)]) -> [UInt8] {
  var writer = WireWriter()
  for (number, part) in parts {
    switch part {
    case .text(let text): writer.string(text, field: number)
    case .number(let value): writer.int32(value, field: number)
    case .message(let parts): writer.bytes(message(parts), field: number)
    case .bytes(let bytes): writer.bytes(bytes, field: number)
    }
  }
  return writer.bytes
}

/// The content of a field.
public indirect enum Part: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, Sendable
{
  /// A text.
  case text(String)
  /// A varint.
  case number(Int32)
  /// A message of parts.
  case message([(Int, Part)])
  /// Bytes, or a message that is made already.
  case bytes([UInt8])

  /// A text.
  public init(stringLiteral text: String) { self = .text(text) }
  /// A varint.
  public init(integerLiteral value: Int32) { self = .number(value) }
  /// A message of parts.
  public init(arrayLiteral parts: (Int, Part)...) { self = .message(parts) }
}
