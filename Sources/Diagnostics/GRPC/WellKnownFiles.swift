// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Gzip
internal import Protobuf

/// Schemas that many others import: the well-known types of google.protobuf, the messages that statuses' details mostly
/// are (google/rpc), and the annotations for HTTP (google/api). Servers and folders of .proto files often lack them.
enum WellKnownFiles {
  /// The files by name, serialized.
  static let files: [String: [UInt8]] = {
    let compressed = Base64.decode(literal: text)
    let set = try? Gzip.decompress(compressed.span, limit: 1 << 20)
    var files: [String: [UInt8]] = [:]
    for file in (try? FileDeclaration.files(of: set ?? [])) ?? [] {
      if let header = try? FileHeader(file) { files[header.name] = file }
    }
    return files
  }()

  /// The schemas, linked.
  static let pool: DescriptorPool? = try? DescriptorPool(files: Array(files.values))
}
