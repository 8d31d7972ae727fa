// SPDX-License-Identifier: Apache-2.0

public import GRPC
public import SwiftProtobuf

/// How messages of a type become bytes and the other way round.
public struct MessageCodec<Message: Sendable>: Sendable {
  /// The message in its frame. Throws where it cannot be encoded.
  public let encode: @Sendable (Message) throws -> MessageFrame
  /// The message that the bytes stand for. Throws where they stand for none.
  public let decode: @Sendable ([UInt8]) throws -> Message

  /// A codec of two functions.
  public init(
    encode: @escaping @Sendable (Message) throws -> MessageFrame,
    decode: @escaping @Sendable ([UInt8]) throws -> Message
  ) {
    self.encode = encode
    self.decode = decode
  }
}

extension MessageCodec where Message == [UInt8] {
  /// Messages as the bytes that they are, for whoever passes them on or knows their format himself.
  public static let bytes = MessageCodec(encode: { MessageFrame($0) }, decode: { $0 })
}

extension MessageCodec where Message: SwiftProtobuf.Message {
  /// Messages of Protobuf in its binary format.
  @inlinable public static func protobuf() -> MessageCodec<Message> {
    MessageCodec(encode: { try $0.serializedBytes() }, decode: { try Message(serializedBytes: $0) })
  }
}

/// Lets a message be serialized straight into its frame.
extension MessageFrame: SwiftProtobufContiguousBytes {
  /// A frame of so many equal bytes; the serializer asks for zeros.
  public init(repeating byte: UInt8, count: Int) {
    if byte == 0 { self.init(zeroed: count) } else { self.init([UInt8](repeating: byte, count: count)) }
  }

  /// The frame of the bytes of a sequence.
  public init<Bytes: Sequence>(_ bytes: Bytes) where Bytes.Element == UInt8 { self.init([UInt8](bytes)) }

  /// Bytes of the message.
  public var count: Int { messageCount }
}
