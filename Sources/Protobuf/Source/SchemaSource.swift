// SPDX-License-Identifier: Apache-2.0

/// Compiles .proto files, as `protoc` does: proto2, proto3, and editions 2023 and 2024.
///
/// Options are read as far as they say what messages are on the wire or in JSON (`packed`, `default`, `json_name`,
/// `features`…) or that something is deprecated. Others, and a schema's own ones, are read and left out.
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
  ///   - known: files that are compiled already, by name, which serve where `load` has none.
  ///   - load: gives a file by that name.
  public static func compile(
    _ names: [String], known library: [String: [UInt8]] = [:], load: (String) -> SourceFile
  ) throws(SourceError) -> [[UInt8]] {
    var files: [FileNode] = []
    var compiled: [[UInt8]] = []
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
    for file in files { names.add(file) }
    do throws(SchemaError) { try names.add(DescriptorPool(files: compiled)) } catch {
      throw SourceError(error.file, .file, error.message)
    }
    for file in files {
      var writer = DescriptorWriter(file, names)
      compiled.append(try writer.write())
    }
    return compiled
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

/// Every name that the files declare, to find what a relative name means.
struct SourceNames {
  private enum Kind { case package, message, enumeration }

  private var kinds: [String: Kind] = [:]

  mutating func add(_ file: FileNode) {
    add(package: file.package)
    for message in file.messages { add(message, in: file.package) }
    for enumeration in file.enums { kinds[Self.join(file.package, enumeration.name)] = .enumeration }
  }

  /// Adds what compiled files declare.
  mutating func add(_ pool: DescriptorPool) {
    for file in pool.files {
      add(package: file.package)
      for message in file.messages { add(message) }
      for enumeration in file.enums { kinds[enumeration.fullName] = .enumeration }
    }
  }

  private mutating func add(_ message: MessageDescriptor) {
    kinds[message.fullName] = .message
    for nested in message.messages { add(nested) }
    for enumeration in message.enums { kinds[enumeration.fullName] = .enumeration }
  }

  private mutating func add(package name: String) {
    var package = ""
    for part in name.utf8.split(separator: 0x2E) {
      package = Self.join(package, String(decoding: part, as: UTF8.self))
      // A message has its name before a package of the same one.
      if kinds[package] == nil { kinds[package] = .package }
    }
  }

  private mutating func add(_ message: MessageNode, in scope: String) {
    let name = Self.join(scope, message.name)
    kinds[name] = .message
    for nested in message.messages { add(nested, in: name) }
    for enumeration in message.enums { kinds[Self.join(name, enumeration.name)] = .enumeration }
  }

  static func join(_ scope: String, _ name: String) -> String { scope.isEmpty ? name : scope + "." + name }

  /// The full name of a type that a scope means by a name, and whether it is an enum; nil where there is none.
  ///
  /// The first part of the name is looked for from the innermost scope outwards; the rest must be where that is found.
  func resolve(_ name: String, in scope: String) -> (fullName: String, isEnum: Bool)? {
    if name.utf8.first == 0x2E { return type(String(name.dropFirst())) }
    let parts = name.utf8.split(separator: 0x2E, maxSplits: 1)
    guard let first = parts.first.map({ String(decoding: $0, as: UTF8.self) }) else { return nil }
    var scope = scope
    while true {
      let candidate = Self.join(scope, first)
      if kinds[candidate] != nil {
        if parts.count > 1 { return type(Self.join(scope, name)) }
        if let found = type(candidate) { return found }
      }
      guard !scope.isEmpty else { return nil }
      scope = scope.utf8.lastIndex(of: 0x2E).map { String(scope[..<$0]) } ?? ""
    }
  }

  private func type(_ name: String) -> (fullName: String, isEnum: Bool)? {
    switch kinds[name] {
    case .message: (name, false)
    case .enumeration: (name, true)
    case .package, nil: nil
    }
  }
}
