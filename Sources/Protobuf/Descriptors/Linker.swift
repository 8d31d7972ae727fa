// SPDX-License-Identifier: Apache-2.0

/// What a full name names; numbers are places in the pool.
enum Symbol: Equatable, Sendable {
  case package
  case message(Int)
  case enumeration(Int)
  case enumValue(enumeration: Int, position: Int)
  /// A field or an extension.
  case field(Int)
  case oneof(message: Int, position: Int)
  case service(Int)
  case method(Int)
}

/// Makes layouts of declarations, in three steps: every name gets its place; fields, enums and methods find their
/// types; messages get their fields. Each step goes once over all declarations.
///
/// Types are found wherever in the pool they are declared: whether their file is imported is not asked, for nobody can
/// tell the difference at run time.
struct Linker {
  /// A declaration that has its place and its features; its types are still names.
  struct Pending<Declaration> {
    let declaration: Declaration
    let fullName: String
    let place: Place
    /// The features that it inherits.
    let inherited: Features
    /// Those with its own.
    let features: Features
    let options: DescriptorOptions
  }

  /// The places of what stands within a message.
  struct Children {
    /// Whether the message is the entry of a map: asked for by each field of its type, and found once.
    var isMapEntry = false
    var messages: [Int] = []
    var enums: [Int] = []
    var extensions: [Int] = []
    var fields: [Int] = []
    var oneofs: [CommonLayout] = []
  }

  private(set) var files: [FileLayout] = []
  private(set) var symbols: [String: Symbol] = [:]
  /// The places of files by their names.
  private(set) var fileNames: [String: Int] = [:]

  // What was declared, and its layouts as soon as there are any.
  var messages: [Pending<MessageDeclaration>] = []
  var children: [Children] = []
  var enums: [Pending<EnumDeclaration>] = []
  var fields: [Pending<FieldDeclaration>] = []
  var services: [Pending<ServiceDeclaration>] = []
  var enumLayouts: [EnumLayout] = []
  var fieldLayouts: [FieldLayout] = []
  var messageLayouts: [MessageLayout] = []
  var serviceLayouts: [ServiceLayout] = []
  var methodLayouts: [MethodLayout] = []

  private let limits: DescriptorPool.Limits
  private var nameBytes = 0
  private var editions: [Edition] = []
  private var declarations: [FileDeclaration] = []

  /// Links files, in any order. One that is given twice counts once.
  init(_ descriptors: [[UInt8]], limits: DescriptorPool.Limits) throws(SchemaError) {
    self.limits = limits
    try read(descriptors)
    let imports = try resolveImports()
    for index in declarations.indices { try declare(file: index, imports: imports[index]) }
    // From here on declarations are with those who need them.
    declarations = []
    try linkEnums()
    try linkFields()
    try linkServices()
    try linkMessages()
  }

  // MARK: - Files

  private mutating func read(_ descriptors: [[UInt8]]) throws(SchemaError) {
    var budget = DeclarationBudget(limits.declarations)
    var places: [Int] = []
    var bytes = 0
    for (number, descriptor) in descriptors.enumerated() {
      func fail(_ code: SchemaError.Code) -> SchemaError {
        let name = FileDeclaration.name(of: descriptor)
        return SchemaError(code, file: name.isEmpty ? "file \(number + 1)" : name)
      }
      bytes += descriptor.count
      guard bytes <= limits.bytes else { throw fail(.tooLarge) }
      guard declarations.count < limits.files else { throw fail(.tooManyFiles) }
      let declaration: FileDeclaration
      do throws(DeclarationFault) { declaration = try FileDeclaration(descriptor, budget: &budget) } catch {
        throw fail(SchemaError.Code(error))
      }
      guard !declaration.name.isEmpty, declaration.name.utf8.count <= DescriptorPool.nameLimit else {
        throw SchemaError(.invalidName(declaration.name), file: "file \(number + 1)")
      }
      if let known = fileNames[declaration.name] {
        guard descriptors[places[known]] == descriptor else { throw fail(.duplicateFile) }
        continue
      }
      fileNames[declaration.name] = declarations.count
      places.append(number)
      declarations.append(declaration)
    }
  }

  /// The places of each file's imports, in its own order; none leads back to the file.
  private func resolveImports() throws(SchemaError) -> [[Int]] {
    var imports: [[Int]] = []
    for file in declarations {
      var places: [Int] = []
      for name in file.imports {
        guard let place = fileNames[name] else { throw SchemaError(.missingImport(name), file: file.name) }
        places.append(place)
      }
      imports.append(places)
    }
    // A file is done when all its imports are. The way to the file at hand is a stack of our own: its length is the
    // schema's choice.
    var state: [UInt8] = Array(repeating: 0, count: imports.count)
    for first in imports.indices where state[first] == 0 {
      var way = [(file: first, next: 0)]
      state[first] = 1
      while let (file, next) = way.last {
        guard next < imports[file].count else {
          state[file] = 2
          way.removeLast()
          continue
        }
        way[way.count - 1].next += 1
        let target = imports[file][next]
        guard state[target] != 1 else { throw SchemaError(.importCycle, file: declarations[target].name) }
        guard state[target] == 0 else { continue }
        state[target] = 1
        way.append((target, 0))
      }
    }
    return imports
  }

