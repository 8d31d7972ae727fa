// SPDX-License-Identifier: Apache-2.0

import Protobuf

/// Compiles a .proto file, and what it imports, from files that come in pairs of parts: the `FileDescriptorSet`.
func compiled(_ name: String, _ parts: Requests) throws(SourceError) -> [UInt8] {
  var parts = parts
  var files: [String: [UInt8]] = [:]
  while !parts.isAtEnd {
    let name = String(decoding: parts.part(), as: UTF8.self)
    files[name] = Array(parts.part())
  }
  var set = WireWriter()
  for file in try SchemaSource.compile([name], load: { files[$0].map { .success($0) } ?? .missing }) {
    set.bytes(file, field: 1)
  }
  return set.bytes
}
