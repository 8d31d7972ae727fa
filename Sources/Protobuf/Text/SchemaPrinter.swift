// SPDX-License-Identifier: Apache-2.0

/// Writes declarations in the language of .proto files, with the comments that the descriptors have.
///
/// What comes out is what `protoc` reads: types are named as briefly as the language's rules of scope allow. Options
/// that only concern generated code are not written.
public struct SchemaPrinter {
  /// What was written so far.
  public private(set) var text = ""
  private var depth = 0
  private var comments: SourceComments?
  /// The file whose comments these are: to read them takes as long as the file is large.
  private var commentedFile: FileDescriptor?

  /// A printer that has written nothing.
  public init() {}

  /// Writes a declaration with all that stands in it.
  public mutating func print(_ symbol: SymbolDescriptor) {
    switch symbol {
    case .message(let message): within(message) { $0.write(message) }
    case .enumeration(let enumeration): within(enumeration) { $0.write(enumeration) }
    case .enumValue(let value): within(value) { $0.write(value) }
    case .field(let field):
      within(field) { printer in
        guard field.isExtension else { return printer.write(field) }
        printer.write([field], scope: field.scope?.fullName ?? field.file.package)
      }
    case .oneof(let oneof): within(oneof) { $0.write(oneof) }
    case .service(let service): within(service) { $0.write(service) }
    case .method(let method): within(method) { $0.write(method) }
    }
  }

  /// Writes a whole file.
  public mutating func print(_ file: FileDescriptor) {
    readComments(of: file)
    switch file.edition {
    case .proto2: line("syntax = \"proto2\";")
    case .proto3: line("syntax = \"proto3\";")
    case .edition2023: line("edition = \"2023\";")
    case .edition2024: line("edition = \"2024\";")
    }
    if !file.package.isEmpty { line("\npackage \(file.package);") }
    if !file.imports.isEmpty { line("") }
    let published = Set(file.publicImports.map { $0.name })
    for imported in file.imports {
      line("import \(published.contains(imported.name) ? "public " : "")\(Self.quoted(imported.name));")
    }
    let options = Self.customOptions(of: file)
    if file.isDeprecated || !options.isEmpty { line("") }
    if file.isDeprecated { line("option deprecated = true;") }
    write(options)
    if file.edition.hasFeatures {
      let options = Self.features(of: file, inherited: Features(edition: file.edition))
      if !options.isEmpty { line("") }
      writeOptions(options)
    }
    let groups = Self.groupNames(file.extensions)
    for message in file.messages where !groups.contains(message.name) {
      line("")
      write(message)
    }
    for enumeration in file.enums {
      line("")
      write(enumeration)
    }
    for group in Self.grouped(file.extensions) {
      line("")
      write(group, scope: file.package)
    }
    for service in file.services {
      line("")
      write(service)
    }
  }

  private mutating func within(_ declaration: some Descriptor, _ body: (inout SchemaPrinter) -> Void) {
    readComments(of: declaration.file)
    body(&self)
  }

  private mutating func readComments(of file: FileDescriptor) {
    guard commentedFile != file else { return }
    comments = try? file.comments()
    commentedFile = file
  }

  /// Hands over what was written and forgets it; the next declaration of the same file is printed sooner for that.
  public mutating func take() -> String {
    defer { text = "" }
    return text
  }

  // MARK: - Lines

  private mutating func line(_ line: String) {
    if !line.isEmpty { text += String(repeating: "  ", count: depth) + line }
    text += "\n"
  }

  /// Writes a declaration's line, with the comment in front of it and the one behind it.
  private mutating func line(_ text: String, of declaration: some Descriptor) {
    let comment = comments?[declaration]
    write(comment?.leading ?? "")
    let trailing = Self.lines(of: comment?.trailing ?? "")
    line(text + (trailing.count == 1 ? " " + trailing[0] : ""))
    // A longer one stands below, where protoc takes it for the same.
    if trailing.count > 1 { for text in trailing { line(text) } }
  }

