// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Gzip

/// The compression of messages, as `grpc-encoding` names it.
public enum MessageEncoding: Equatable, Sendable {
  /// Messages as they are.
  case identity
  /// The gzip format.
  case gzip

  /// The name on the wire.
  public var name: String {
    switch self {
    case .identity: "identity"
    case .gzip: "gzip"
    }
  }

  /// The encoding of a name, nil where it is foreign to us.
  public init?(name: String) {
    switch name {
    case "identity", "": self = .identity
    case "gzip": self = .gzip
    default: return nil
    }
  }
}

/// Puts messages into frames: a flag byte, four bytes of length, the message.
public enum MessageFramer {
  /// The bytes of a frame before the message.
  public static let prefixLength = 5

  /// The frame of a message, compressed where the encoding says so.
  public static func frame(_ message: [UInt8], encoding: MessageEncoding = .identity) throws(Status) -> [UInt8] {
    var payload = message
    if encoding == .gzip {
      do throws(GzipError) { payload = try Gzip.compress(message.span) } catch {
        throw Status(.internal, "grpc: error while compressing: out of memory")
      }
    }
    guard let length = UInt32(exactly: payload.count) else {
      throw Status(.resourceExhausted, "grpc: message too large (\(payload.count) bytes)")
    }
    var frame: [UInt8] = []
    frame.reserveCapacity(prefixLength + payload.count)
    frame.append(encoding == .gzip ? 1 : 0)
    for shift in [24, 16, 8, 0] as [UInt32] { frame.append(UInt8(truncatingIfNeeded: length >> shift)) }
    frame += payload
    return frame
  }
}

/// Takes messages out of frames, however the bytes are cut.
///
/// ```
///          5 bytes                   length bytes
/// prefix ──────────► body(length) ────────────────► message ──► prefix …
///    │ bad flag, too large, unknown encoding
///    └────────────► failed (for good)
/// ```
public struct MessageDeframer: Sendable {
  /// The encoding that the peer announced; nil where its name is foreign to us.
  public var encoding: MessageEncoding? = .identity
  /// The name that the peer announced, for messages.
  public var encodingName = ""
  /// Whether the message that was handed out last came compressed.
  public private(set) var lastWasCompressed = false

  private let limit: Int
  private var buffer: [UInt8] = []
  private var position = 0
  private var failure: Status?

  /// A deframer that refuses messages of more than `limit` bytes, compressed or not.
  public init(limit: Int) { self.limit = limit }

  /// Whether a frame has begun and is not complete.
  public var isInsideMessage: Bool { position < buffer.count }

  /// Bytes that were taken in and not yet handed out.
  public var bufferedBytes: Int { buffer.count - position }

  /// Whether ``nextMessage()`` has something to give, be it a failure.
  public var hasMessage: Bool {
    if failure != nil { return true }
    guard bufferedBytes >= MessageFramer.prefixLength else { return false }
    let length = self.length
    return refusal(flag: buffer[position], length: length) != nil
      || bufferedBytes - MessageFramer.prefixLength >= length
  }

  /// The length that the frame at hand announces, whose prefix is there.
  private var length: Int {
    var length = 0
    for index in position + 1..<position + MessageFramer.prefixLength { length = length << 8 | Int(buffer[index]) }
    return length
  }

  /// Takes bytes in.
  public mutating func receive(_ bytes: [UInt8]) {
    if position == buffer.count {
      buffer = bytes
    } else {
      if position > 0 { buffer.removeFirst(position) }
      buffer += bytes
    }
    position = 0
  }

  /// The next whole message, or nil until more bytes come. A failure is final.
  ///
  /// A length beyond the limit is refused as soon as it is read: nothing of the message is waited for.
  public mutating func nextMessage() throws(Status) -> [UInt8]? {
    if let failure { throw failure }
    guard buffer.count - position >= MessageFramer.prefixLength else { return nil }
    let flag = buffer[position]
    let length = self.length
    if let refusal = refusal(flag: flag, length: length) {
      failure = refusal
      throw refusal
    }
    let start = position + MessageFramer.prefixLength
    guard buffer.count - start >= length else { return nil }
    let payload = Array(buffer[start..<start + length])
    position = start + length
    lastWasCompressed = flag == 1
    guard flag == 1 else { return payload }
    do throws(GzipError) { return try Gzip.decompress(payload.span, limit: limit) } catch {
      let status =
        switch error {
        case .tooLarge:
          Status(.resourceExhausted, "grpc: received message after decompression larger than max \(limit)")
        case .truncated: Status(.internal, "grpc: failed to decompress the received message: unexpected EOF")
        case .corrupt: Status(.internal, "grpc: failed to decompress the received message: gzip: invalid data")
        case .outOfMemory: Status(.internal, "grpc: failed to decompress the received message: out of memory")
        }
      failure = status
      throw status
    }
  }

  private func refusal(flag: UInt8, length: Int) -> Status? {
    switch (flag, encoding) {
    case (0, _), (1, .gzip?): break
    case (1, .identity?): return Status(.internal, "grpc: compressed flag set with identity or empty encoding")
    case (1, nil):
      return Status(
        .internal, "grpc: Decompressor is not installed for grpc-encoding \(encodingName.quoted)")
    default: return Status(.internal, "grpc: received unexpected payload format \(flag)")
    }
    guard length <= limit else {
      return Status(.resourceExhausted, "grpc: received message larger than max (\(length) vs. \(limit))")
    }
    return nil
  }
}
