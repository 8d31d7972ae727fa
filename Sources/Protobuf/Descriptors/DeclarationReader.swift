// SPDX-License-Identifier: Apache-2.0

/// Why declarations cannot be read.
package enum DeclarationFault: Error {
  /// The bytes are no descriptor.
  case malformed(WireError)
  /// Messages nest deeper than ``DescriptorPool/nestingLimit``.
  case tooDeep
  /// There are more declarations than the budget has.
  case tooMany
}

extension SchemaError.Code {
  init(_ fault: DeclarationFault) {
    switch fault {
    case .malformed(let error): self = .malformed(error)
    case .tooDeep: self = .tooDeep
    case .tooMany: self = .tooManyDeclarations
    }
  }
}

/// Reads declarations from bytes in which nothing is trusted: their number and their nesting are bounded.
struct DeclarationReader {
  private let start: Int
  private var reader: WireReader

  /// A reader of a part of a file. Errors count from the start of the array that the part is of.
  init(_ bytes: ArraySlice<UInt8>) {
    start = bytes.startIndex
    reader = WireReader(bytes)
  }

  mutating func next() throws(DeclarationFault) -> WireField? {
    do throws(WireError) { return try reader.next() } catch {
      throw .malformed(WireError(error.code, at: start + error.offset))
    }
  }

  /// The content of a field that is a string; the value so far where it is of another wire type.
  static func text(_ value: WireValue, _ previous: String) throws(DeclarationFault) -> String {
    guard case .bytes(let bytes) = value else { return previous }
    do throws(WireError) { return try value.string() ?? previous } catch {
      throw .malformed(WireError(error.code, at: bytes.startIndex))
    }
  }

  /// A message that stands twice is one: the bytes of both, one after the other, mean the same.
  static func merge(_ part: ArraySlice<UInt8>, into whole: inout ArraySlice<UInt8>) {
    if whole.isEmpty { whole = part } else { whole += part }
  }
}

/// How many declarations may still come.
package struct DeclarationBudget: Sendable {
  private var rest: Int

  package init(_ limit: Int) { rest = limit }

  /// Takes one.
  mutating func take() throws(DeclarationFault) {
    guard rest > 0 else { throw .tooMany }
    rest -= 1
  }
}

extension FileDeclaration {
  /// The files of a serialized `FileDescriptorSet`, as `protoc --descriptor_set_out` writes it, up to one more than
  /// `limit`.
  package static func files(of set: [UInt8], limit: Int = .max - 1) throws(WireError) -> [[UInt8]] {
    var files: [[UInt8]] = []
    var reader = WireReader(set)
    while files.count <= limit, let field = try reader.next() {
      if field.number == 1, case .bytes(let content) = field.value { files.append(Array(content)) }
    }
    return files
  }

  /// The name of a file, also of one whose rest is malformed; empty where it has none.
  static func name(of bytes: [UInt8]) -> String {
    var name = ""
    var reader = WireReader(bytes)
    while let field = (try? reader.next()) ?? nil {
      if field.number == 1, let text = (try? field.value.string()) ?? nil { name = text }
    }
    return name
  }

  /// Reads a file.
  package init(_ bytes: [UInt8], budget: inout DeclarationBudget) throws(DeclarationFault) {
    var reader = DeclarationReader(bytes[...])
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, let value): name = try DeclarationReader.text(value, name)
      case (2, let value): package = try DeclarationReader.text(value, package)
      case (3, .bytes):
        try budget.take()
        imports.append(try DeclarationReader.text(field.value, ""))
      case (4, .bytes(let part)): messages.append(try MessageDeclaration(part, depth: 1, &budget))
      case (5, .bytes(let part)): enums.append(try EnumDeclaration(part, &budget))
      case (6, .bytes(let part)): services.append(try ServiceDeclaration(part, &budget))
      case (7, .bytes(let part)): extensions.append(try FieldDeclaration(part, isExtension: true, &budget))
      case (8, .bytes(let part)): DeclarationReader.merge(part, into: &options)
      case (9, .bytes(let part)): DeclarationReader.merge(part, into: &sourceInfo)
      case (10, let value):
        guard let index = value.int32 else { continue }
        try budget.take()
        publicImports.append(index)
      case (12, let value): syntax = try DeclarationReader.text(value, syntax)
      case (14, let value): edition = value.int32 ?? edition
      default: break
      }
    }
  }
}

