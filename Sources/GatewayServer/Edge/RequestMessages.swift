// SPDX-License-Identifier: Apache-2.0

internal import Protobuf
internal import Transcoding

/// Makes the messages of a call from the body of a request: one of the whole body, or, where the method takes a stream
/// of messages, one of each document, and of each chunk where the body is bytes of any type.
struct RequestMessages {
  private let transcoder: RequestTranscoder
  private let limit: Int
  /// Whether each chunk is a message of its own.
  private let takesChunks: Bool
  private var splitter: RequestSplitter?
  private var bytes: [UInt8] = []
  private var hasEnded = false
  private var isFirst = true

  /// The messages of a request, whose body or each document of it has at most `limit` bytes.
  init(_ transcoder: RequestTranscoder, limit: Int) {
    self.transcoder = transcoder
    self.limit = limit
    let route = transcoder.route
    takesChunks = route.method.isClientStreaming && route.takesRawBody
    // A route without a body has one message, which the path and the query are.
    let takesDocuments = route.method.isClientStreaming && !route.takesRawBody && route.body != .none
    splitter = takesDocuments ? RequestSplitter(byteLimit: limit) : nil
  }

  mutating func receive(_ chunk: [UInt8]) {
    if splitter != nil {
      splitter?.receive(chunk[...])
    } else if bytes.isEmpty {
      bytes = chunk
    } else {
      bytes += chunk
    }
  }

  mutating func receiveEnd() {
    hasEnded = true
    splitter?.receiveEnd()
  }

  /// The next message; nil where more bytes must come for one, or none does.
  mutating func next() throws(TranscodingError) -> [UInt8]? {
    if splitter != nil {
      guard let document = try splitter?.next() else { return nil }
      return try message(document)
    }
    // One that is too large is refused before it is whole.
    let isWhole = takesChunks ? !bytes.isEmpty || hasEnded && isFirst : hasEnded && isFirst || bytes.count > limit
    guard isWhole else { return nil }
    defer { bytes = [] }
    return try message(bytes[...])
  }

  private mutating func message(_ body: ArraySlice<UInt8>) throws(TranscodingError) -> [UInt8] {
    var message: [UInt8] = []
    if isFirst {
      isFirst = false
      try transcoder.encode(body: body, into: &message)
    } else {
      try transcoder.encode(followingBody: body, into: &message)
    }
    return message
  }
}
