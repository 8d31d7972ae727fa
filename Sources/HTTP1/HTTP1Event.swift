// SPDX-License-Identifier: Apache-2.0

/// A response's status line and header section.
public struct HTTP1Head: Equatable, Sendable {
  /// The minor version: 1 for HTTP/1.1.
  public var minorVersion: UInt8
  /// The status, 100 to 999.
  public var status: Int
  /// The reason phrase, empty where there is none. What is not UTF-8 is kept as `String(systemBytes:)` keeps it.
  public var reason: String
  /// The fields, in their order.
  public var fields: [HTTP1Field]

  /// Whether another head follows: a status of 1xx but 101, which ends HTTP on this connection (RFC 9110 section 15.2).
  public var isInterim: Bool { status < 200 && status != 101 }

  /// A head of these parts.
  public init(minorVersion: UInt8 = 1, status: Int, reason: String, fields: [HTTP1Field]) {
    self.minorVersion = minorVersion
    self.status = status
    self.reason = reason
    self.fields = fields
  }
}

/// What a response brings, in this order: any number of interim heads, one head, bytes of the body, the end.
public enum HTTP1Event: Equatable, Sendable {
  /// A head, ``HTTP1Head/isInterim`` or not.
  case head(HTTP1Head)
  /// Bytes of the body, without chunked coding; never empty.
  case body([UInt8])
  /// The response is whole. The trailer section's fields come with it.
  case end(trailers: [HTTP1Field])
  /// The bytes are no response. Nothing follows.
  case failed(HTTP1Error)
}

/// Why bytes are no response of HTTP/1.x, and where.
public struct HTTP1Error: Error, Equatable, Sendable {
  /// What was wrong.
  public enum Code: Equatable, Sendable {
    /// The connection ended without a byte.
    case noResponse
    /// The connection ended inside a head.
    case endedInHead
    /// The connection ended inside a body whose length was announced.
    case endedInBody
    /// The first line is no status line.
    case badStatusLine
    /// The version is not HTTP/1.x.
    case badVersion
    /// A line of a header or trailer section is no field.
    case badField
    /// A field goes on in the next line, which RFC 9112 section 5.2 does away with.
    case foldedField
    /// Content-Length is no number, too large a one, or stands there twice.
    case badContentLength
    /// Both Content-Length and Transfer-Encoding.
    case conflictingLengths
    /// A Transfer-Encoding but `chunked`, or any in HTTP/1.0.
    case badTransferEncoding
    /// A chunk has no proper length, or something stands where its end ought to be.
    case badChunk
    /// A chunk of more bytes than can be counted.
    case chunkTooLarge
    /// A line is longer than the limit.
    case lineTooLong
    /// A section has more fields than the limit.
    case tooManyFields
    /// A section is larger than the limit.
    case headTooLarge
    /// More interim responses than the limit.
    case tooManyInterim
  }

  /// What was wrong.
  public let code: Code
  /// The offset in bytes from the first of the connection: where it was noticed.
  public let offset: Int

  init(_ code: Code, at offset: Int) {
    self.code = code
    self.offset = offset
  }

  /// One line in words: `byte 17: the first line is no status line of HTTP`.
  public var message: String { "byte \(offset): " + reason }

  private var reason: String {
    switch code {
    case .noResponse: "the connection ended without a response"
    case .endedInHead: "the connection ended inside the response's head"
    case .endedInBody: "the connection ended inside the response's body"
    case .badStatusLine: "the first line is no status line of HTTP"
    case .badVersion: "the version is not HTTP/1.x"
    case .badField: "a line is no header field"
    case .foldedField: "a header field is folded into two lines"
    case .badContentLength: "Content-Length is no single number"
    case .conflictingLengths: "both Content-Length and Transfer-Encoding are given"
    case .badTransferEncoding: "Transfer-Encoding is not chunked, or not of HTTP/1.1"
    case .badChunk: "a chunk is malformed"
    case .chunkTooLarge: "a chunk is too large to be counted"
    case .lineTooLong: "a line is too long"
    case .tooManyFields: "there are too many header fields"
    case .headTooLarge: "the response's head is too large"
    case .tooManyInterim: "there are too many interim responses"
    }
  }
}

/// What a response may take of memory before its body. A body takes none: its bytes are handed on.
public struct HTTP1Limits: Equatable, Sendable {
  /// Bytes of one line: status, field or chunk. Servers in wide use send no line of more than 8 KiB.
  public var lineLength = 16 << 10
  /// Fields of one section.
  public var fieldCount = 200
  /// Bytes of a head, or of a trailer section.
  public var headLength = 64 << 10
  /// Interim responses: a server sends one or two.
  public var interimCount = 16

  /// The limits above.
  public init() {}
}
