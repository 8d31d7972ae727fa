// SPDX-License-Identifier: Apache-2.0

public import Protobuf

/// What a serialized `FileDescriptorProto` says of itself and of other files.
public struct FileHeader: Equatable, Sendable {
  /// The name by which other files import it; empty where it has none.
  public private(set) var name = ""
  /// The names of the files that it imports.
  public private(set) var imports: [String] = []

  /// Reads the header; the rest of the file is passed over.
  public init(_ bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      if field.number == 1, let text = try field.value.string() { name = text }
      if field.number == 3, let text = try field.value.string() { imports.append(text) }
    }
  }
}

extension FileHeader {
  /// The serialized files of a `FileDescriptorSet`.
  public static func files(ofSet bytes: [UInt8]) throws(WireError) -> [[UInt8]] {
    var files: [[UInt8]] = []
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      if field.number == 1, case .bytes(let file) = field.value { files.append(Array(file)) }
    }
    return files
  }
}
