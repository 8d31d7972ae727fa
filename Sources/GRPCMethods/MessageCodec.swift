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
    MessageCodec(
      encode: { MessageFrame(behindRoom: (try $0.serializedBytes() as FrameBuffer).storage) },
      decode: { try Message(serializedBytes: $0) })
  }
}

/// Where a message is serialized to: right behind the room of its frame's prefix, so that nothing is copied to frame
/// it.
@usableFromInline struct FrameBuffer: SwiftProtobufContiguousBytes {
  @usableFromInline private(set) var storage: [UInt8]

  @usableFromInline init(repeating byte: UInt8, count: Int) {
    storage = [UInt8](repeating: byte, count: MessageFramer.prefixLength + count)
  }

  @usableFromInline init<Bytes: Sequence>(_ bytes: Bytes) where Bytes.Element == UInt8 {
    storage = [UInt8](repeating: 0, count: MessageFramer.prefixLength) + bytes
  }

  @usableFromInline var count: Int { storage.count - MessageFramer.prefixLength }

  @usableFromInline func withUnsafeBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try storage.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0.dropFirst(MessageFramer.prefixLength))) }
  }

  @usableFromInline mutating func withUnsafeMutableBytes<Result>(
    _ body: (UnsafeMutableRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try storage.withUnsafeMutableBytes {
      try body(UnsafeMutableRawBufferPointer(rebasing: $0.dropFirst(MessageFramer.prefixLength)))
    }
  }
}
