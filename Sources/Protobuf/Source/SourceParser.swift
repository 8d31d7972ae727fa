// SPDX-License-Identifier: Apache-2.0

/// Reads one .proto file, word by word: proto2, proto3 and editions. It looks one word ahead.
struct SourceParser {
  private var tokens: SourceTokenizer
  private var token: SourceToken
  private var file: FileNode
  /// How deep messages are nested; each is a call on the stack.
  private var depth = 0
  /// The full name of what is around, which is that of the package first.
  private var scope = ""

  private static let lastFieldNumber = Int64(Linker.lastNumber)
  private static let lastSetNumber = Int64(Linker.lastSetNumber)
  /// Stands for `max` until it is known whether the message is a message set.
  private static let undecided = Int64(Int32.max)

  /// Reads a file's bytes.
  static func parse(_ bytes: [UInt8], name: String) throws(SourceError) -> FileNode {
    var parser = try SourceParser(bytes, name)
    try parser.parseFile()
    return parser.file
  }

  private init(_ bytes: [UInt8], _ name: String) throws(SourceError) {
    tokens = SourceTokenizer(bytes, file: name)
    token = try tokens.next()
    file = FileNode(name: name)
  }

  // MARK: - Words

  private func error(_ reason: String, at position: SourcePosition? = nil) -> SourceError {
    SourceError(tokens.file, position ?? token.position, reason)
  }

  private mutating func advance() throws(SourceError) { token = try tokens.next() }

  private var found: String {
    switch token.kind {
    case .end: "the file's end"
    case .string: "a text"
    default: "\"" + token.string + "\""
    }
  }

  private mutating func take(_ symbol: Unicode.Scalar) throws(SourceError) {
    guard token.isSymbol(UInt8(ascii: symbol)) else { throw error("\"\(symbol)\" is missing before \(found)") }
    try advance()
  }

  private mutating func takes(symbol: Unicode.Scalar) throws(SourceError) -> Bool {
    guard token.isSymbol(UInt8(ascii: symbol)) else { return false }
    try advance()
    return true
  }

  private mutating func takes(_ word: String) throws(SourceError) -> Bool {
    guard token.isWord(word) else { return false }
    try advance()
    return true
  }

  /// Takes the semicolon of a declaration, and the comment behind it.
  private mutating func takeEnd(_ remarks: inout SourceRemarks) throws(SourceError) {
    try take(";")
    remarks.trailing = tokens.trailing
  }

  private mutating func name(_ what: String) throws(SourceError) -> String {
    guard token.kind == .word else { throw error("\(what) is missing before \(found)") }
    guard token.text.count <= DescriptorPool.nameLimit else { throw error("\(what) is too long") }
    let name = token.string
    try advance()
    return name
  }

  /// Notes a declaration of the scope.
  private mutating func declare(_ kind: SourceNames.Kind, _ name: String, at position: SourcePosition) {
    file.declared.append(
      SourceNames.Entry(name: SourceNames.join(scope, name), kind: kind, position: position))
  }

  /// The name of a declaration of the scope, which is noted.
  private mutating func declared(_ kind: SourceNames.Kind, _ what: String) throws(SourceError) -> String {
    let position = token.position
    let name = try name(what)
    declare(kind, name, at: position)
    return name
  }

  /// A name of several parts, with a dot in front or without.
  private mutating func fullName(_ what: String) throws(SourceError) -> String {
    let position = token.position
    var text = try takes(symbol: ".") ? "." : ""
    text += try name(what)
    while try takes(symbol: ".") {
      text += "." + (try name(what))
      guard text.utf8.count <= DescriptorPool.nameLimit else { throw error("\(what) is too long", at: position) }
    }
    return text
  }

  /// Texts that follow each other are one.
  private mutating func text(_ what: String) throws(SourceError) -> [UInt8] {
    guard token.kind == .string else { throw error("\(what) is missing before \(found)") }
    var text: [UInt8] = []
    while token.kind == .string {
      text += token.text
      try advance()
    }
    return text
  }

  private mutating func string(_ what: String) throws(SourceError) -> String {
    let position = token.position
    guard let text = String(validating: try text(what), as: UTF8.self) else {
      throw error("\(what) is not UTF-8", at: position)
    }
    return text
  }

  private mutating func integer(_ what: String, in range: ClosedRange<Int64>) throws(SourceError) -> Int64 {
    let position = token.position
    let isNegative = try takes(symbol: "-")
    guard token.kind == .integer else { throw error("\(what) is missing before \(found)") }
    guard let magnitude = Self.value(of: token.text), let value = Self.signed(magnitude, isNegative),
      range.contains(value)
    else {
      throw error("\(what) must be from \(range.lowerBound) to \(range.upperBound)", at: position)
    }
    try advance()
    return value
  }

