// SPDX-License-Identifier: Apache-2.0

public import GRPC
internal import Protobuf
public import SwiftProtobuf

/// A call that failed: its status, and what else the trailing metadata says.
///
/// A handler throws one (or a plain `Status`) to answer with it; a call throws one.
public struct RPCError: Error, Equatable, Sendable {
  /// The status.
  public var status: Status
  /// The trailing metadata.
  public var trailers: Metadata

  /// A failure with a status and trailing metadata.
  public init(_ status: Status, trailers: Metadata = Metadata()) {
    self.status = status
    self.trailers = trailers
  }

  /// A failure with a code and a message.
  public init(_ code: StatusCode, _ message: String) { self.init(Status(code, message)) }

  /// A failure with details, which travel as a `google.rpc.Status` in `grpc-status-details-bin`. Details of more than
  /// ``maxDetailsSize`` bytes in all are left out, since many peers refuse trailers of more than 8 KiB.
  public init(_ code: StatusCode, _ message: String, details: [any SwiftProtobuf.Message]) {
    self.init(code, message)
    append(details: details.compactMap { try? Google_Protobuf_Any(message: $0).serializedBytes() })
  }

  /// A failure whose only detail is a `google.rpc.ErrorInfo`: the reason and the domain that a program can tell it by.
  public init(_ code: StatusCode, _ message: String, reason: String, domain: String) {
    self.init(code, message)
    explain(reason: reason, domain: domain)
  }

  /// Adds a `google.rpc.ErrorInfo` to a failure that has no details.
  public mutating func explain(reason: String, domain: String) {
    guard !trailers.entries.contains(where: { $0.name == Self.detailsName }) else { return }
    var info = WireWriter()
    info.string(reason, field: 1)
    info.string(domain, field: 2)
    var any = WireWriter()
    any.string("type.googleapis.com/google.rpc.ErrorInfo", field: 1)
    any.bytes(info.bytes, field: 2)
    append(details: [any.bytes])
  }

  /// Adds details, each a `google.protobuf.Any`.
  private mutating func append(details: [[UInt8]]) {
    var writer = WireWriter()
    writer.int32(Int32(truncatingIfNeeded: status.code.rawValue), field: 1)
    writer.string(status.message, field: 2)
    for detail in details { writer.bytes(detail, field: 3) }
    guard writer.bytes.count <= Self.maxDetailsSize else { return }
    // The name is fixed and ends as a binary one must.
    try? trailers.append(Self.detailsName, bytes: writer.bytes)
  }

  /// The details' messages, each in its `google.protobuf.Any`; empty where there are none or they cannot be read.
  public var details: [Google_Protobuf_Any] {
    guard let entry = trailers.entries.first(where: { $0.name == Self.detailsName }), let bytes = entry.bytes else {
      return []
    }
    var details: [Google_Protobuf_Any] = []
    var reader = WireReader(bytes)
    while let field = try? reader.next() {
      guard field.number == 3, case .bytes(let slice) = field.value else { continue }
      if let detail = try? Google_Protobuf_Any(serializedBytes: Array(slice)) { details.append(detail) }
    }
    return details
  }

  /// The largest `google.rpc.Status` that is sent, in bytes.
  public static let maxDetailsSize = 4_096

  static let detailsName = "grpc-status-details-bin"

  /// What an error of any kind means for a call. One that is no status becomes INTERNAL, and its text stays here: it
  /// was written for logs, not for clients.
  public init(describing error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case let status as Status: self.init(status)
    case is CancellationError: self.init(.cancelled, "the call was cancelled")
    default: self.init(.internal, "internal error")
    }
  }
}
