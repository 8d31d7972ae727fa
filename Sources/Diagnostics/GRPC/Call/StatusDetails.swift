// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import GRPC
internal import Protobuf

/// What `grpc-status-details-bin` holds: a `google.rpc.Status`, whose details are messages of any type.
struct StatusDetails {
  /// One detail.
  struct Detail: Equatable {
    /// The full name of its type.
    let type: String
    /// The serialized message.
    let bytes: ArraySlice<UInt8>
  }

  /// The trailer's name.
  private static let trailer = "grpc-status-details-bin"

  private(set) var details: [Detail] = []

  /// Reads the trailers of a call; what is no `google.rpc.Status` has no details.
  init(_ trailers: Metadata) {
    let entry = trailers.entries.first { $0.name == Self.trailer }
    guard let bytes = entry?.bytes else { return }
    details = (try? Self.details(bytes)) ?? []
  }

  private static func details(_ bytes: [UInt8]) throws(WireError) -> [Detail] {
    var details: [Detail] = []
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      guard field.number == 3, case .bytes(let content) = field.value else { continue }
      var type = ""
      var value: ArraySlice<UInt8> = []
      var any = WireReader(content)
      while let field = try any.next() {
        if field.number == 1, let text = try field.value.string() { type = text }
        if field.number == 2, case .bytes(let content) = field.value { value = content }
      }
      details.append(Detail(type: type.split(onASCII: 0x2F).last ?? "", bytes: value))
    }
    return details
  }
}
