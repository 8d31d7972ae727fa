// SPDX-License-Identifier: Apache-2.0

internal import GRPC

/// How the body of a response holds the messages of an answer.
public enum ResponseForm: Equatable, Sendable {
  /// One document.
  case single
  /// A line for each message: `{"result":…}`, and `{"error":…}` with a `google.rpc.Status` for a failure, which is the
  /// last one. Of what a line is its one key tells, whatever the messages are: one may have a field `error` itself, or
  /// be no object.
  case lines
  /// Server-sent events: a `message` for each message, an `error` with a `google.rpc.Status` for a failure, and at a
  /// good end an `end`, so that a browser knows to close its `EventSource`, which asks for the whole again otherwise.
  case events
  /// One array. It has no place for a failure: where one comes in the middle, the response is cut off, which every
  /// client of HTTP sees.
  case array
  /// The bytes of `google.api.HttpBody` messages, one behind the other. A failure cuts the response off.
  case raw

  /// The type of a body; nil where each message says its own.
  public var contentType: String? {
    switch self {
    case .single, .array: "application/json"
    case .lines: "application/x-ndjson"
    case .events: "text/event-stream"
    case .raw: nil
    }
  }

  /// The form of the answer to a request with this `Accept`, all its fields joined by commas; nil where it has none.
  ///
  /// Of the forms that are accepted the one with the greatest weight is chosen; among equals, one that is named before
  /// one that a wildcard allows; and then the first of lines, events and array.
  ///
  /// Throws where the client accepts none, 406.
  public static func negotiate(_ accept: String?, for route: Route) throws(TranscodingError) -> ResponseForm {
    if route.givesRawBody { return .raw }
    let offered: [ResponseForm] = route.kind.hasOneResponse ? [.single] : [.lines, .events, .array]
    // As most clients say it.
    if accept == nil || accept == "*/*" || accept == offered[0].contentType { return offered[0] }
    let ranges = MediaRange.list(accept ?? "")
    guard !ranges.isEmpty else { return offered[0] }
    var best: (form: ResponseForm, weight: Int, precision: Int)?
    for form in offered {
      guard let type = form.contentType, let range = MediaRange.best(for: type, of: ranges), range.weight > 0 else {
        continue
      }
      if let best, (best.weight, best.precision) >= (range.weight, range.precision) { continue }
      best = (form, range.weight, range.precision)
    }
    if let best { return best.form }
    var names = ""
    for type in offered.compactMap({ $0.contentType }) { names += (names.isEmpty ? "" : ", ") + type }
    throw TranscodingError(.notAcceptable, "the answer is of none of the types of Accept, but " + names)
  }
}

/// Frames the messages of one answer, which are JSON already, and its end.
public struct ResponseFramer: Sendable {
  /// How an answer ends that failed.
  public enum Ending: Equatable, Sendable {
    /// The body says so; it ends as usual.
    case told
    /// The body has no place for it: the stream must be reset, or the connection closed before the body's end.
    case cutOff
  }

  /// A comment, which a stream of events may have at any time to keep a connection busy.
  public static let eventHeartbeat: [UInt8] = [0x3A, 0x0A, 0x0A]

  /// How messages are framed.
  public let form: ResponseForm
  private var hasMessages = false

  /// A framer of one answer.
  public init(_ form: ResponseForm) { self.form = form }

  /// Appends a message that a function writes; where it throws, nothing is appended.
  public mutating func message<Failure: Error>(
    into bytes: inout [UInt8], _ write: (inout [UInt8]) throws(Failure) -> Void
  ) throws(Failure) {
    let count = bytes.count
    switch form {
    case .lines: bytes.append("{\"result\":")
    case .events: bytes.append("data: ")
    case .array: bytes.append(hasMessages ? 0x2C : 0x5B)
    case .single, .raw: break
    }
    do throws(Failure) { try write(&bytes) } catch {
      bytes.removeSubrange(count...)
      throw error
    }
    switch form {
    case .lines: bytes.append("}\n")
    case .events: bytes.append("\n\n")
    case .single, .array, .raw: break
    }
    hasMessages = true
  }

  /// Appends the end of an answer that succeeded.
  public mutating func end(into bytes: inout [UInt8]) {
    switch form {
    case .events: bytes.append("event: end\ndata: {}\n\n")
    case .array: bytes.append(hasMessages ? "]" : "[]")
    case .single, .lines, .raw: break
    }
  }

  /// Appends the end of an answer that failed in the middle, whose status a function writes as JSON.
  public mutating func failure(into bytes: inout [UInt8], _ writeStatus: (inout [UInt8]) -> Void) -> Ending {
    switch form {
    case .lines:
      bytes.append("{\"error\":")
      writeStatus(&bytes)
      bytes.append("}\n")
      return .told
    case .events:
      bytes.append("event: error\ndata: ")
      writeStatus(&bytes)
      bytes.append("\n\n")
      return .told
    case .single, .array, .raw: return .cutOff
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ text: StaticString) {
    // A literal lives as long as the program.
    unsafe append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
}
