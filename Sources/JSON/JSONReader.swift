// SPDX-License-Identifier: Apache-2.0

/// One step through a document. What a key, a string or a number consists of is asked of the reader that stands on it.
public enum JSONToken: Equatable, Sendable {
  /// `{`
  case beginObject
  /// `}`
  case endObject
  /// `[`
  case beginArray
  /// `]`
  case endArray
  /// A member's name, ``JSONReader/text``; its value comes next.
  case key
  /// A string, ``JSONReader/text``.
  case string
  /// A number, ``JSONReader/number``.
  case number
  /// `true` or `false`.
  case boolean(Bool)
  /// `null`
  case null
}

/// How much a reader takes.
public struct JSONLimits: Sendable {
  /// How deep arrays and objects may nest.
  public var depth = 100
  /// The largest document, in bytes.
  public var bytes = 4 << 20

  /// The limits unless the caller says otherwise: gRPC's own for a message.
  public init() {}
}

/// Reads one JSON document (RFC 8259) token by token, as the caller asks for them.
///
/// Nothing is copied but strings with escapes: a text is a view into the document and keeps it in memory. Brackets
/// match and commas are right in what the caller sees. Members of one name are the caller's business: ``JSONValue``
/// refuses them. Nothing but white space may follow the document. A reader that threw has ended. A copy of a reader is
/// a bookmark: it reads on from where it was made.
public struct JSONReader: Sendable {
  private let bytes: ArraySlice<UInt8>
  private let limits: JSONLimits
  private var scanner = TokenScanner()

  /// A reader of a document.
  public init(_ bytes: ArraySlice<UInt8>, limits: JSONLimits = JSONLimits()) {
    self.bytes = bytes
    self.limits = limits
  }

  /// A reader of a whole array.
  public init(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) { self.init(bytes[...], limits: limits) }

  /// The next token; nil after the document's end.
  public mutating func next() throws(JSONError) -> JSONToken? {
    guard bytes.count <= limits.bytes else { throw error(.tooLarge, at: 0) }
    do throws(ScanFault) {
      return try scanner.next(bytes, depthLimit: limits.depth)
    } catch { throw self.error(error.code, at: error.offset) }
  }

  /// Passes over the value that comes next, with all that it holds, and checks it like any other. It is for places
  /// where a value must come, as behind a key.
  public mutating func skipValue() throws(JSONError) {
    if let token = try next() { try skipRest(of: token) }
  }

  /// Passes over what is left of the value that a token, the last one, began; nothing where the token is all of it.
  public mutating func skipRest(of token: JSONToken) throws(JSONError) {
    guard token == .beginObject || token == .beginArray else { return }
    let outside = depth - 1
    while depth > outside { _ = try next() }
  }

  /// The offset in bytes at which the last token begins.
  public var offset: Int { scanner.offset }

  /// How many arrays and objects are open.
  public var depth: Int { scanner.open.count }

  /// The text of the last key or string, as UTF-8: a view into the document where nothing is escaped in it, and made
  /// anew at each call where something is.
  public var text: ArraySlice<UInt8> {
    let raw = bytes[bytes.startIndex + scanner.content.lowerBound..<bytes.startIndex + scanner.content.upperBound]
    return scanner.isEscaped ? StringScanner.unescaped(raw.span)[...] : raw
  }

  /// Calls a function with the text of the last key or string: cheaper than ``text`` where the view is not kept.
  public func withText<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    guard scanner.isEscaped else { return body(bytes.span.extracting(scanner.content)) }
    let text = text
    return body(text.span)
  }

  /// The last number.
  public var number: JSONNumber {
    JSONNumber(
      bytes[bytes.startIndex + scanner.content.lowerBound..<bytes.startIndex + scanner.content.upperBound],
      scanner.number)
  }

  /// An error at the place of the last token.
  public func error(_ code: JSONError.Code) -> JSONError { error(code, at: offset) }

  /// An error at a place of the document.
  func error(_ code: JSONError.Code, at offset: Int) -> JSONError { JSONError(code, at: offset, in: bytes) }
}
