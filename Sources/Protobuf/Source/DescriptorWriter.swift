// SPDX-License-Identifier: Apache-2.0

/// Writes what a .proto file declares as a `google.protobuf.FileDescriptorProto`.
struct DescriptorWriter {
  private let file: FileNode
  private let names: SourceScope
  private var options: OptionEncoder
  /// `SourceCodeInfo`, as far as there are comments.
  private var locations = WireWriter()
  private var path: [Int32] = []

  /// A writer of a file whose names, and those of what it imports, are known.
  init(_ file: FileNode, _ names: SourceScope, _ options: OptionEncoder) {
    (self.file, self.names, self.options) = (file, names, options)
  }

  /// Whether options were left out that can be read when the files are linked.
  var hasLeftOut: Bool { options.hasLeftOut }

  private func error(_ reason: String, at position: SourcePosition) -> SourceError {
    SourceError(file.name, position, reason)
  }

  /// The serialized file.
  mutating func write() throws(SourceError) -> [UInt8] {
    var writer = WireWriter()
    writer.string(file.name, field: 1)
    if !file.package.isEmpty { writer.string(file.package, field: 2) }
    // Imports for options alone stand apart from the others, which go by their places.
    for imported in file.imports { writer.string(imported.name, field: imported.kind == .option ? 15 : 3) }
    for (index, imported) in file.imports.filter({ $0.kind != .option }).enumerated() {
      guard imported.kind != .ordinary else { continue }
      writer.int32(Int32(truncatingIfNeeded: index), field: imported.kind == .published ? 10 : 11)
    }
    let package = file.package
    try writeAll(file.messages, field: 4, to: &writer) { (own, node) throws(SourceError) in
      try own.write(node, in: package)
    }
    try writeAll(file.enums, field: 5, to: &writer) { (own, node) throws(SourceError) in
      try own.write(node, in: package)
    }
    try writeAll(file.services, field: 6, to: &writer) { (own, node) throws(SourceError) in try own.write(node) }
    try writeAll(file.extensions, field: 7, to: &writer) { (own, node) throws(SourceError) in
      try own.write(node, in: package)
    }
    // protoc looks for the names of a file's options as if they stood in its package.
    try writeOptions(file.options, of: .file, in: package, field: 8, to: &writer)
    if !locations.bytes.isEmpty { writer.bytes(locations.bytes, field: 9) }
    switch file.edition {
    case .proto2: break
    case .proto3: writer.string("proto3", field: 12)
    default:
      writer.string("editions", field: 12)
      writer.int32(file.edition.rawValue, field: 14)
    }
    return writer.bytes
  }

  /// Writes declarations of one kind. The number of their field is also that of their path in `SourceCodeInfo`.
  private mutating func writeAll<Node>(
    _ nodes: [Node], field: Int32, to writer: inout WireWriter,
    _ body: (inout DescriptorWriter, Node) throws(SourceError) -> [UInt8]
  ) throws(SourceError) {
    for (index, node) in nodes.enumerated() {
      path += [field, Int32(truncatingIfNeeded: index)]
      defer { path.removeLast(2) }
      writer.bytes(try body(&self, node), field: Int(field))
    }
  }

  private mutating func note(_ remarks: SourceRemarks) {
    guard !remarks.leading.isEmpty || !remarks.trailing.isEmpty else { return }
    var location = WireWriter()
    location.packed(path, field: 1)
    location.packed([0, 0, 0], field: 2)
    if !remarks.leading.isEmpty { location.string(remarks.leading, field: 3) }
    if !remarks.trailing.isEmpty { location.string(remarks.trailing, field: 4) }
    locations.bytes(location.bytes, field: 1)
  }

  // MARK: - Messages

