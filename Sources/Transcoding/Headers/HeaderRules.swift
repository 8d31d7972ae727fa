// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import GRPC

/// Which headers of a request become metadata of its call, and which metadata of an answer become headers.
///
/// Names of headers are equal in any case. Metadata keys are made of `0-9 a-z _ - .`, and values of printable ASCII:
/// what is not is left out, as is all that gRPC and HTTP use themselves, whatever prefix a client puts in front of it.
public struct HeaderRules: Sendable {
  /// The headers that go on under their own names, in small letters.
  public var forwarded = ["authorization", "baggage", "traceparent", "tracestate", "x-request-id"]
  /// What stands in front of the name of a header that goes on without it.
  public var requestPrefix = "grpc-metadata-"
  /// What is put in front of the names of ``permanent`` headers, which go on then; nil where they do not.
  public var permanentPrefix: String?
  /// The metadata that go back under their own names, in small letters.
  public var returned = ["cache-control", "etag", "last-modified", "location", "retry-after", "x-request-id"]
  /// What is put in front of the names of other metadata from before the first message.
  public var responsePrefix = "grpc-metadata-"
  /// What is put in front of the names of metadata from behind the last message.
  public var trailerPrefix = "grpc-trailer-"
  /// How many bytes the metadata of a request have at most, names and values together; servers in wide use take as
  /// many.
  public var byteLimit = 8_192

  /// The headers that ``permanentPrefix`` is about.
  public static let permanent = [
    "accept", "accept-charset", "accept-language", "accept-ranges", "authorization", "cache-control", "content-type",
    "cookie", "date", "expect", "from", "host", "if-match", "if-modified-since", "if-none-match",
    "if-schedule-tag-match", "if-unmodified-since", "max-forwards", "origin", "pragma", "referer", "user-agent", "via",
    "warning",
  ]

  /// What belongs to one connection of HTTP, or to the framing of a body (RFC 9113 section 8.2.2), and is never
  /// metadata.
  private static let connection = [
    "connection", "content-encoding", "content-length", "host", "keep-alive", "proxy-authorization",
    "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
  ]

  /// What browsers add to a request of gRPC-Web beside metadata.
  private static let browser = [
    "accept", "accept-encoding", "accept-language", "cache-control", "cookie", "dnt", "origin", "pragma", "priority",
    "referer", "x-grpc-web", "x-server-timeout", "x-user-agent",
  ]

  /// The rules of a gateway that trusts clients with as little as works.
  public init() {}

  // MARK: - Requests

  /// Who sent a request, as far as the gateway knows.
  public struct Origin: Sendable {
    /// The address of the client.
    public var peer: String
    /// The scheme of the request, `http` or `https`.
    public var scheme: String

    /// An origin.
    public init(peer: String, scheme: String) {
      self.peer = peer
      self.scheme = scheme
    }
  }

  /// The metadata of a request's call: `user-agent` goes on as `x-forwarded-user-agent`, and `x-forwarded-for`,
  /// `x-forwarded-host` and `x-forwarded-proto` are as the last proxy wrote them, with the client's address behind.
  ///
  /// Throws where the value of a `-bin` header is no base64, and where the metadata are larger than the limit.
  public func metadata(
    of headers: some Sequence<(name: String, value: String)>, from origin: Origin
  ) throws(TranscodingError) -> Metadata {
    var metadata = Writer(limit: byteLimit)
    var forwardedFor = ""
    var host = ""
    var forwardedHost = ""
    var scheme = ""
    for header in headers {
      let name = header.name.asciiLowercased
      switch name {
      case "x-forwarded-for": forwardedFor += (forwardedFor.isEmpty ? "" : ", ") + header.value
      case "x-forwarded-host": forwardedHost = header.value
      case "x-forwarded-proto": scheme = header.value
      case "host": host = header.value
      case "user-agent": try metadata.append("x-forwarded-user-agent", header.value)
      default: break
      }
      if forwarded.contains(name) { try metadata.append(name, header.value) }
      if let prefix = permanentPrefix, Self.permanent.contains(name) {
        try metadata.append(prefix + name, header.value)
      }
      // Nobody but the gateway says where a request came from.
      if let key = name.after(requestPrefix), !Self.isOwn(key), key.after("x-forwarded-") == nil {
        try metadata.append(key, header.value)
      }
    }
    forwardedFor += (forwardedFor.isEmpty || origin.peer.isEmpty ? "" : ", ") + origin.peer
    try metadata.append("x-forwarded-for", forwardedFor)
    try metadata.append("x-forwarded-host", forwardedHost.isEmpty ? host : forwardedHost)
    try metadata.append("x-forwarded-proto", scheme.isEmpty ? origin.scheme : scheme)
    return metadata.metadata
  }

  /// The metadata of a call of gRPC-Web, whose headers are metadata already: all but those of HTTP and of browsers.
  ///
  /// Throws as ``metadata(of:from:)``.
  public func webMetadata(
    of headers: some Sequence<(name: String, value: String)>
  ) throws(TranscodingError) -> Metadata {
    var metadata = Writer(limit: byteLimit)
    for header in headers {
      let name = header.name.asciiLowercased
      guard !Self.isOwn(name), !Self.browser.contains(name), name.after("sec-") == nil else { continue }
      try metadata.append(name, header.value)
    }
    return metadata.metadata
  }

  /// Collects metadata within a limit.
  private struct Writer {
    var metadata = Metadata()
    private var left: Int

    init(limit: Int) { left = limit }

    mutating func append(_ name: String, _ value: String) throws(TranscodingError) {
      guard !value.isEmpty else { return }
      var bytes: [UInt8]?
      if name.hasSuffix("-bin") {
        bytes = Base64.decode(value.utf8)
        guard bytes != nil else {
          throw TranscodingError(.header, "the value of the header \(name.quoted) is no base64")
        }
      }
      do throws(MetadataError) {
        if let bytes { try metadata.append(name, bytes: bytes) } else { try metadata.append(name, value) }
      } catch { return }
      left -= name.utf8.count + value.utf8.count
      guard left >= 0 else {
        throw TranscodingError(.headersTooLarge, "the headers that become metadata are larger than the limit")
      }
    }
  }

  // MARK: - Answers

  /// The headers for the metadata from before the first message of an answer.
  public func headers(of metadata: Metadata) -> [(name: String, value: String)] {
    fields(metadata, prefix: responsePrefix)
  }

  /// The trailers for the metadata from behind the last message. A client has to ask for them with `TE: trailers`.
  public func trailers(of metadata: Metadata) -> [(name: String, value: String)] {
    fields(metadata, prefix: trailerPrefix)
  }

  /// The headers for the metadata of an answer of gRPC-Web, under their own names.
  public func webHeaders(of metadata: Metadata) -> [(name: String, value: String)] { fields(metadata, prefix: "") }

  private func fields(_ metadata: Metadata, prefix: String) -> [(name: String, value: String)] {
    var fields: [(name: String, value: String)] = []
    for entry in metadata.entries where !Self.isOwn(entry.name) && entry.isPrintable {
      let isReturned = prefix == responsePrefix && returned.contains(entry.name)
      fields.append((isReturned ? entry.name : prefix + entry.name, entry.wireValue))
    }
    return fields
  }

  /// Whether gRPC or HTTP uses the name itself.
  private static func isOwn(_ name: String) -> Bool {
    name.after("grpc-") != nil || Metadata.isReserved(name) || connection.contains(name) || name.utf8.first == 0x3A
  }
}

extension Metadata.Entry {
  /// Whether the value can be that of a header.
  var isPrintable: Bool { wireValue.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } }
}
