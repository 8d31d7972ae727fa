// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import Protobuf

/// Makes the bodies of responses from the messages of an answer.
public struct ResponseTranscoder: Sendable {
  /// The route.
  public let route: Route
  private let options: JSONWritingOptions
  private let limits: MessageLimits

  /// A transcoder of the answers that come by a route: how JSON is written, and how large a message may be.
  public init(
    _ route: Route, options: JSONWritingOptions = JSONWritingOptions(), limits: MessageLimits = MessageLimits()
  ) {
    self.route = route
    self.options = options
    self.limits = limits
  }

  /// Appends the form in JSON of a message, or of the one field of it that the route answers with. An error leaves
  /// `json` as it was.
  public func writeJSON(_ message: ArraySlice<UInt8>, into json: inout [UInt8]) throws(TranscodingError) {
    let message = try decode(message)
    do throws(MappingError) {
      if let field = route.responseField {
        try message.writeJSON(of: field, into: &json, options: options)
      } else {
        try message.writeJSON(into: &json, options: options)
      }
    } catch { throw TranscodingError(.response, "the answer has no form in JSON: " + error.message) }
  }

  /// The bytes of a `google.api.HttpBody` and their type; nothing for a route whose body is JSON. A type that is none,
  /// or that is missing, is `application/octet-stream`.
  public func rawBody(
    _ message: ArraySlice<UInt8>
  ) throws(TranscodingError) -> (contentType: String, data: [UInt8])? {
    guard let raw = route.rawResponse else { return nil }
    var content = try decode(message)
    do throws(MessageError) {
      if let field = route.responseField {
        guard case .message(let inner) = try content.get(field) else { return nil }
        content = inner
      }
      guard case .string(let type) = try content.get(raw.contentType),
        case .bytes(let data) = try content.get(raw.data)
      else { return nil }
      let isType = type.utf8.contains(0x2F) && type.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
      return (isType ? type : "application/octet-stream", data)
    } catch { throw TranscodingError(.response, "the answer cannot be read: " + error.message) }
  }

  private func decode(_ message: ArraySlice<UInt8>) throws(TranscodingError) -> DynamicMessage {
    do throws(MessageError) {
      return try DynamicMessage(decoding: message, as: route.method.output, limits: limits)
    } catch { throw TranscodingError(.response, "the answer cannot be read: " + error.message) }
  }
}