  private static func signed(_ magnitude: UInt64, _ isNegative: Bool) -> Int64? {
    isNegative ? magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil : Int64(exactly: magnitude)
  }

  /// The value of an integer's digits; nil beyond 64 bits.
  static func value(of text: [UInt8]) -> UInt64? {
    let isHex = text.count > 1 && text[1] | 0x20 == 0x78
    let base: UInt64 = isHex ? 16 : text.first == 0x30 ? 8 : 10
    var value: UInt64 = 0
    for byte in text.dropFirst(isHex ? 2 : 0) {
      guard let digit = SourceTokenizer.hexDigit(byte).map({ UInt64($0) }), digit < base else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: base)
      let (sum, carry) = product.addingReportingOverflow(digit)
      if overflow || carry { return nil }
      value = sum
    }
    return value
  }

  // MARK: - The file

  private mutating func parseFile() throws(SourceError) {
    if token.isWord("syntax") || token.isWord("edition") { try parseEdition() }
    while token.kind != .end {
      let remarks = SourceRemarks(leading: token.leading)
      if try takes(symbol: ";") { continue }
      guard token.kind == .word else { throw error("a declaration is missing before \(found)") }
      let visibility = try visibility()
      switch token.string {
      case "import": try parseImport()
      case "package":
        let position = token.position
        try advance()
        guard file.package.isEmpty else { throw error("there are two packages", at: position) }
        file.package = try fullName("the package's name")
        scope = file.package
        try take(";")
      case "option": file.options.append(try option())
      case "message": file.messages.append(try message(remarks, visibility))
      case "enum": file.enums.append(try enumeration(remarks, visibility))
      case "service": file.services.append(try service(remarks))
      case "extend":
        var holder = MessageNode(name: "")
        try parseExtend(into: &holder)
        file.extensions += holder.extensions
        file.messages += holder.messages
      default: throw error("\(found) begins no declaration")
      }
    }
  }

  /// The word of edition 2024 in front of a message or an enum.
  private mutating func visibility() throws(SourceError) -> SourceVisibility? {
    guard file.edition == .edition2024, token.isWord("export") || token.isWord("local") else { return nil }
    var ahead = tokens
    let next = try ahead.next()
    guard next.isWord("message") || next.isWord("enum") else { return nil }
    defer { (tokens, token) = (ahead, next) }
    return token.isWord("local") ? .local : .export
  }

  private mutating func parseEdition() throws(SourceError) {
    let isSyntax = token.isWord("syntax")
    try advance()
    try take("=")
    let position = token.position
    let value = try string("the version of the language")
    switch (isSyntax, value) {
    case (true, "proto2"): file.edition = .proto2
    case (true, "proto3"): file.edition = .proto3
    case (false, "2023"): file.edition = .edition2023
    case (false, "2024"): file.edition = .edition2024
    default: throw error("\"\(value)\" is no version of the language that is known here", at: position)
    }
    try take(";")
  }

  private mutating func parseImport() throws(SourceError) {
    try advance()
    let hasOptionImports = file.edition >= .edition2024
    var kind = ImportNode.Kind.ordinary
    if try takes("public") {
      kind = .published
    } else if !hasOptionImports, try takes("weak") {
      kind = .weak
    } else if hasOptionImports, try takes("option") {
      kind = .option
    }
    let position = token.position
    guard kind == .option || !file.imports.contains(where: { $0.kind == .option }) else {
      throw error("imports for options alone stand behind the others")
    }
    let name = try string("the file to import")
    guard !file.imports.contains(where: { $0.name == name }) else {
      throw error("\"\(name)\" is imported twice", at: position)
    }
    file.imports.append(ImportNode(name: name, kind: kind, position: position))
    try take(";")
  }

  // MARK: - Options

  /// `option NAME = VALUE;`
  private mutating func option() throws(SourceError) -> OptionNode {
    try advance()
    let option = try optionValue()
    try take(";")
    return option
  }

  /// `[NAME = VALUE, …]`, or nothing.
  private mutating func optionList() throws(SourceError) -> [OptionNode] {
    guard try takes(symbol: "[") else { return [] }
    var options: [OptionNode] = []
    repeat { options.append(try optionValue()) } while try takes(symbol: ",")
    try take("]")
    return options
  }

  /// `NAME = VALUE`
  private mutating func optionValue() throws(SourceError) -> OptionNode {
    let position = token.position
    var parts: [OptionNode.Part] = []
    repeat {
      guard parts.count < WireReader.defaultDepthLimit else { throw error("the option's name is too long") }
      if try takes(symbol: "(") {
        parts.append(OptionNode.Part(name: try fullName("an option's name"), isExtension: true))
        try take(")")
      } else {
        parts.append(OptionNode.Part(name: try name("an option's name"), isExtension: false))
      }
    } while try takes(symbol: ".")
    try take("=")
    func node(_ value: OptionNode.Value) -> OptionNode {
      OptionNode(parts: parts, value: value, file: tokens.file, position: position)
    }
    if token.isSymbol(0x7B) {
      let message = tokens
      try skipBraces()
      return node(.message(message))
    }
    let isNegative = try takes(symbol: "-")
    guard token.kind != .symbol, token.kind != .end else { throw error("an option's value is missing before \(found)") }
    var value = token
    if value.kind == .string {
      guard !isNegative else { throw error("a text has no sign", at: position) }
      value.text = try text("an option's value")
    } else {
      try advance()
    }
    return node(.word(value, isNegative: isNegative))
  }

  /// Passes over a message in text format: only its brackets are looked at.
  private mutating func skipBraces() throws(SourceError) {
    let start = token.position
    var open: [UInt8] = []
    repeat {
      guard token.kind != .end else { throw error("a brace is not closed", at: start) }
      if token.kind == .symbol {
        switch token.text[0] {
        case 0x7B, 0x5B, 0x3C: open.append(token.text[0] + 2)
        case 0x7D, 0x5D, 0x3E:
          guard open.popLast() == token.text[0] else { throw error("\(found) closes what was not opened") }
        default: break
        }
      }
      try advance()
    } while !open.isEmpty
  }

  // MARK: - Messages

  private mutating func message(
    _ remarks: SourceRemarks, _ visibility: SourceVisibility?
  ) throws(SourceError) -> MessageNode {
    try advance()
    var message = MessageNode(name: try declared(.message, "the message's name"), remarks: remarks)
    message.visibility = visibility
    try parseBody(of: &message)
    return message
  }

  private mutating func parseBody(of message: inout MessageNode) throws(SourceError) {
    depth += 1
    let outer = scope
    scope = SourceNames.join(scope, message.name)
    defer { (depth, scope) = (depth - 1, outer) }
    guard depth <= DescriptorPool.nestingLimit else { throw error("messages nest too deep") }
    try take("{")
    message.remarks.trailing = tokens.trailing
    while try !takes(symbol: "}") {
      let remarks = SourceRemarks(leading: token.leading)
      if try takes(symbol: ";") { continue }
      let visibility = try visibility()
      switch token.kind == .word ? token.string : "" {
      case "message": message.messages.append(try self.message(remarks, visibility))
      case "enum": message.enums.append(try enumeration(remarks, visibility))
      case "extend": try parseExtend(into: &message)
      case "option": message.options.append(try option())
      case "oneof": try parseOneof(of: &message, remarks)
      case "extensions": try parseExtensions(of: &message)
      case "reserved":
        try parseReserved(&message.reservedRanges, &message.reservedNames, in: 1...Self.lastFieldNumber)
      default: try parseField(of: &message, remarks, extending: nil, oneof: nil)
      }
    }
    let last = message.isMessageSet ? Linker.lastSetNumber : Linker.lastNumber
    for place in message.extensionRanges.indices where message.extensionRanges[place].range.last == Self.undecided {
      message.extensionRanges[place].range.last = last
    }
  }

  private mutating func parseOneof(of message: inout MessageNode, _ remarks: SourceRemarks) throws(SourceError) {
    try advance()
    var oneof = OneofNode(name: try declared(.other, "the oneof's name"), remarks: remarks)
    let place = message.oneofs.count
    try take("{")
    oneof.remarks.trailing = tokens.trailing
    message.oneofs.append(oneof)
    while try !takes(symbol: "}") {
      let remarks = SourceRemarks(leading: token.leading)
      if token.isWord("option") {
        message.oneofs[place].options.append(try option())
      } else {
        try parseField(of: &message, remarks, extending: nil, oneof: place)
      }
    }
  }

  private mutating func parseExtend(into message: inout MessageNode) throws(SourceError) {
    try advance()
    let extendee = try fullName("the message to extend")
    try take("{")
    repeat {
      let remarks = SourceRemarks(leading: token.leading)
      try parseField(of: &message, remarks, extending: extendee, oneof: nil)
    } while try !takes(symbol: "}")
  }

  private mutating func parseExtensions(of message: inout MessageNode) throws(SourceError) {
    try advance()
    var ranges: [NumberRange] = []
    repeat { ranges.append(try range(in: 1...Self.lastSetNumber, max: Self.undecided)) } while try takes(symbol: ",")
    let options = try optionList()
    try take(";")
    message.extensionRanges += ranges.map { ($0, options) }
  }

  private mutating func parseReserved(
    _ ranges: inout [NumberRange], _ names: inout [String], in numbers: ClosedRange<Int64>
  ) throws(SourceError) {
    try advance()
    // Names are quoted until editions; numbers and names stand in declarations of their own.
    let word = file.edition.hasFeatures ? SourceToken.Kind.word : .string
    if token.kind == word {
      repeat {
        names.append(word == .string ? try string("a reserved name") : try name("a reserved name"))
      } while try takes(symbol: ",")
    } else {
      repeat { ranges.append(try range(in: numbers)) } while try takes(symbol: ",")
    }
    try take(";")
  }

  private mutating func range(in numbers: ClosedRange<Int64>, max: Int64? = nil) throws(SourceError) -> NumberRange {
    let first = try integer("a number", in: numbers)
    var last = first
    if try takes("to") {
      last =
        try takes("max") ? max ?? numbers.upperBound : try integer("the range's end", in: first...numbers.upperBound)
    }
    return NumberRange(first: Int32(first), last: Int32(last))
  }

  // MARK: - Fields

  private mutating func parseField(
    of message: inout MessageNode, _ remarks: SourceRemarks, extending extendee: String?, oneof: Int?
  ) throws(SourceError) {
    var field = FieldNode(
      name: "", position: token.position, remarks: remarks, type: .scalar(.bool), typePosition: token.position)
    (field.extendee, field.oneof) = (extendee, oneof)
    let labels: [(String, FieldNode.Label)] = [
      ("optional", .optional), ("required", .required), ("repeated", .repeated),
    ]
    for (word, label) in labels where field.label == .none && token.isWord(word) {
      try advance()
      field.label = label
    }
    guard oneof == nil || field.label == .none else {
      throw error("a field of a oneof has no label", at: field.position)
    }
    field.typePosition = token.position
    let type = try fullName("a field's type")
    if type == "group" {
      try parseGroup(&field, of: &message)
    } else {
      var entry: MessageNode?
      if type == "map", token.isSymbol(0x3C) {
        entry = try mapEntry(field)
      } else {
        field.type = FieldType(word: type).map { .scalar($0) } ?? .named(type)
      }
      field.position = token.position
      field.name = try declared(.other, "the field's name")
      try parseNumber(&field)
      if var entry {
        entry.name = Self.camelCase(field.name) + "Entry"
        declare(.message, entry.name, at: field.position)
        // What holds for a map holds for its keys and its values.
        let features = field.options.filter { $0.parts[0].name == "features" && !$0.parts[0].isExtension }
        for place in entry.fields.indices {
          entry.fields[place].options = features
          declare(.other, entry.name + "." + entry.fields[place].name, at: entry.fields[place].position)
        }
        (field.label, field.type) = (.repeated, .own(entry.name, isGroup: false))
        message.messages.append(entry)
      }
      try takeEnd(&field.remarks)
    }
    if extendee == nil { message.fields.append(field) } else { message.extensions.append(field) }
  }

  private mutating func parseNumber(_ field: inout FieldNode) throws(SourceError) {
    guard try takes(symbol: "=") else { throw error("the field needs a number: \"=\" is missing before \(found)") }
    let last = field.extendee == nil ? Self.lastFieldNumber : Self.lastSetNumber
    field.number = Int32(try integer("the field's number", in: 1...last))
    field.options = try optionList()
  }

  /// `group Name = NUMBER { … }`: a field and its message at once.
  private mutating func parseGroup(_ field: inout FieldNode, of message: inout MessageNode) throws(SourceError) {
    guard file.edition == .proto2 else { throw error("groups are for proto2 alone", at: field.typePosition) }
    field.position = token.position
    var group = MessageNode(name: try declared(.message, "the group's name"))
    guard let first = group.name.utf8.first, (0x41...0x5A).contains(first) else {
      throw error("the name of a group begins with a capital", at: field.position)
    }
    field.name = String(decoding: group.name.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    declare(.other, field.name, at: field.position)
    field.type = .own(group.name, isGroup: true)
    try parseNumber(&field)
    try parseBody(of: &group)
    message.messages.append(group)
  }

  /// `map<KEY, VALUE>`, as the message of its entries.
  private mutating func mapEntry(_ field: FieldNode) throws(SourceError) -> MessageNode {
    guard field.label == .none, field.extendee == nil, field.oneof == nil else {
      throw error("a map has no label, and is neither in a oneof nor an extension", at: field.position)
    }
    var entry = MessageNode(name: "")
    entry.isMapEntry = true
    try take("<")
    for (name, number) in [("key", 1), ("value", 2)] {
      let position = token.position
      let type = try fullName("the \(name)'s type")
      let typeName: FieldNode.TypeName = FieldType(word: type).map { .scalar($0) } ?? .named(type)
      var part = FieldNode(name: name, position: position, type: typeName, typePosition: position)
      (part.label, part.number) = (.optional, Int32(number))
      entry.fields.append(part)
      if number == 1 { try take(",") }
    }
    try take(">")
    return entry
  }

  /// `some_map` as `SomeMap`, as protoc names the entries' message.
  private static func camelCase(_ name: String) -> String {
    var text: [UInt8] = []
    var isUpper = true
    for byte in name.utf8 {
      if byte == 0x5F {
        isUpper = true
        continue
      }
      text.append(isUpper && (0x61...0x7A).contains(byte) ? byte & ~0x20 : byte)
      isUpper = false
    }
    return String(decoding: text, as: UTF8.self)
  }

  // MARK: - Enums and services

  private mutating func enumeration(
    _ remarks: SourceRemarks, _ visibility: SourceVisibility?
  ) throws(SourceError) -> EnumNode {
    try advance()
    var node = EnumNode(name: try declared(.enumeration, "the enum's name"), remarks: remarks)
    node.visibility = visibility
    try take("{")
    node.remarks.trailing = tokens.trailing
    while try !takes(symbol: "}") {
      var remarks = SourceRemarks(leading: token.leading)
      if try takes(symbol: ";") { continue }
      if token.isWord("option") {
        node.options.append(try option())
      } else if token.isWord("reserved") {
        try parseReserved(&node.reservedRanges, &node.reservedNames, in: Int64(Int32.min)...Int64(Int32.max))
      } else {
        let name = try declared(.other, "a value's name")
        try take("=")
        let number = try integer("the value's number", in: Int64(Int32.min)...Int64(Int32.max))
        let options = try optionList()
        try takeEnd(&remarks)
        node.values.append(
          EnumValueNode(name: name, number: Int32(number), options: options, remarks: remarks))
      }
    }
    return node
  }

  private mutating func service(_ remarks: SourceRemarks) throws(SourceError) -> ServiceNode {
    try advance()
    var service = ServiceNode(name: try declared(.service, "the service's name"), remarks: remarks)
    let outer = scope
    scope = SourceNames.join(scope, service.name)
    defer { scope = outer }
    try take("{")
    service.remarks.trailing = tokens.trailing
    while try !takes(symbol: "}") {
      let remarks = SourceRemarks(leading: token.leading)
      if try takes(symbol: ";") { continue }
      if token.isWord("option") {
        service.options.append(try option())
      } else {
        guard token.isWord("rpc") else { throw error("\"rpc\" is missing before \(found)") }
        service.methods.append(try method(remarks))
      }
    }
    return service
  }

  private mutating func method(_ remarks: SourceRemarks) throws(SourceError) -> MethodNode {
    try advance()
    let name = try declared(.other, "the method's name")
    let (input, isClientStreaming) = try methodType()
    guard try takes("returns") else { throw error("\"returns\" is missing before \(found)") }
    let (output, isServerStreaming) = try methodType()
    var method = MethodNode(name: name, remarks: remarks, input: input, output: output)
    (method.isClientStreaming, method.isServerStreaming) = (isClientStreaming, isServerStreaming)
    guard try takes(symbol: "{") else {
      try takeEnd(&method.remarks)
      return method
    }
    method.remarks.trailing = tokens.trailing
    method.options = []
    while try !takes(symbol: "}") {
      if token.isWord("option") {
        method.options?.append(try option())
      } else {
        try take(";")
      }
    }
    return method
  }

  private mutating func methodType() throws(SourceError) -> (type: (String, SourcePosition), isStreaming: Bool) {
    try take("(")
    let isStreaming = try takes("stream")
    let position = token.position
    let name = try fullName("a message")
    try take(")")
    return ((name, position), isStreaming)
  }
}

extension FieldType {
  /// The scalar type that the language has a word for.
  fileprivate init?(word: String) {
    var rawValue: UInt8 = 1
    while let type = FieldType(rawValue: rawValue) {
      if !type.word.isEmpty, type.word == word {
        self = type
        return
      }
      rawValue += 1
    }
    return nil
  }
}