extension MessageDeclaration {
  init(_ bytes: ArraySlice<UInt8>, depth: Int, _ budget: inout DeclarationBudget) throws(DeclarationFault) {
    guard depth <= DescriptorPool.nestingLimit else { throw .tooDeep }
    try budget.take()
    var reader = DeclarationReader(bytes)
    while let field = try reader.next() {
      guard case .bytes(let part) = field.value else { continue }
      switch field.number {
      case 1: name = try DeclarationReader.text(field.value, name)
      case 2: fields.append(try FieldDeclaration(part, isExtension: false, &budget))
      case 3: messages.append(try MessageDeclaration(part, depth: depth + 1, &budget))
      case 4: enums.append(try EnumDeclaration(part, &budget))
      case 5: extensionRanges.append(try NumberRange(part, endIsIncluded: false, &budget))
      case 6: extensions.append(try FieldDeclaration(part, isExtension: true, &budget))
      case 7: DeclarationReader.merge(part, into: &options)
      case 8: oneofs.append(try NamedDeclaration(part, optionsNumber: 2, &budget))
      case 9: reservedRanges.append(try NumberRange(part, endIsIncluded: false, &budget))
      case 10:
        try budget.take()
        reservedNames.append(try DeclarationReader.text(field.value, ""))
      default: break
      }
    }
  }
}

extension FieldDeclaration {
  init(_ bytes: ArraySlice<UInt8>, isExtension: Bool, _ budget: inout DeclarationBudget) throws(DeclarationFault) {
    try budget.take()
    self.isExtension = isExtension
    var reader = DeclarationReader(bytes)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, let value): name = try DeclarationReader.text(value, name)
      case (2, let value): extendee = try DeclarationReader.text(value, extendee)
      case (3, let value): number = value.int32 ?? number
      case (4, let value): label = value.int32 ?? label
      case (5, let value): type = value.int32 ?? type
      case (6, let value): typeName = try DeclarationReader.text(value, typeName)
      case (7, .bytes(let part)): defaultValue = part
      case (8, .bytes(let part)): DeclarationReader.merge(part, into: &options)
      case (9, let value): oneofIndex = value.int32 ?? oneofIndex
      case (10, .bytes): jsonName = try DeclarationReader.text(field.value, "")
      case (17, .varint(let value)): isProto3Optional = value != 0
      default: break
      }
    }
  }
}

extension NamedDeclaration {
  init(_ bytes: ArraySlice<UInt8>, optionsNumber: Int, _ budget: inout DeclarationBudget) throws(DeclarationFault) {
    try budget.take()
    var reader = DeclarationReader(bytes)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, let value): name = try DeclarationReader.text(value, name)
      case (optionsNumber, .bytes(let part)): DeclarationReader.merge(part, into: &options)
      case (2, .varint): number = field.value.int32 ?? number
      default: break
      }
    }
  }
}

extension EnumDeclaration {
  init(_ bytes: ArraySlice<UInt8>, _ budget: inout DeclarationBudget) throws(DeclarationFault) {
    try budget.take()
    var reader = DeclarationReader(bytes)
    while let field = try reader.next() {
      guard case .bytes(let part) = field.value else { continue }
      switch field.number {
      case 1: name = try DeclarationReader.text(field.value, name)
      case 2: values.append(try NamedDeclaration(part, optionsNumber: 3, &budget))
      case 3: DeclarationReader.merge(part, into: &options)
      case 4: reservedRanges.append(try NumberRange(part, endIsIncluded: true, &budget))
      case 5:
        try budget.take()
        reservedNames.append(try DeclarationReader.text(field.value, ""))
      default: break
      }
    }
  }
}

extension ServiceDeclaration {
  init(_ bytes: ArraySlice<UInt8>, _ budget: inout DeclarationBudget) throws(DeclarationFault) {
    try budget.take()
    var reader = DeclarationReader(bytes)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, let value): name = try DeclarationReader.text(value, name)
      case (2, .bytes(let part)): methods.append(try MethodDeclaration(part, &budget))
      case (3, .bytes(let part)): DeclarationReader.merge(part, into: &options)
      default: break
      }
    }
  }
}

extension MethodDeclaration {
  init(_ bytes: ArraySlice<UInt8>, _ budget: inout DeclarationBudget) throws(DeclarationFault) {
    try budget.take()
    var reader = DeclarationReader(bytes)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, let value): name = try DeclarationReader.text(value, name)
      case (2, let value): input = try DeclarationReader.text(value, input)
      case (3, let value): output = try DeclarationReader.text(value, output)
      case (4, .bytes(let part)): DeclarationReader.merge(part, into: &options)
      case (5, .varint(let value)): isClientStreaming = value != 0
      case (6, .varint(let value)): isServerStreaming = value != 0
      default: break
      }
    }
  }
}

extension NumberRange {
  /// A message's ranges end before their last number, an enum's with it.
  init(_ bytes: ArraySlice<UInt8>, endIsIncluded: Bool, _ budget: inout DeclarationBudget) throws(DeclarationFault) {
    try budget.take()
    var reader = DeclarationReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: first = field.value.int32 ?? first
      case 2: last = field.value.int32 ?? last
      default: break
      }
    }
    // Whether the numbers make a range is for those to say who use it.
    if !endIsIncluded, last > .min { last -= 1 }
  }
}