  // MARK: - Names

  private mutating func declare(file index: Int, imports: [Int]) throws(SchemaError) {
    let file = declarations[index]
    func fail(_ code: SchemaError.Code) -> SchemaError { SchemaError(code, file: file.name) }
    let edition: Edition
    let options: DescriptorOptions
    let features: Features
    var publicImports: [Int] = []
    do throws(SchemaError.Code) {
      edition = try Self.edition(of: file)
      options = try DescriptorOptions(checking: file.options, .file)
      features = try Features(edition: edition).refined(by: options, .file, edition)
      guard features.presence != .required else { throw .invalidFeature("field_presence") }
      for place in file.publicImports {
        guard imports.indices.contains(Int(place)) else { throw .invalid("a public import is no import") }
        publicImports.append(imports[Int(place)])
      }
    } catch { throw fail(error) }
    editions.append(edition)
    try declare(package: file.package, file: index)

    var own = Children()
    for (position, message) in file.messages.enumerated() {
      let place = Place(file: index, parent: -1, position: position)
      own.messages.append(try declare(message, in: file.package, place, features))
    }
    for (position, declaration) in file.enums.enumerated() {
      let place = Place(file: index, parent: -1, position: position)
      own.enums.append(try declare(declaration, in: file.package, place, features))
    }
    for (position, field) in file.extensions.enumerated() {
      let place = Place(file: index, parent: -1, position: position)
      own.extensions.append(try declare(field, in: file.package, place, features))
    }
    var ownServices: [Int] = []
    for (position, service) in file.services.enumerated() {
      let place = Place(file: index, parent: -1, position: position)
      ownServices.append(try declare(service, in: file.package, place, features))
    }
    files.append(
      FileLayout(
        name: file.name, package: file.package, edition: edition, features: features, options: options,
        imports: imports, publicImports: publicImports, messages: own.messages, enums: own.enums,
        services: ownServices, extensions: own.extensions, sourceInfo: file.sourceInfo))
  }

  private static func edition(of file: FileDeclaration) throws(SchemaError.Code) -> Edition {
    switch file.syntax {
    case "", "proto2": return .proto2
    case "proto3": return .proto3
    case "editions":
      guard let edition = Edition(rawValue: file.edition), edition.hasFeatures else {
        throw .unknownSyntax("edition number \(file.edition)")
      }
      return edition
    default: throw .unknownSyntax("syntax \"" + file.syntax + "\"")
    }
  }

  /// A package and those around it are names that nothing else can have; files share them.
  private mutating func declare(package: String, file: Int) throws(SchemaError) {
    guard !package.isEmpty else { return }
    guard package.utf8.count <= DescriptorPool.nameLimit else { throw fail(.nameTooLong, "", file) }
    guard Identifier.isValidPath(package) else { throw fail(.invalidName(package), "", file) }
    var name = Substring(package)
    while true {
      switch symbols.updateValue(.package, forKey: String(name)) {
      case nil: try take(name.utf8.count, file)
      // The packages around a known one are known.
      case .package?: return
      default: throw fail(.duplicateSymbol, String(name), file)
      }
      guard let dot = name.utf8.lastIndex(of: 0x2E) else { return }
      name = name[..<dot]
    }
  }

  /// Counts a full name: names are long where declarations are short, for each has those around it in it.
  private mutating func take(_ bytes: Int, _ file: Int) throws(SchemaError) {
    nameBytes += bytes
    guard nameBytes <= limits.bytes else { throw fail(.tooLarge, "", file) }
  }

  /// Gives a declaration its full name.
  private mutating func declare(_ name: String, in scope: String, _ symbol: Symbol, _ file: Int) throws(SchemaError)
    -> String
  {
    guard Identifier.isValid(name.utf8[...]) else { throw fail(.invalidName(name), scope, file) }
    guard scope.utf8.count + name.utf8.count < DescriptorPool.nameLimit else { throw fail(.nameTooLong, scope, file) }
    let full = scope.isEmpty ? name : scope + "." + name
    try take(full.utf8.count, file)
    guard symbols.updateValue(symbol, forKey: full) == nil else { throw fail(.duplicateSymbol, full, file) }
    return full
  }

  /// A declaration with its options read and its features known.
  private func pending<Declaration>(
    _ declaration: Declaration, _ fullName: String, _ place: Place, _ inherited: Features,
    _ options: ArraySlice<UInt8>, _ common: CommonOptions
  ) throws(SchemaError) -> Pending<Declaration> {
    do throws(SchemaError.Code) {
      let options = try DescriptorOptions(checking: options, common)
      let features = try inherited.refined(by: options, common, editions[place.file])
      return Pending(
        declaration: declaration, fullName: fullName, place: place, inherited: inherited, features: features,
        options: options)
    } catch { throw fail(error, fullName, place.file) }
  }

