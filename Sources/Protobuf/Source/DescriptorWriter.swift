// SPDX-License-Identifier: Apache-2.0

/// Writes what a .proto file declares as a `google.protobuf.FileDescriptorProto`.
struct DescriptorWriter {
  private let file: FileNode
  private let names: SourceNames
  /// `SourceCodeInfo`, as far as there are comments.
  private var locations = WireWriter()
  private var path: [Int32] = []

  /// A writer of a file whose names, and those of what it imports, are known.
  init(_ file: FileNode, _ names: SourceNames) { (self.file, self.names) = (file, names) }

  private func error(_ reason: String, at position: SourcePosition) -> SourceError {
    SourceError(file.name, position, reason)
  }

  /// The serialized file.
  mutating func write() throws(SourceError) -> [UInt8] {
    var writer = WireWriter()
    writer.string(file.name, field: 1)
    if !file.package.isEmpty { writer.string(file.package, field: 2) }
    for imported in file.imports { writer.string(imported.name, field: 3) }
    for (index, imported) in file.imports.enumerated() where imported.isPublic {
      writer.int32(Int32(truncatingIfNeeded: index), field: 10)
    }
    let package = file.package
    try writeAll(file.messages, field: 4, to: &writer) { (own, node) throws(SourceError) in
      try own.write(node, in: package)
    }
    try writeAll(file.enums, field: 5, to: &writer) { (own, node) throws(SourceError) in try own.write(node) }
    try writeAll(file.services, field: 6, to: &writer) { (own, node) throws(SourceError) in try own.write(node) }
    try writeAll(file.extensions, field: 7, to: &writer) { (own, node) throws(SourceError) in
      try own.write(node, in: package)
    }
    try writeOptions(file.options, ["deprecated": 23], features: 50, field: 8, to: &writer)
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

  private mutating func write(_ message: MessageNode, in scope: String) throws(SourceError) -> [UInt8] {
    note(message.remarks)
    let scope = SourceNames.join(scope, message.name)
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
    try writeAll(message.enums, field: 4, to: &writer) { (own, node) throws(SourceError) in try own.write(node) }
    for range in message.extensionRanges { writer.bytes(Self.range(range, endIsIncluded: false), field: 5) }
    try writeAll(message.extensions, field: 6, to: &writer) { (own, node) throws(SourceError) in
      try own.write(node, in: scope)
    }
    var options = WireWriter()
    if message.isMapEntry { options.varint(1, field: 7) }
    try writeOptions(
      message.options,
      ["message_set_wire_format": 1, "deprecated": 3, "deprecated_legacy_json_field_conflicts": 11], features: 12,
      field: 7,
      to: &writer, more: options)
    try writeAll(message.oneofs, field: 8, to: &writer) { (own, node) throws(SourceError) in try own.write(node) }
    for name in synthetic {
      var oneof = WireWriter()
      oneof.string(name, field: 1)
      writer.bytes(oneof.bytes, field: 8)
    }
    for range in message.reservedRanges { writer.bytes(Self.range(range, endIsIncluded: false), field: 9) }
    for name in message.reservedNames { writer.string(name, field: 10) }
    return writer.bytes
  }

  private mutating func write(_ oneof: OneofNode) throws(SourceError) -> [UInt8] {
    note(oneof.remarks)
    var writer = WireWriter()
    writer.string(oneof.name, field: 1)
    try writeOptions(oneof.options, [:], features: 1, field: 2, to: &writer)
    return writer.bytes
  }

  private static func range(_ range: NumberRange, endIsIncluded: Bool) -> [UInt8] {
    var writer = WireWriter()
    writer.int32(range.first, field: 1)
    writer.int32(endIsIncluded ? range.last : range.last + 1, field: 2)
    return writer.bytes
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
    for option in field.options {
      switch option.name {
      case "default": writer.bytes(try defaultText(option, type), field: 7)
      case "json_name": writer.bytes(try text(option), field: 10)
      default: break
      }
    }
    try writeOptions(
      field.options, ["packed": 2, "deprecated": 3], features: 21, field: 8, to: &writer)
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
    guard let found = names.resolve(name, in: scope) else { throw error("there is no type \"\(name)\"", at: position) }
    return found
  }

  private func text(_ option: OptionNode) throws(SourceError) -> [UInt8] {
    guard option.value.kind == .string else { throw error("\(option.name) takes a text", at: option.position) }
    return option.value.text
  }

  /// A default value as descriptors have it.
  private func defaultText(_ option: OptionNode, _ type: FieldType) throws(SourceError) -> [UInt8] {
    let sign: [UInt8] = option.isNegative ? [0x2D] : []
    let value = option.value
    switch (type, value.kind) {
    case (.string, .string): return value.text
    case (.bytes, .string): return Self.escaped(value.text)
    case (.bool, .word), (.enumeration, .word):
      guard !option.isNegative else { throw error("\(value.string) has no sign", at: option.position) }
      return value.text
    case (.double, .integer), (.float, .integer):
      // One that is beyond 64 bits is in decimal digits, as it is to stay.
      return sign + (SourceParser.value(of: value.text).map { Array(String($0).utf8) } ?? value.text)
    case (.double, .word), (.float, .word), (.double, .float), (.float, .float): return sign + value.text
    case (.string, _), (.bytes, _), (.bool, _), (.enumeration, _), (.message, _), (.group, _), (_, .float), (_, .word),
      (_, .string), (_, .symbol), (_, .end):
      throw error("the default value is of another type than the field", at: option.position)
    default:
      guard let number = SourceParser.value(of: value.text) else {
        throw error("the default value is too large", at: option.position)
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

  private mutating func write(_ enumeration: EnumNode) throws(SourceError) -> [UInt8] {
    note(enumeration.remarks)
    var writer = WireWriter()
    writer.string(enumeration.name, field: 1)
    try writeAll(enumeration.values, field: 2, to: &writer) { (own, value) throws(SourceError) in
      own.note(value.remarks)
      var part = WireWriter()
      part.string(value.name, field: 1)
      part.int32(value.number, field: 2)
      try own.writeOptions(value.options, ["deprecated": 1], features: 2, field: 3, to: &part)
      return part.bytes
    }
    try writeOptions(
      enumeration.options,
      ["allow_alias": 2, "deprecated": 3, "deprecated_legacy_json_field_conflicts": 6], features: 7, field: 3,
      to: &writer)
    for range in enumeration.reservedRanges { writer.bytes(Self.range(range, endIsIncluded: true), field: 4) }
    for name in enumeration.reservedNames { writer.string(name, field: 5) }
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
    try writeOptions(service.options, ["deprecated": 33], features: 34, field: 3, to: &writer)
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
    try writeOptions(method.options, ["deprecated": 33, "idempotency_level": 34], features: 35, field: 4, to: &writer)
    if method.isClientStreaming { writer.varint(1, field: 5) }
    if method.isServerStreaming { writer.varint(1, field: 6) }
    return writer.bytes
  }

  // MARK: - Options

  /// Writes the options that are known, of which each is a boolean or an enum's value.
  private func writeOptions(
    _ options: [OptionNode], _ known: [String: Int], features: Int, field: Int, to writer: inout WireWriter,
    more: WireWriter = WireWriter()
  ) throws(SourceError) {
    var written = more
    var featureSet = WireWriter()
    for option in options {
      if let number = known[option.name] {
        written.varint(try value(option), field: number)
      } else if option.name.hasPrefix("features.") {
        if !option.name.utf8.contains(0x28) { try writeFeature(option, to: &featureSet) }
      } else if option.name.utf8.first != 0x28, !Self.passedOver.contains(option.name) {
        throw error("there is no option \(option.name) here", at: option.position)
      }
    }
    if !featureSet.bytes.isEmpty { written.bytes(featureSet.bytes, field: features) }
    if !written.bytes.isEmpty { writer.bytes(written.bytes, field: field) }
  }

  /// Options of the language that only generated code, or protoc itself, minds.
  private static let passedOver: Set<String> = [
    "cc_enable_arenas", "cc_generic_services", "csharp_namespace", "ctype", "debug_redact", "default",
    "go_package", "java_generate_equals_and_hash", "java_generic_services", "java_multiple_files",
    "java_outer_classname", "java_package", "java_string_check_utf8", "json_name", "jstype", "lazy",
    "no_standard_descriptor_accessor", "objc_class_prefix", "optimize_for", "php_class_prefix", "php_generic_services",
    "php_metadata_namespace", "php_namespace", "py_generic_services", "retention", "ruby_package", "swift_prefix",
    "targets", "unverified_lazy", "weak",
  ]

  private func value(_ option: OptionNode) throws(SourceError) -> UInt64 {
    switch (option.name, option.value.string) {
    case ("idempotency_level", "IDEMPOTENCY_UNKNOWN"): return 0
    case ("idempotency_level", "NO_SIDE_EFFECTS"): return 1
    case ("idempotency_level", "IDEMPOTENT"): return 2
    case (_, "true") where option.name != "idempotency_level": return 1
    case (_, "false") where option.name != "idempotency_level": return 0
    default: throw error("\(option.name) has no such value", at: option.position)
    }
  }

  /// A field of `google.protobuf.FeatureSet`.
  private func writeFeature(_ option: OptionNode, to writer: inout WireWriter) throws(SourceError) {
    let values: [(name: String, number: Int, words: [(String, UInt64)])] = [
      ("features.field_presence", 1, [("EXPLICIT", 1), ("IMPLICIT", 2), ("LEGACY_REQUIRED", 3)]),
      ("features.enum_type", 2, [("OPEN", 1), ("CLOSED", 2)]),
      ("features.repeated_field_encoding", 3, [("PACKED", 1), ("EXPANDED", 2)]),
      ("features.utf8_validation", 4, [("VERIFY", 2), ("NONE", 3)]),
      ("features.message_encoding", 5, [("LENGTH_PREFIXED", 1), ("DELIMITED", 2)]),
      ("features.json_format", 6, [("ALLOW", 1), ("LEGACY_BEST_EFFORT", 2)]),
    ]
    guard let feature = values.first(where: { $0.name == option.name }) else { return }
    let word = option.value.string
    guard let value = feature.words.first(where: { $0.0 == word }) else {
      throw error("\(option.name) has no such value", at: option.position)
    }
    writer.varint(value.1, field: feature.number)
  }
}