  private mutating func write(_ message: MessageNode, in outer: String) throws(SourceError) -> [UInt8] {
    note(message.remarks)
    let scope = SourceNames.join(outer, message.name)
    var writer = WireWriter()
    writer.string(message.name, field: 1)
    // proto3 makes a oneof of its own for each optional field, behind those of the source.
    var synthetic: [String] = []
    var names = Set(message.fields.map { $0.name } + message.oneofs.map { $0.name })
    let isMapEntry = message.isMapEntry
    try writeAll(message.fields, field: 2, to: &writer) { (own, field) throws(SourceError) in
      let isSynthetic = own.file.edition == .proto3 && field.label == .optional && !isMapEntry
      if isSynthetic {
        var name = "_" + field.name
        while !names.insert(name).inserted { name = "X" + name }
        synthetic.append(name)
      }
      let place = isSynthetic ? message.oneofs.count + synthetic.count - 1 : nil
      return try own.write(field, in: scope, synthetic: place, isMapEntry: isMapEntry)
    }
    try writeAll(message.messages, field: 3, to: &writer) { (own, node) throws(SourceError) in
      try own.write(node, in: scope)
    }
    try writeAll(message.enums, field: 4, to: &writer) { (own, node) throws(SourceError) in
      try own.write(node, in: scope)
    }
    for (range, options) in message.extensionRanges {
      var part = Self.range(range, endIsIncluded: false)
      // protoc writes no options of a range of which none is left.
      let options = try self.options.encode(options, of: .extensionRange, in: outer, self.names)
      if !options.isEmpty { part.bytes(options, field: 3) }
      writer.bytes(part.bytes, field: 5)
    }
    try writeAll(message.extensions, field: 6, to: &writer) { (own, node) throws(SourceError) in
      try own.write(node, in: scope)
    }
    for option in message.options where option.isNamed("map_entry") {
      throw option.error("write map<KEY, VALUE>")
    }
    if message.isMapEntry {
      var options = WireWriter()
      options.varint(1, field: 7)
      writer.bytes(options.bytes, field: 7)
    }
    try writeOptions(message.options, of: .message, in: outer, field: 7, to: &writer)
    try writeAll(message.oneofs, field: 8, to: &writer) { (own, node) throws(SourceError) in
      try own.write(node, in: scope)
    }
    for name in synthetic {
      var oneof = WireWriter()
      oneof.string(name, field: 1)
      writer.bytes(oneof.bytes, field: 8)
    }
    for range in message.reservedRanges { writer.bytes(Self.range(range, endIsIncluded: false).bytes, field: 9) }
    for name in message.reservedNames { writer.string(name, field: 10) }
    if let visibility = message.visibility { writer.varint(visibility.rawValue, field: 11) }
    return writer.bytes
  }

  private mutating func write(_ oneof: OneofNode, in scope: String) throws(SourceError) -> [UInt8] {
    note(oneof.remarks)
    var writer = WireWriter()
    writer.string(oneof.name, field: 1)
    try writeOptions(oneof.options, of: .oneof, in: scope, field: 2, to: &writer)
    return writer.bytes
  }

  private static func range(_ range: NumberRange, endIsIncluded: Bool) -> WireWriter {
    var writer = WireWriter()
    writer.int32(range.first, field: 1)
    writer.int32(endIsIncluded ? range.last : range.last + 1, field: 2)
    return writer
  }

  // MARK: - Fields

  private mutating func write(
    _ field: FieldNode, in scope: String, synthetic: Int? = nil, isMapEntry: Bool = false
  ) throws(SourceError) -> [UInt8] {
    try check(field, isMapEntry)
    note(field.remarks)
    var writer = WireWriter()
    writer.string(field.name, field: 1)
    if let extendee = field.extendee {
      writer.string("." + (try resolve(extendee, in: scope, at: field.position).fullName), field: 2)
    }
    writer.int32(field.number, field: 3)
    writer.varint(field.label == .repeated ? 3 : field.label == .required ? 2 : 1, field: 4)
    var type = FieldType.message
    switch field.type {
    case .scalar(let scalar): type = scalar
    case .named(let name):
      let found = try resolve(name, in: scope, at: field.typePosition)
      type = found.isEnum ? .enumeration : .message
      writer.string("." + found.fullName, field: 6)
    case .own(let name, let isGroup):
      if isGroup { type = .group }
      writer.string("." + SourceNames.join(scope, name), field: 6)
    }
    writer.varint(UInt64(type.rawValue), field: 5)
    var options: [OptionNode] = []
    var jsonName = Array(Identifier.jsonName(field.name).utf8)
    var seen: Set<String> = []
    for option in field.options {
      let isDefault = option.isNamed("default")
      if isDefault || option.isNamed("json_name") {
        guard seen.insert(option.name).inserted else { throw option.error("it is set twice") }
        guard isDefault || field.extendee == nil else { throw option.error("extensions have none") }
        if isDefault { writer.bytes(try defaultText(option, type), field: 7) } else { jsonName = try text(option) }
      } else {
        options.append(option)
      }
    }
    writer.bytes(jsonName, field: 10)
    try writeOptions(options, of: .field, in: scope, field: 8, to: &writer)
    if let oneof = field.oneof ?? synthetic { writer.int32(Int32(truncatingIfNeeded: oneof), field: 9) }
    if synthetic != nil || file.edition == .proto3 && field.extendee != nil && field.label == .optional {
      writer.varint(1, field: 17)
    }
    return writer.bytes
  }

  /// The rules about labels, which leave no trace in a descriptor.
  private func check(_ field: FieldNode, _ isMapEntry: Bool) throws(SourceError) {
    guard !isMapEntry else { return }
    switch (file.edition, field.label) {
    case (.proto2, .none):
      guard field.oneof == nil else { return }
      throw error("a field of proto2 is optional, required or repeated: write which", at: field.typePosition)
    case (.proto3, .required): throw error("proto3 has no required fields", at: field.typePosition)
    case (.edition2023, .required), (.edition2023, .optional), (.edition2024, .required), (.edition2024, .optional):
      throw error("editions have features.field_presence instead of this label", at: field.typePosition)
    default: return
    }
  }

