// SPDX-License-Identifier: Apache-2.0

/// Compiles .proto files, as `protoc` does: proto2, proto3, and editions 2023 and 2024.
///
/// Options are the language's own and the extensions of `google.protobuf`'s options messages that the files declare.
/// Those with `retention = RETENTION_SOURCE` are read and left out.
public enum SchemaSource {
  /// How many files may import each other.
  static let fileLimit = 4_096
  /// How many bytes they may have together.
  static let byteLimit = 64 << 20

  /// Compiles some files and all that they import into serialized `FileDescriptorProto`s, which ``DescriptorPool``
  /// links: what a name means is found here, what a schema may not do is found there.
  ///
  /// - Parameters:
  ///   - names: the files, as they would be imported.
  ///   - known: files that are compiled already, by name, which serve where `load` has none; all that they import is
  ///     among them.
  ///   - load: gives a file by that name.
  public static func compile(
    _ names: [String], known library: [String: [UInt8]] = [:], load: (String) -> SourceFile
  ) throws(SourceError) -> [[UInt8]] {
    var files: [FileNode] = []
    var compiled: [[UInt8]] = []
    var inLibrary: Set<String> = []
    var known: Set<String> = []
    var byteCount = 0
    var wanted = names.reversed().map { (name: $0, importer: "", position: SourcePosition.file) }
    while let next = wanted.popLast() {
      guard known.insert(next.name).inserted else { continue }
      let bytes: [UInt8]
      switch load(next.name) {
      case .success(let found): bytes = found
      case .failure(let reason): throw SourceError(next.name, .file, reason)
      case .missing:
        if let known = library[next.name] {
          compiled.append(known)
          inLibrary.insert(next.name)
          wanted += ((try? FileHeader(known))?.imports ?? []).map { ($0, next.name, .file) }
          continue
        }
        guard next.importer.isEmpty else {
          throw SourceError(next.importer, next.position, "the file \"\(next.name)\" is not there")
        }
        throw SourceError(next.name, .file, "there is no such file")
      }
      byteCount += bytes.count
      guard files.count < fileLimit, byteCount <= byteLimit else {
        throw SourceError(next.name, .file, "the files are more than \(fileLimit), or larger than 64 MiB together")
      }
      let file = try SourceParser.parse(bytes, name: next.name)
      files.append(file)
      wanted += file.imports.reversed().map { ($0.name, next.name, $0.position) }
    }
    var names = SourceNames()
    if !compiled.isEmpty {
      do throws(SchemaError) { names.add(try DescriptorPool(files: Array(library.values)), inLibrary) } catch {
        throw SourceError(error.file, .file, error.code.reason)
      }
    }
    for file in files { names.add(file) }
    // Options that are extensions are read when the files that declare them are linked, which needs all others.
    let isTentative = names["google.protobuf.FileOptions"] != nil
    var written: [[UInt8]] = []
    var unfinished: [Int] = []
    for (place, file) in files.enumerated() {
      var writer = DescriptorWriter(file, names.scope(of: file), OptionEncoder(isTentative: isTentative))
      written.append(try writer.write())
      if writer.hasLeftOut { unfinished.append(place) }
    }
    let pool: DescriptorPool
    do throws(SchemaError) { pool = try DescriptorPool(files: compiled + written) } catch {
      let entry = names[error.element]
      let position = entry?.file == error.file ? entry?.position : nil
      throw SourceError(
        error.file, position ?? .file, (error.element.isEmpty ? "" : error.element + ": ") + error.code.reason)
    }
    for file in files {
      if let linked = pool.file(named: file.name) { try SourceRules.check(linked, names) }
    }
    for place in unfinished {
      var writer = DescriptorWriter(files[place], names.scope(of: files[place]), OptionEncoder(pool: pool))
      written[place] = try writer.write()
    }
    return compiled + written
  }
}

/// What came of looking for a .proto file.
public enum SourceFile: Sendable {
  /// Its bytes.
  case success([UInt8])
  /// It is there, and cannot be read: why, without a full stop.
  case failure(String)
  /// There is no such file.
  case missing
}