  private mutating func write(_ comment: String) { for text in Self.lines(of: comment) { line(text) } }

  /// A comment's lines with the marks that make them one.
  private static func lines(of comment: String) -> [String] {
    guard !comment.isEmpty else { return [] }
    var lines = comment.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map { shown($0) }
    if lines.last == "" { lines.removeLast() }
    return lines.map { $0.isEmpty ? "//" : $0.utf8.first == 0x20 ? "//" + $0 : "// " + $0 }
  }

  /// A comment's line without what could steer a terminal.
  private static func shown(_ line: Substring.UTF8View) -> String {
    var text = ""
    for scalar in String(decoding: line, as: UTF8.self).unicodeScalars {
      switch scalar.value {
      // Controls, and what changes the direction of writing; tabulators may stay.
      case 0..<0x09, 0x0A..<0x20, 0x7F...0x9F, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: break
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  private mutating func block(_ head: String, of declaration: some Descriptor, _ body: (inout SchemaPrinter) -> Void) {
    let before = text.utf8.count
    line(head + " {", of: declaration)
    let start = text.utf8.count
    depth += 1
    body(&self)
    depth -= 1
    if text.utf8.count == start, before < start {
      text.removeLast()
      text += "}\n"
    } else {
      line("}")
    }
  }

  // MARK: - Messages

  private mutating func write(_ message: MessageDescriptor) {
    block("message \(message.name)", of: message) { $0.writeContent(of: message) }
  }

  private mutating func writeContent(of message: MessageDescriptor) {
    if message.isDeprecated { line("option deprecated = true;") }
    write(Self.customOptions(of: message))
    writeOptions(Self.features(of: message, inherited: message.parent?.features ?? message.file.features))
    if message.isMessageSet { line("option message_set_wire_format = true;") }
    let last = message.isMessageSet ? Linker.lastSetNumber : Linker.lastNumber
    writeReserved(message.reservedRanges, message.reservedNames, last: last, of: message)
    for range in message.extensionRanges { line("extensions \(Self.text(range, last: last));") }
    let groups = Self.groupNames(message.fields + message.extensions)
    for nested in message.messages where !nested.isMapEntry && !groups.contains(nested.name) { write(nested) }
    for enumeration in message.enums { write(enumeration) }
    var written: Set<String> = []
    for field in message.fields {
      guard let oneof = field.oneof, !oneof.isSynthetic else {
        write(field)
        continue
      }
      if written.insert(oneof.name).inserted { write(oneof) }
    }
    for group in Self.grouped(message.extensions) { write(group, scope: message.fullName) }
  }

  private mutating func write(_ oneof: OneofDescriptor) {
    block("oneof \(oneof.name)", of: oneof) { printer in
      printer.write(Self.customOptions(of: oneof))
      printer.writeOptions(Self.features(of: oneof, inherited: oneof.parent.features))
      for field in oneof.fields { printer.write(field) }
    }
  }

  private mutating func writeReserved(
    _ ranges: [NumberRange], _ names: [String], last: Int32, of declaration: some Descriptor
  ) {
    if !ranges.isEmpty { line("reserved \(ranges.map { Self.text($0, last: last) }.joined(separator: ", "));") }
    // Editions write the names as they are.
    let shown = declaration.file.edition.hasFeatures ? names : names.map { Self.quoted($0) }
    if !names.isEmpty { line("reserved \(shown.joined(separator: ", "));") }
  }

  private static func text(_ range: NumberRange, last: Int32) -> String {
    if range.first == range.last { return "\(range.first)" }
    return "\(range.first) to \(range.last >= last ? "max" : "\(range.last)")"
  }

  // MARK: - Fields

  private mutating func write(_ field: FieldDescriptor) {
    let head = label(field) + typeName(of: field)
    if Self.isGroup(field), let message = field.message {
      block("\(label(field))group \(message.name) = \(field.number)\(options(field))", of: field) {
        $0.writeContent(of: message)
      }
    } else {
      line("\(head) \(field.name) = \(field.number)\(options(field));", of: field)
    }
  }

  /// The messages that were declared together with a field.
  private static func groupNames(_ fields: [FieldDescriptor]) -> Set<String> {
    Set(fields.filter { isGroup($0) }.compactMap { $0.message?.name })
  }

  /// Whether the field was declared together with its message, as proto2 has it.
  private static func isGroup(_ field: FieldDescriptor) -> Bool {
    field.type == .group && field.file.edition == .proto2
  }

  private func label(_ field: FieldDescriptor) -> String {
    if field.isMap { return "" }
    let isEdition = field.file.edition > .proto3
    switch field.cardinality {
    case .repeated: return "repeated "
    case .required: return isEdition ? "" : "required "
    case .singular:
      if isEdition { return "" }
      if let oneof = field.oneof { return oneof.isSynthetic ? "optional " : "" }
      return field.file.edition == .proto2 ? "optional " : ""
    }
  }

  private func typeName(of field: FieldDescriptor) -> String {
    if field.isMap, let entry = field.message, let key = entry.field(numbered: 1), let value = entry.field(numbered: 2)
    {
      return "map<\(key.type.word), \(valueTypeName(value, in: field))>"
    }
    return valueTypeName(field, in: field)
  }

  private func valueTypeName(_ value: FieldDescriptor, in field: FieldDescriptor) -> String {
    let scope = field.isExtension ? field.scope?.fullName ?? field.file.package : field.containingMessage.fullName
    if let message = value.message { return reference(to: message.fullName, in: field.pool, from: scope) }
    if let enumeration = value.enumeration { return reference(to: enumeration.fullName, in: field.pool, from: scope) }
    return value.type.word
  }

  private func options(_ field: FieldDescriptor) -> String {
    var options: [String] = []
    if let value = defaultText(of: field) { options.append("default = " + value) }
    if field.jsonName != Identifier.jsonName(field.name), !field.isExtension {
      options.append("json_name = " + Self.quoted(field.jsonName))
    }
    let isPackable = field.cardinality == .repeated && field.type.isPackable
    if isPackable, field.file.edition <= .proto3, field.isPacked != (field.file.edition == .proto3) {
      options.append("packed = \(field.isPacked)")
    }
    let outer = field.isExtension ? field.scope?.features : field.oneof?.features ?? field.containingMessage.features
    options += Self.features(of: field, inherited: outer ?? field.file.features)
    if field.isDeprecated { options.append("deprecated = true") }
    return Self.bracketed(options + Self.customOptionsInLine(of: field))
  }

  /// The default value where it is not what it would be anyway.
  private func defaultText(of field: FieldDescriptor) -> String? {
    guard field.cardinality != .repeated else { return nil }
    switch field.layout.defaultValue {
    case .none: return nil
    case .bytes(let bytes): return bytes.isEmpty ? nil : Self.quoted(bytes)
    case .scalar(let bits):
      if let enumeration = field.enumeration {
        let number = Int32(truncatingIfNeeded: bits)
        return number == enumeration.values.first?.number ? nil : enumeration.value(numbered: number)?.name
      }
      guard bits != 0 else { return nil }
      switch field.type {
      case .bool: return "true"
      case .double: return TextFormatWriter.text(Double(bitPattern: bits))
      case .float: return TextFormatWriter.text(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
      case .uint64, .fixed64: return "\(bits)"
      case .uint32, .fixed32: return "\(UInt32(truncatingIfNeeded: bits))"
      case .int32, .sint32, .sfixed32: return "\(Int32(truncatingIfNeeded: bits))"
      default: return "\(Int64(bitPattern: bits))"
      }
    }
  }

  // MARK: - Options of a schema's own

  /// The options that the pool knows as extensions, with their values; none where it does not know what options are.
  private static func customOptions(of declaration: some Descriptor) -> [(field: FieldDescriptor, value: DynamicValue)]
  {
    guard !declaration.options.bytes.isEmpty, let options = try? declaration.decodedOptions() else { return [] }
    var found: [(field: FieldDescriptor, value: DynamicValue)] = []
    for field in options.setFields where field.isExtension {
      guard let value = try? options.get(field) else { continue }
      if case .list(let values) = value { found += values.map { (field, $0) } } else { found.append((field, value)) }
    }
    return found
  }

  private mutating func write(_ options: [(field: FieldDescriptor, value: DynamicValue)]) {
    for (field, value) in options {
      guard case .message(let message) = value else {
        line("option (\(field.fullName)) = \(TextFormatWriter.text(value, of: field));")
        continue
      }
      line("option (\(field.fullName)) = {")
      var writer = TextFormatWriter(depth: depth + 1)
      writer.write(message)
      text += writer.text
      line("};")
    }
  }

  /// The same as they stand in brackets behind a field or a value.
  private static func customOptionsInLine(of declaration: some Descriptor) -> [String] {
    customOptions(of: declaration).map { field, value in
      guard case .message(let message) = value else {
        return "(\(field.fullName)) = \(TextFormatWriter.text(value, of: field))"
      }
      let lines = message.text.utf8.split(separator: 0x0A).map { line in
        String(decoding: line.drop { $0 == 0x20 }, as: UTF8.self)
      }
      return "(\(field.fullName)) = { \(lines.joined(separator: " ")) }"
    }
  }

  private static func bracketed(_ options: [String]) -> String {
    options.isEmpty ? "" : " [" + options.joined(separator: ", ") + "]"
  }

  // MARK: - Features

  private mutating func writeOptions(_ options: [String]) { for option in options { line("option \(option);") } }

  /// The features that a declaration of an edition has set for itself.
  private static func features(of declaration: some Descriptor, inherited: Features) -> [String] {
    guard declaration.file.edition.hasFeatures else { return [] }
    let own = declaration.features
    var options: [String] = []
    func add(_ name: String, _ differs: Bool, _ value: String) {
      if differs { options.append("features.\(name) = \(value)") }
    }
    let presence =
      switch own.presence {
      case .explicit: "EXPLICIT"
      case .implicit: "IMPLICIT"
      case .required: "LEGACY_REQUIRED"
      }
    add("field_presence", own.presence != inherited.presence, presence)
    add("enum_type", own.enumType != inherited.enumType, own.enumType == .open ? "OPEN" : "CLOSED")
    add(
      "repeated_field_encoding", own.repeatedEncoding != inherited.repeatedEncoding,
      own.repeatedEncoding == .packed ? "PACKED" : "EXPANDED")
    add(
      "utf8_validation", own.utf8Validation != inherited.utf8Validation,
      own.utf8Validation == .verify ? "VERIFY" : "NONE")
    add(
      "message_encoding", own.messageEncoding != inherited.messageEncoding,
      own.messageEncoding == .delimited ? "DELIMITED" : "LENGTH_PREFIXED")
    add(
      "json_format", own.jsonFormat != inherited.jsonFormat, own.jsonFormat == .allow ? "ALLOW" : "LEGACY_BEST_EFFORT")
    return options
  }

  // MARK: - Extensions, enums and services

  /// Extensions of one message that follow each other, together.
  private static func grouped(_ extensions: [FieldDescriptor]) -> [[FieldDescriptor]] {
    var groups: [[FieldDescriptor]] = []
    for field in extensions {
      if let last = groups.last?.first, last.containingMessage == field.containingMessage {
        groups[groups.count - 1].append(field)
      } else {
        groups.append([field])
      }
    }
    return groups
  }

  private mutating func write(_ extensions: [FieldDescriptor], scope: String) {
    guard let first = extensions.first else { return }
    line("extend \(reference(to: first.containingMessage.fullName, in: first.pool, from: scope)) {")
    depth += 1
    for field in extensions { write(field) }
    depth -= 1
    line("}")
  }

  private mutating func write(_ enumeration: EnumDescriptor) {
    block("enum \(enumeration.name)", of: enumeration) { printer in
      if Set(enumeration.values.map { $0.number }).count < enumeration.values.count {
        printer.line("option allow_alias = true;")
      }
      if enumeration.isDeprecated { printer.line("option deprecated = true;") }
      printer.write(Self.customOptions(of: enumeration))
      let outer = enumeration.parent?.features ?? enumeration.file.features
      printer.writeOptions(Self.features(of: enumeration, inherited: outer))
      printer.writeReserved(enumeration.reservedRanges, enumeration.reservedNames, last: .max, of: enumeration)
      for value in enumeration.values { printer.write(value) }
    }
  }

  private mutating func write(_ value: EnumValueDescriptor) {
    let options = (value.isDeprecated ? ["deprecated = true"] : []) + Self.customOptionsInLine(of: value)
    line("\(value.name) = \(value.number)\(Self.bracketed(options));", of: value)
  }

  private mutating func write(_ service: ServiceDescriptor) {
    block("service \(service.name)", of: service) { printer in
      if service.isDeprecated { printer.line("option deprecated = true;") }
      printer.write(Self.customOptions(of: service))
      for method in service.methods { printer.write(method) }
    }
  }

  private mutating func write(_ method: MethodDescriptor) {
    let scope = method.service.fullName
    func type(_ message: MessageDescriptor, _ isStreaming: Bool) -> String {
      (isStreaming ? "stream " : "") + reference(to: message.fullName, in: method.pool, from: scope)
    }
    let head =
      "rpc \(method.name)(\(type(method.input, method.isClientStreaming))) returns "
      + "(\(type(method.output, method.isServerStreaming)))"
    let options = Self.customOptions(of: method)
    guard method.isDeprecated || !options.isEmpty else { return line(head + ";", of: method) }
    block(head, of: method) { printer in
      if method.isDeprecated { printer.line("option deprecated = true;") }
      printer.write(options)
    }
  }

  // MARK: - Names

  /// The shortest name that means a declaration where it is used: the language looks for a name's first part from the
  /// innermost scope outwards, and goes on from where it finds it.
  private func reference(to fullName: String, in pool: DescriptorPool, from scope: String) -> String {
    let parts = fullName.utf8.split(separator: 0x2E).map { String(decoding: $0, as: UTF8.self) }
    let scopes = scope.utf8.split(separator: 0x2E).map { String(decoding: $0, as: UTF8.self) }
    var shared = 0
    while shared < min(parts.count - 1, scopes.count), parts[shared] == scopes[shared] { shared += 1 }
    let relative = parts[shared...]
    // Whatever inner scope has the first part would hide what is meant.
    for count in stride(from: scopes.count, to: shared, by: -1) {
      let hiding = (scopes[..<count] + [parts[shared]]).joined(separator: ".")
      if pool.hasSymbol(named: hiding) { return "." + fullName }
    }
    return relative.joined(separator: ".")
  }

  private static func quoted(_ text: String) -> String { quoted(Array(text.utf8)) }

  private static func quoted(_ bytes: [UInt8]) -> String { TextFormatWriter.quoted(bytes, isText: false) }
}

extension FieldType {
  /// The word that the language has for it; empty for what is named by its declaration.
  var word: String {
    switch self {
    case .double: "double"
    case .float: "float"
    case .int64: "int64"
    case .uint64: "uint64"
    case .int32: "int32"
    case .fixed64: "fixed64"
    case .fixed32: "fixed32"
    case .bool: "bool"
    case .string: "string"
    case .bytes: "bytes"
    case .uint32: "uint32"
    case .sfixed32: "sfixed32"
    case .sfixed64: "sfixed64"
    case .sint32: "sint32"
    case .sint64: "sint64"
    case .group, .message, .enumeration: ""
    }
  }
}
