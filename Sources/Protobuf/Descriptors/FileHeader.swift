// SPDX-License-Identifier: Apache-2.0

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