  private func resolve(
    _ name: String, in scope: String, at position: SourcePosition
  ) throws(SourceError) -> (fullName: String, isEnum: Bool) {
    guard let found = names.find(name, in: scope, isType: true) else {
      throw error("there is no type \"" + name + "\"" + names.hint(name, in: scope), at: position)
    }
    switch names.names[found]?.kind {
    case .message: return (found, false)
    case .enumeration: return (found, true)
    default: throw error("\"\(name)\" is no type", at: position)
    }
  }

  private func text(_ option: OptionNode) throws(SourceError) -> [UInt8] {
    guard case .word(let token, _) = option.value, token.kind == .string else {
      throw option.error("it takes a text")
    }
    return token.text
  }

  /// A default value as descriptors have it.
  private func defaultText(_ option: OptionNode, _ type: FieldType) throws(SourceError) -> [UInt8] {
    guard case .word(let value, let isNegative) = option.value else {
      throw option.error("messages have none")
    }
    let sign: [UInt8] = isNegative ? [0x2D] : []
    switch (type, value.kind) {
    case (.string, .string): return value.text
    case (.bytes, .string): return Self.escaped(value.text)
    case (.bool, .word), (.enumeration, .word):
      guard !isNegative else { throw option.error(value.string + " has no sign") }
      return value.text
    case (.double, .integer), (.float, .integer):
      // One that is beyond 64 bits is in decimal digits, as it is to stay.
      return sign + (SourceParser.value(of: value.text).map { Array(String($0).utf8) } ?? value.text)
    case (.double, .word), (.float, .word), (.double, .float), (.float, .float): return sign + value.text
    case (.string, _), (.bytes, _), (.bool, _), (.enumeration, _), (.message, _), (.group, _), (_, .float), (_, .word),
      (_, .string), (_, .symbol), (_, .end):
      throw option.error("the value is of another type than the field")
    default:
      guard let number = SourceParser.value(of: value.text) else {
        throw option.error("the value is too large")
      }
      return sign + Array(String(number).utf8)
    }
  }

  private static func escaped(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    for byte in bytes {
      switch byte {
      case 0x22, 0x27, 0x5C: text += [0x5C, byte]
      case 0x20..<0x7F: text.append(byte)
      default: text += [0x5C, 0x30 + (byte >> 6), 0x30 + (byte >> 3 & 7), 0x30 + (byte & 7)]
      }
    }
    return text
  }

  // MARK: - Enums and services

  private mutating func write(_ enumeration: EnumNode, in scope: String) throws(SourceError) -> [UInt8] {
    note(enumeration.remarks)
    var writer = WireWriter()
    writer.string(enumeration.name, field: 1)
    try writeAll(enumeration.values, field: 2, to: &writer) { (own, value) throws(SourceError) in
      own.note(value.remarks)
      var part = WireWriter()
      part.string(value.name, field: 1)
      part.int32(value.number, field: 2)
      try own.writeOptions(value.options, of: .enumValue, in: scope, field: 3, to: &part)
      return part.bytes
    }
    try writeOptions(enumeration.options, of: .enumeration, in: scope, field: 3, to: &writer)
    for range in enumeration.reservedRanges { writer.bytes(Self.range(range, endIsIncluded: true).bytes, field: 4) }
    for name in enumeration.reservedNames { writer.string(name, field: 5) }
    if let visibility = enumeration.visibility { writer.varint(visibility.rawValue, field: 6) }
    return writer.bytes
  }

  private mutating func write(_ service: ServiceNode) throws(SourceError) -> [UInt8] {
    note(service.remarks)
    let scope = SourceNames.join(file.package, service.name)
    var writer = WireWriter()
    writer.string(service.name, field: 1)
    try writeAll(service.methods, field: 2, to: &writer) { (own, node) throws(SourceError) in
      try own.write(node, in: scope)
    }
    try writeOptions(service.options, of: .service, in: file.package, field: 3, to: &writer)
    return writer.bytes
  }

  private mutating func write(_ method: MethodNode, in scope: String) throws(SourceError) -> [UInt8] {
    note(method.remarks)
    var writer = WireWriter()
    writer.string(method.name, field: 1)
    for (type, number) in [(method.input, 2), (method.output, 3)] {
      let found = try resolve(type.name, in: scope, at: type.position)
      guard !found.isEnum else { throw error("\"\(type.name)\" is no message", at: type.position) }
      writer.string("." + found.fullName, field: number)
    }
    if let options = method.options {
      writer.bytes(try self.options.encode(options, of: .method, in: scope, names), field: 4)
    }
    if method.isClientStreaming { writer.varint(1, field: 5) }
    if method.isServerStreaming { writer.varint(1, field: 6) }
    return writer.bytes
  }

  // MARK: - Options

  private mutating func writeOptions(
    _ statements: [OptionNode], of kind: CommonOptions, in scope: String, field: Int, to writer: inout WireWriter
  ) throws(SourceError) {
    guard !statements.isEmpty else { return }
    writer.bytes(try options.encode(statements, of: kind, in: scope, names), field: field)
  }
}