  private mutating func declare(
    _ message: MessageDeclaration, in scope: String, _ place: Place, _ features: Features
  ) throws(SchemaError) -> Int {
    let index = messages.count
    let name = try declare(message.name, in: scope, .message(index), place.file)
    let pending = try pending(message, name, place, features, message.options, .message)
    messages.append(pending)
    children.append(Children())
    var own = Children()
    own.isMapEntry = pending.options.isTrue(7)
    for (position, oneof) in message.oneofs.enumerated() {
      let place = Place(file: place.file, parent: index, position: position)
      let symbol = Symbol.oneof(message: index, position: position)
      let name = try declare(oneof.name, in: name, symbol, place.file)
      let pending = try self.pending(oneof, name, place, pending.features, oneof.options, .oneof)
      own.oneofs.append(pending.common(oneof.name, .oneof))
    }
    for (position, field) in message.fields.enumerated() {
      let place = Place(file: place.file, parent: index, position: position)
      var features = pending.features
      // A oneof's features are its fields'. That there is such a oneof is seen to when the field is linked.
      if let oneof = field.oneofIndex, own.oneofs.indices.contains(Int(oneof)) {
        features = own.oneofs[Int(oneof)].features
      }
      own.fields.append(try declare(field, in: name, place, features))
    }
    for (position, field) in message.extensions.enumerated() {
      let place = Place(file: place.file, parent: index, position: position)
      own.extensions.append(try declare(field, in: name, place, pending.features))
    }
    for (position, declaration) in message.enums.enumerated() {
      let place = Place(file: place.file, parent: index, position: position)
      own.enums.append(try declare(declaration, in: name, place, pending.features))
    }
    for (position, message) in message.messages.enumerated() {
      let place = Place(file: place.file, parent: index, position: position)
      own.messages.append(try declare(message, in: name, place, pending.features))
    }
    children[index] = own
    return index
  }

  private mutating func declare(_ field: FieldDeclaration, in scope: String, _ place: Place, _ features: Features)
    throws(SchemaError) -> Int
  {
    let name = try declare(field.name, in: scope, .field(fields.count), place.file)
    fields.append(try pending(field, name, place, features, field.options, .field))
    return fields.count - 1
  }

  /// An enum's values stand beside the enum, not within it, as in C++.
  private mutating func declare(
    _ declaration: EnumDeclaration, in scope: String, _ place: Place, _ features: Features
  ) throws(SchemaError) -> Int {
    let index = enums.count
    let name = try declare(declaration.name, in: scope, .enumeration(index), place.file)
    enums.append(try pending(declaration, name, place, features, declaration.options, .enumeration))
    for (position, value) in declaration.values.enumerated() {
      _ = try declare(value.name, in: scope, .enumValue(enumeration: index, position: position), place.file)
    }
    return index
  }

  private mutating func declare(_ service: ServiceDeclaration, in scope: String, _ place: Place, _ features: Features)
    throws(SchemaError) -> Int
  {
    let name = try declare(service.name, in: scope, .service(services.count), place.file)
    services.append(try pending(service, name, place, features, service.options, .service))
    return services.count - 1
  }

  // MARK: - Services

  private mutating func linkServices() throws(SchemaError) {
    for (index, service) in services.enumerated() {
      var methods: [Int] = []
      for (position, method) in service.declaration.methods.enumerated() {
        let place = Place(file: service.place.file, parent: -1, position: position)
        let symbol = Symbol.method(methodLayouts.count)
        let name = try declare(method.name, in: service.fullName, symbol, place.file)
        let pending = try pending(method, name, place, service.features, method.options, .method)
        methods.append(methodLayouts.count)
        methodLayouts.append(
          MethodLayout(
            common: pending.common(method.name, .method), service: index,
            input: try message(method.input, for: name, place.file),
            output: try message(method.output, for: name, place.file),
            isClientStreaming: method.isClientStreaming, isServerStreaming: method.isServerStreaming))
      }
      serviceLayouts.append(
        ServiceLayout(common: service.common(service.declaration.name, .service), methods: methods))
    }
  }

  // MARK: - What every step uses

  func fail(_ code: SchemaError.Code, _ element: String, _ file: Int) -> SchemaError {
    SchemaError(code, element, file: file < files.count ? files[file].name : declarations[file].name)
  }

  /// What a type's name, which begins with a dot, names.
  func type(_ name: String, for element: String, _ file: Int) throws(SchemaError) -> Symbol {
    guard name.utf8.first == 0x2E, let symbol = symbols[String(Substring(name.utf8.dropFirst()))] else {
      throw fail(.unknownType(name), element, file)
    }
    return symbol
  }

  /// The place of the message that a type's name names.
  func message(_ name: String, for element: String, _ file: Int) throws(SchemaError) -> Int {
    guard case .message(let index) = try type(name, for: element, file) else {
      throw fail(.wrongType(name), element, file)
    }
    return index
  }

  func edition(of file: Int) -> Edition { editions[file] }
}

extension Linker.Pending {
  func common(_ name: String, _ common: CommonOptions) -> CommonLayout {
    CommonLayout(
      name: name, fullName: fullName, place: place, features: features, options: options,
      isDeprecated: common.isDeprecated(options))
  }
}
