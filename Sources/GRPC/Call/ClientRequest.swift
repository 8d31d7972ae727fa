// SPDX-License-Identifier: Apache-2.0

public import HTTP2

/// What a client says before its first message.
public struct ClientRequest: Equatable, Sendable {
  /// The method, as `/package.Service/Method`.
  public var path: String
  /// The name that the client calls the server by.
  public var authority: String
  /// Whether the connection is encrypted.
  public var isSecure: Bool
  /// The client's own name and version; left out where empty.
  public var userAgent: String
  /// What is left of the call's time, in nanoseconds; nil for a call without a deadline.
  public var timeout: Int64?
  /// How the request's messages are compressed. Any but identity also says that such answers are understood.
  public var encoding: MessageEncoding
  /// Whether answers may come compressed although the request's messages are not.
  public var acceptsGzip: Bool
  /// The user's entries. Names that gRPC uses itself are left out.
  public var metadata: Metadata

  /// A request.
  public init(
    path: String, authority: String, isSecure: Bool, userAgent: String = "", timeout: Int64? = nil,
    encoding: MessageEncoding = .identity, acceptsGzip: Bool = false, metadata: Metadata = Metadata()
  ) {
    self.path = path
    self.authority = authority
    self.isSecure = isSecure
    self.userAgent = userAgent
    self.timeout = timeout
    self.encoding = encoding
    self.acceptsGzip = acceptsGzip
    self.metadata = metadata
  }

  /// The header section, in the order in which gRPC's Go implementation sends it.
  public var fields: HeaderFields {
    var fields = [
      HeaderField(":method", "POST"),
      HeaderField(":scheme", isSecure ? "https" : "http"),
      HeaderField(":path", path),
      HeaderField(":authority", authority),
      HeaderField("content-type", "application/grpc"),
    ]
    if !userAgent.isEmpty { fields.append("user-agent", userAgent) }
    fields.append("te", "trailers")
    if encoding != .identity { fields.append("grpc-encoding", encoding.name) }
    if encoding != .identity || acceptsGzip {
      let accepted = encoding == .identity ? MessageEncoding.gzip : encoding
      fields.append("grpc-accept-encoding", accepted.name)
    }
    if let timeout { fields.append("grpc-timeout", Timeout.encode(nanoseconds: timeout)) }
    for entry in metadata.entries where !Metadata.isReserved(entry.name) { fields.append(entry.field) }
    return fields
  }
}
