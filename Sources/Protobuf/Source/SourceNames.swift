// SPDX-License-Identifier: Apache-2.0

/// Every name that some files declare, and where.
struct SourceNames {
  enum Kind { case message, enumeration, service, other }

  struct Entry {
    let kind: Kind
    /// The name of the file.
    let file: String
    let position: SourcePosition
  }

  /// What a file says of others.
  private struct Surroundings {
    let package: String
    let publicImports: [String]
  }

  private var entries: [String: Entry] = [:]
  private var files: [String: Surroundings] = [:]

  /// The declaration of a full name.
  subscript(name: String) -> Entry? { entries[name] }

  /// Adds what a source declares.
  mutating func add(_ file: FileNode) {
    files[file.name] = Surroundings(
      package: file.package, publicImports: file.imports.filter { $0.kind == .published }.map { $0.name })
    for message in file.messages { add(message, in: file.package, file.name) }
    for enumeration in file.enums { add(enumeration, in: file.package, file.name) }
    for field in file.extensions { add(.other, file.package, field.name, field.position, file.name) }
    for service in file.services {
      let scope = add(.service, file.package, service.name, service.position, file.name)
      for method in service.methods { add(.other, scope, method.name, method.position, file.name) }
    }
  }

  /// Adds what a compiled file declares.
  mutating func add(_ file: FileDeclaration) {
    let published = file.publicImports.filter { file.imports.indices.contains(Int($0)) }
    files[file.name] = Surroundings(
      package: file.package, publicImports: published.map { file.imports[Int($0)] })
    for message in file.messages { add(message, in: file.package, file.name) }
    for enumeration in file.enums { add(enumeration, in: file.package, file.name) }
    for field in file.extensions { add(.other, file.package, field.name, .file, file.name) }
    for service in file.services { add(.service, file.package, service.name, .file, file.name) }
  }

  private mutating func add(_ message: MessageDeclaration, in scope: String, _ file: String) {
    let name = add(.message, scope, message.name, .file, file)
    for field in message.fields + message.extensions { add(.other, name, field.name, .file, file) }
    for nested in message.messages { add(nested, in: name, file) }
    for enumeration in message.enums { add(enumeration, in: name, file) }
  }

  private mutating func add(_ enumeration: EnumDeclaration, in scope: String, _ file: String) {
    add(.enumeration, scope, enumeration.name, .file, file)
    for value in enumeration.values { add(.other, scope, value.name, .file, file) }
  }

  private mutating func add(_ message: MessageNode, in scope: String, _ file: String) {
    let name = add(.message, scope, message.name, message.position, file)
    for field in message.fields + message.extensions { add(.other, name, field.name, field.position, file) }
    for oneof in message.oneofs { add(.other, name, oneof.name, oneof.position, file) }
    for nested in message.messages { add(nested, in: name, file) }
    for enumeration in message.enums { add(enumeration, in: name, file) }
  }

  private mutating func add(_ enumeration: EnumNode, in scope: String, _ file: String) {
    add(.enumeration, scope, enumeration.name, enumeration.position, file)
    for value in enumeration.values { add(.other, scope, value.name, value.position, file) }
  }

  /// Of two declarations of one name the later counts: it is the one at fault.
  @discardableResult
  private mutating func add(
    _ kind: Kind, _ scope: String, _ name: String, _ position: SourcePosition, _ file: String
  ) -> String {
    let name = Self.join(scope, name)
    entries[name] = Entry(kind: kind, file: file, position: position)
    return name
  }

  static func join(_ scope: String, _ name: String) -> String { scope.isEmpty ? name : scope + "." + name }

  /// The scope around a full name.
  static func scope(around name: String) -> String {
    name.utf8.lastIndex(of: 0x2E).map { String(name[..<$0]) } ?? ""
  }

  /// What a file sees: its own names, and those of the files that it imports, or that these publish.
  func scope(of file: FileNode) -> SourceScope {
    var visible: Set<String> = [file.name]
    var packages: Set<String> = []
    var open = file.imports.map { $0.name }
    while let name = open.popLast() {
      if visible.insert(name).inserted { open += files[name]?.publicImports ?? [] }
    }
    for name in visible {
      var package = files[name]?.package ?? ""
      while !package.isEmpty, packages.insert(package).inserted { package = Self.scope(around: package) }
    }
    return SourceScope(names: self, visible: visible, packages: packages)
  }
}

/// The names that one file sees.
struct SourceScope {
  let names: SourceNames
  fileprivate let visible: Set<String>
  fileprivate let packages: Set<String>

  /// The full name of what a scope means by a name; nil where there is none.
  ///
  /// The first part of the name is looked for from the innermost scope outwards; the rest must be where that is found.
  /// Where a type is meant, what is none is passed over.
  func find(_ name: String, in scope: String, isType: Bool) -> String? {
    if name.utf8.first == 0x2E { return declared(String(name.dropFirst())) }
    let parts = name.utf8.split(separator: 0x2E, maxSplits: 1)
    guard let first = parts.first.map({ String(decoding: $0, as: UTF8.self) }) else { return nil }
    var scope = scope
    while true {
      let candidate = SourceNames.join(scope, first)
      let kind = declared(candidate).flatMap { names[$0]?.kind }
      if parts.count > 1 {
        if packages.contains(candidate) || kind != nil && kind != .other {
          return declared(SourceNames.join(scope, name))
        }
      } else if let kind, !isType || kind == .message || kind == .enumeration {
        return candidate
      }
      guard !scope.isEmpty else { return nil }
      scope = SourceNames.scope(around: scope)
    }
  }

  private func declared(_ name: String) -> String? {
    names[name].flatMap { visible.contains($0.file) ? name : nil }
  }

  /// The file that declares a name which is not found because nobody imports that file.
  func hidingPlace(of name: String, in scope: String) -> String? {
    var scope = scope
    while true {
      let candidate = name.utf8.first == 0x2E ? String(name.dropFirst()) : SourceNames.join(scope, name)
      if let entry = names[candidate], !visible.contains(entry.file) { return entry.file }
      guard !scope.isEmpty else { return nil }
      scope = SourceNames.scope(around: scope)
    }
  }
}
