// SPDX-License-Identifier: Apache-2.0

internal import Gzip

/// A message in its frame, made in one piece: whoever encodes a message writes it right behind the room of the prefix,
/// and nothing is copied to frame it.
public struct MessageFrame: Equatable, Sendable {
  /// The prefix and the message, as they go into DATA frames.
  public private(set) var bytes: [UInt8]

  /// A frame of a message that was written behind ``MessageFramer/prefixLength`` bytes of room. Fewer bytes than that
  /// are an empty message.
  ///
  /// Of a message beyond what a length of four bytes can tell, the prefix is wrong: see ``checked(limit:)``.
  public init(behindRoom bytes: [UInt8]) {
    self.bytes = bytes
    while self.bytes.count < MessageFramer.prefixLength { self.bytes.append(0) }
    setPrefix(compressed: false)
  }

  /// The frame of a message.
  public init(_ message: some Collection<UInt8>) {
    bytes = []
    bytes.reserveCapacity(MessageFramer.prefixLength + message.count)
    for _ in 0..<MessageFramer.prefixLength { bytes.append(0) }
    bytes += message
    setPrefix(compressed: false)
  }

  /// Bytes of the message.
  public var messageCount: Int { bytes.count - MessageFramer.prefixLength }

  /// The message without its prefix.
  public var message: ArraySlice<UInt8> { bytes.dropFirst(MessageFramer.prefixLength) }

  /// The frame itself where its message has at most `limit` bytes.
  ///
  /// Throws RESOURCE_EXHAUSTED for a larger one.
  public func checked(limit: Int) throws(Status) -> MessageFrame {
    guard messageCount <= min(limit, Int(UInt32.max)) else {
      throw Status(.resourceExhausted, "grpc: trying to send message larger than max (\(messageCount) vs. \(limit))")
    }
    return self
  }

  /// The frame with its message compressed, or as it is where that saves nothing or memory runs out: the prefix says
  /// which, message by message.
  public func gzipped() -> MessageFrame {
    guard let packed = try? Gzip.compress([UInt8](message).span), packed.count < messageCount else { return self }
    var frame = MessageFrame(packed)
    frame.setPrefix(compressed: true)
    return frame
  }

  private mutating func setPrefix(compressed: Bool) {
    let length = UInt32(truncatingIfNeeded: messageCount)
    bytes[0] = compressed ? 1 : 0
    bytes[1] = UInt8(truncatingIfNeeded: length >> 24)
    bytes[2] = UInt8(truncatingIfNeeded: length >> 16)
    bytes[3] = UInt8(truncatingIfNeeded: length >> 8)
    bytes[4] = UInt8(truncatingIfNeeded: length)
  }
}
