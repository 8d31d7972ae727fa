// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import GRPC

/// The forms of gRPC-Web: gRPC whose trailers are the last frame of the body, for clients that cannot read trailers of
/// HTTP.
public enum GRPCWebForm: Equatable, Sendable {
  /// Frames as they are.
  case binary
  /// Frames in base64, for clients that cannot read bytes while they come.
  case text

  /// The form of a type of bodies; nil for a type that is none of gRPC-Web with Protobuf.
  public init?(contentType: String) {
    switch MediaType(contentType)?.name {
    case "application/grpc-web", "application/grpc-web+proto": self = .binary
    case "application/grpc-web-text", "application/grpc-web-text+proto": self = .text
    default: return nil
    }
  }

  /// The form of the answer to a request: text where the client accepts that alone, and else as the request.
  public func answer(accept: String?) -> GRPCWebForm {
    for range in MediaRange.list(accept ?? "") {
      if let form = GRPCWebForm(contentType: range.type.name) { return form }
    }
    return self
  }

  /// The type of a body.
  public var contentType: String {
    switch self {
    case .binary: "application/grpc-web+proto"
    case .text: "application/grpc-web-text+proto"
    }
  }
}

/// Takes the messages out of the body of a request of gRPC-Web, however it is cut.
public struct GRPCWebDecoder: Sendable {
  private let form: GRPCWebForm
  private var deframer: MessageDeframer
  /// The symbols of a group of base64 that is not whole.
  private var group: UInt32 = 0
  private var symbols = 0
  private var padding = 0
  private var failure: Status?

  /// A decoder that refuses messages of more than `limit` bytes.
  public init(_ form: GRPCWebForm, limit: Int = defaultReceiveLimit) {
    self.form = form
    deframer = MessageDeframer(limit: limit)
  }

  /// Takes bytes in. The messages of the ones before should have been taken out.
  public mutating func receive(_ bytes: ArraySlice<UInt8>) {
    guard failure == nil else { return }
    switch form {
    case .binary: deframer.receive(Array(bytes))
    case .text: deframer.receive(decode(bytes))
    }
  }

  /// The next whole message, or nil until more bytes come. A failure is final.
  public mutating func nextMessage() throws(Status) -> [UInt8]? {
    if let message = try deframer.nextMessage() { return message }
    if let failure { throw failure }
    return nil
  }

  /// Sees to it that the body ended behind a whole message, all of which were taken out.
  public func checkEnd() throws(Status) {
    guard symbols == 0, !deframer.isInsideMessage else {
      throw Status(.internal, "the body ends within a message of gRPC-Web")
    }
  }

  /// Groups of four symbols become three bytes; padding ends a group wherever it stands, as each part of a body may be
  /// coded by itself.
  private mutating func decode(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3 + 3)
    for symbol in text {
      if symbol == 0x3D, symbols >= 2 {
        padding += 1
      } else if padding == 0, let value = Base64.value(of: symbol) {
        group |= UInt32(value)
      } else {
        failure = Status(.internal, "the body is no base64")
        return bytes
      }
      symbols += 1
      guard symbols == 4 else {
        group <<= 6
        continue
      }
      for place in 0..<3 - padding { bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * place))) }
      (group, symbols, padding) = (0, 0, 0)
    }
    return bytes
  }
}

/// Frames the answer to a request of gRPC-Web.
public struct GRPCWebEncoder: Sendable {
  /// The flag of the frame with the trailers.
  private static let trailers: UInt8 = 0x80

  private let form: GRPCWebForm

  /// An encoder of a form.
  public init(_ form: GRPCWebForm) { self.form = form }

  /// Appends a message.
  public func message(_ frame: MessageFrame, into bytes: inout [UInt8]) { append(frame.bytes, to: &bytes) }

  /// Appends the end of an answer: its status, and the metadata from behind the last message, the status' details among
  /// them. What cannot stand in a header is left out.
  public func end(_ status: Status, _ metadata: Metadata, into bytes: inout [UInt8]) {
    var text: [UInt8] = []
    func line(_ name: String, _ value: String) {
      text += name.utf8
      text += [0x3A, 0x20]
      text += value.utf8
      text += [0x0D, 0x0A]
    }
    line("grpc-status", String(status.code.rawValue))
    if !status.message.isEmpty { line("grpc-message", StatusMessage.encode(status.message)) }
    for entry in metadata.entries where !Metadata.isReserved(entry.name) && entry.isPrintable {
      line(entry.name, entry.wireValue)
    }
    var frame = MessageFrame(text).bytes
    frame[0] = Self.trailers
    append(frame, to: &bytes)
  }

  private func append(_ frame: [UInt8], to bytes: inout [UInt8]) {
    switch form {
    case .binary: bytes += frame
    case .text: bytes += Base64.encode(frame.span, padded: true).utf8
    }
  }
}
