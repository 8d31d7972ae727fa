// SPDX-License-Identifier: Apache-2.0

internal import JSON

/// Cuts the body of a request into the documents of a stream of messages while it comes, in chunks of any size.
///
/// The body is documents one after another, with white space between them or without, such as one a line (NDJSON), or
/// one array of them: its first character tells which, whatever its type is called. Of documents that are not whole
/// yet, one is kept, and of that one no more than the limit. A splitter that threw has ended.
public struct RequestSplitter: Sendable {
  private var splitter: JSONSplitter?
  private let limits: JSONLimits
  private var hasEnded = false

  /// A splitter that takes documents of so many bytes.
  public init(byteLimit: Int, depthLimit: Int = 100) {
    var limits = JSONLimits()
    limits.bytes = byteLimit
    limits.depth = depthLimit
    self.limits = limits
  }

  /// Takes the next chunk. The documents of the one before should have been taken out: what is left of it is copied.
  public mutating func receive(_ bytes: ArraySlice<UInt8>) {
    if splitter == nil {
      // White space in front belongs to either form.
      guard let first = bytes.first(where: { !$0.isJSONSpace }) else { return }
      splitter = JSONSplitter(first == 0x5B ? .elements : .values, limits: limits)
    }
    splitter?.receive(bytes)
  }

  /// Takes the body's end.
  public mutating func receiveEnd() {
    hasEnded = true
    splitter?.receiveEnd()
  }

  /// The next document; nil where more must come for one, or none does. Throws where the body cannot be cut, also where
  /// it ends within a document or an array.
  public mutating func next() throws(TranscodingError) -> ArraySlice<UInt8>? {
    do throws(JSONError) { return try splitter?.next() } catch {
      throw TranscodingError(
        error.code == .tooLarge ? .tooLarge : .body, "the stream of messages is malformed: " + error.message)
    }
  }

  /// Whether the body has ended, and all its documents were taken out.
  public var isFinished: Bool { hasEnded && splitter?.isFinished ?? true }
}
