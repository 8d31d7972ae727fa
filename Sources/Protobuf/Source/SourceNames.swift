// SPDX-License-Identifier: Apache-2.0

/// Every name that some files declare, and where.
struct SourceNames {
  enum Kind { case message, enumeration, service, other }

  struct Entry {
    let name: String
    let kind: Kind
    /// The name of the file.
    var file = ""
    let position: SourcePosition
  }

  private var entries: [Entry] = []
  /// The places of entries by their names.
  private var places: [String: Int] = [:]
  private var packages: [String] = []
  private var publicImports: [[String]] = []
  /// The places of files, of their packages and of what they publish, by their names.
  private var files: [String: Int] = [:]

  /// The declaration of a full name.
  subscript(name: String) -> Entry? { places[name].map { entries[$0] } }

  /// Adds what a source declares. Of two declarations of one name the later counts: it is the one at fault.
  mutating func add(_ file: FileNode) {
    add(file: file.name, file.package, file.imports.filter { $0.kind == .published }.map { $0.name })
    for declared in file.declared {
      places[declared.name] = entries.count
      entries.append(declared)
      entries[entries.count - 1].file = file.name
    }
  }

  /// Adds what some compiled files of a pool declare.
  mutating func add(_ pool: DescriptorPool, _ names: Set<String>) {
    for file in pool.files where names.contains(file.name) {
      add(file: file.name, file.package, file.publicImports.map { $0.name })
    }
    for name in pool.symbols.keys {
      guard let symbol = pool.symbol(named: name), names.contains(symbol.file.name) else { continue }
      let kind: Kind =
        switch symbol {
        case .message: .message
        case .enumeration: .enumeration
        case .service: .service
        default: .other
        }
      places[name] = entries.count
      entries.append(Entry(name: name, kind: kind, file: symbol.file.name, position: .file))
    }
  }

  private mutating func add(file name: String, _ package: String, _ published: [String]) {
    files[name] = packages.count
    packages.append(package)
    publicImports.append(published)
  }

  static func join(_ scope: String, _ name: String) -> String { scope.isEmpty ? name : scope + "." + name }

  /// The scope around a full name.
  static func scope(around name: String) -> String {
    name.utf8.lastIndex(of: 0x2E).map { String(name[..<$0]) } ?? ""
  }

  /// What a file sees: its own names, and those of the files that it imports, or that these publish.
  func scope(of file: FileNode) -> SourceScope {
    var scope = SourceScope(names: self)
    var open = [file.name] + file.imports.map { $0.name }
    while let name = open.popLast() {
      guard scope.visible.insert(name).inserted, let place = files[name] else { continue }
      if name != file.name { open += publicImports[place] }
      var package = packages[place]
      while !package.isEmpty, scope.packages.insert(package).inserted { package = Self.scope(around: package) }
    }
    return scope
  }
}

/// The names that one file sees.
struct SourceScope {
  let names: SourceNames
  fileprivate var visible: Set<String> = []
  fileprivate var packages: Set<String> = []

  fileprivate init(names: SourceNames) { self.names = names }

  /// The full name of what a scope means by a name; nil where there is none.
  ///
  /// The first part of the name is looked for from the innermost scope outwards; the rest must be where that is found.
  /// Where a type is meant, what is none is passed over.
  func find(_ name: String, in scope: String, isType: Bool) -> String? {
    if name.utf8.first == 0x2E { return declared(String(name.dropFirst()))?.name }
    let parts = name.utf8.split(separator: 0x2E, maxSplits: 1)
    guard let first = parts.first.map({ String(decoding: $0, as: UTF8.self) }) else { return nil }
    var scope = scope
    while true {
      let candidate = SourceNames.join(scope, first)
      let kind = declared(candidate)?.kind
      if parts.count > 1 {
        if packages.contains(candidate) || kind != nil && kind != .other {
          return declared(SourceNames.join(scope, name))?.name
        }
      } else if let kind, !isType || kind == .message || kind == .enumeration {
        return candidate
      }
      guard !scope.isEmpty else { return nil }
      scope = SourceNames.scope(around: scope)
    }
  }

  private func declared(_ name: String) -> SourceNames.Entry? {
    names[name].flatMap { visible.contains($0.file) ? $0 : nil }
  }

  /// Why a name is not found, behind what says that it is not: a file that declares it is not imported.
  func hint(_ name: String, in scope: String) -> String {
    var scope = scope
    while true {
      let candidate = name.utf8.first == 0x2E ? String(name.dropFirst()) : SourceNames.join(scope, name)
      if let entry = names[candidate], !visible.contains(entry.file) {
        return ": " + entry.file + ", which declares it, is not imported"
      }
      guard !scope.isEmpty else { return "" }
      scope = SourceNames.scope(around: scope)
    }
  }
}
