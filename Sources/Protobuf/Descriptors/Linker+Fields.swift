// SPDX-License-Identifier: Apache-2.0

internal import JSON

extension Linker {
  /// The greatest number that a tag has room for.
  static let lastNumber: Int32 = 1 << 29 - 1
  /// The greatest number of a message set's extensions.
  static let lastSetNumber = Int32.max - 1

  mutating func linkFields() throws(SchemaError) {
    // The ranges of a message that is extended, made when the first extension asks for them.
    var extensible: [Int: ReservedNumbers] = [:]
    fieldLayouts.reserveCapacity(fields.count)
    for pending in fields {
      let declaration = pending.declaration
      let file = pending.place.file
      var container = pending.place.parent
      if declaration.isExtension {
        container = try message(declaration.extendee, for: pending.fullName, file)
        let ranges = extensible[container] ?? ReservedNumbers(messages[container].declaration.extensionRanges)
        extensible[container] = ranges
        guard ranges.contains(declaration.number) else {
          throw fail(.invalidNumber(declaration.number), pending.fullName, file)
        }
      }
      var symbol: Symbol?
      if !declaration.typeName.isEmpty { symbol = try type(declaration.typeName, for: pending.fullName, file) }
      do throws(SchemaError.Code) { fieldLayouts.append(try layout(pending, container, symbol)) } catch {
        throw fail(error, pending.fullName, file)
      }
    }
  }

  private func layout(_ pending: Pending<FieldDeclaration>, _ container: Int, _ symbol: Symbol?)
    throws(SchemaError.Code) -> FieldLayout
  {
    let declaration = pending.declaration
    let edition = edition(of: pending.place.file)
    let isExtension = declaration.isExtension
    // That a greater number is one of a message set is seen to with the set's ranges.
    let lastNumber = isExtension && messages[container].options.isTrue(1) ? Self.lastSetNumber : Self.lastNumber
    guard (1...lastNumber).contains(declaration.number), !(19_000...19_999).contains(declaration.number) else {
      throw .invalidNumber(declaration.number)
    }
    if isExtension {
      guard declaration.oneofIndex == nil else { throw .invalid("an extension is in a oneof") }
    } else if !declaration.extendee.isEmpty {
      throw .invalid("a field that is no extension has an extendee")
    }

    var (type, message, enumeration) = try resolve(declaration, symbol)
    let isInMapEntry = children[container].isMapEntry
    let isMap = message >= 0 && children[message].isMapEntry
    if edition.hasFeatures, type == .group { throw .invalid("an edition has no groups but by its features") }
    if edition == .proto3, type == .group { throw .invalid("proto3 has no groups") }
    let features = try features(pending, edition)
    if type == .message, features.messageEncoding == .delimited, !isMap, !isInMapEntry { type = .group }

    let cardinality: FieldCardinality
    switch declaration.label {
    case 1: cardinality = features.presence == .required ? .required : .singular
    case 2 where edition == .proto2: cardinality = .required
    case 3: cardinality = .repeated
    default: throw .invalid("the label cannot stand here")
    }
    if cardinality == .required, isExtension { throw .invalid("an extension is required") }
    if isMap {
      guard cardinality == .repeated, !isExtension, messages[message].place.parent == container, type == .message else {
        throw .invalid("a map's entries are those of another field")
      }
    }

    let oneof = try oneof(declaration, container, cardinality)
    let hasPresence =
      cardinality != .repeated && (isExtension || oneof >= 0 || type.isMessage || features.presence != .implicit)
    if enumeration >= 0, !hasPresence, cardinality != .repeated, !isInMapEntry, enumLayouts[enumeration].isClosed {
      throw .invalid("a field without presence has a closed enum, whose default need not be 0")
    }
    let common = CommonLayout(
      name: declaration.name, fullName: pending.fullName, place: pending.place, features: features,
      options: pending.options, isDeprecated: CommonOptions.field.isDeprecated(pending.options))
    return FieldLayout(
      common, number: declaration.number, type: type, cardinality: cardinality,
      jsonName: declaration.jsonName ?? Identifier.jsonName(declaration.name), isExtension: isExtension, isMap: isMap,
      hasPresence: hasPresence, container: container, message: message, enumeration: enumeration, oneof: oneof,
      defaultValue: try defaultValue(declaration, type, cardinality, hasPresence, enumeration))
  }

  private func resolve(_ declaration: FieldDeclaration, _ symbol: Symbol?) throws(SchemaError.Code)
    -> (type: FieldType, message: Int, enumeration: Int)
  {
    let type = UInt8(exactly: declaration.type).flatMap { FieldType(rawValue: $0) }
    guard type != nil || declaration.type == 0 else { throw .invalid("the type \(declaration.type) is not known") }
    switch (symbol, type) {
    case (.message(let index), nil): return (.message, index, -1)
    case (.message(let index), let type?) where type.isMessage: return (type, index, -1)
    case (.enumeration(let index), nil), (.enumeration(let index), .enumeration): return (.enumeration, -1, index)
    case (nil, let type?) where !type.isMessage && type != .enumeration: return (type, -1, -1)
    case (nil, _): throw .unknownType("")
    default: throw .wrongType(declaration.typeName)
    }
  }

  /// The features of a field, some of which older syntaxes say by other means.
  private func features(_ pending: Pending<FieldDeclaration>, _ edition: Edition) throws(SchemaError.Code) -> Features {
    var features = pending.features
    let declaration = pending.declaration
    guard declaration.isProto3Optional || !edition.hasFeatures else { return features }
    guard !declaration.isProto3Optional || edition == .proto3 else {
      throw .invalid("a field is optional as in proto3 and is not of proto3")
    }
    if declaration.isProto3Optional { features.presence = .explicit }
    if declaration.label == 2 { features.presence = .required }
    if declaration.type == FieldType.group.rawValue { features.messageEncoding = .delimited }
    if let packed = pending.options.varint(2) { features.repeatedEncoding = packed != 0 ? .packed : .expanded }
    return features
  }

  private func oneof(_ declaration: FieldDeclaration, _ container: Int, _ cardinality: FieldCardinality)
    throws(SchemaError.Code) -> Int
  {
    guard let index = declaration.oneofIndex else {
      guard !declaration.isProto3Optional || declaration.isExtension else {
        throw .invalid("an optional field has no oneof of its own")
      }
      return -1
    }
    guard children[container].oneofs.indices.contains(Int(index)) else { throw .invalid("there is no such oneof") }
    guard cardinality == .singular else { throw .invalid("a member of a oneof is repeated or required") }
    return Int(index)
  }

  // MARK: - Default values

  private func defaultValue(
    _ declaration: FieldDeclaration, _ type: FieldType, _ cardinality: FieldCardinality, _ hasPresence: Bool,
    _ enumeration: Int
  ) throws(SchemaError.Code) -> DefaultValue {
    let isNothing = cardinality == .repeated || type.isMessage
    guard let text = declaration.defaultValue else {
      if isNothing { return .none }
      if type == .string || type == .bytes { return .bytes([]) }
      guard type == .enumeration else { return .scalar(0) }
      return .scalar(UInt64(bitPattern: Int64(enumLayouts[enumeration].values[0].number)))
    }
    guard !isNothing, hasPresence else { throw .invalid("a field has a default value that can have none") }
    let value: DefaultValue?
    switch type {
    case .string: value = String(validating: text, as: UTF8.self) == nil ? nil : .bytes(Array(text))
    case .bytes: value = Self.unescaped(text).map { .bytes($0) }
    case .enumeration:
      let layout = enumLayouts[enumeration]
      value = layout.names.find(text.span).map { .scalar(UInt64(bitPattern: Int64(layout.values[$0].number))) }
    default: value = Self.scalar(String(decoding: text, as: UTF8.self), type).map { .scalar($0) }
    }
    guard let value else { throw .invalidDefault(String(decoding: text, as: UTF8.self)) }
    return value
  }

  private static func scalar(_ text: String, _ type: FieldType) -> UInt64? {
    switch type {
    case .bool: text == "true" ? 1 : text == "false" ? 0 : nil
    case .int32, .sint32, .sfixed32: Int32(text).map { UInt64(bitPattern: Int64($0)) }
    case .int64, .sint64, .sfixed64: Int64(text).map { UInt64(bitPattern: $0) }
    case .uint32, .fixed32: UInt32(text).map { UInt64($0) }
    case .uint64, .fixed64: UInt64(text)
    case .double: double(text).map { $0.bitPattern }
    case .float: double(text).map { UInt64(Float($0).bitPattern) }
    default: nil
    }
  }

  private static func double(_ text: String) -> Double? {
    switch text {
    case "inf": return .infinity
    case "-inf": return -.infinity
    case "nan", "-nan": return .nan
    default:
      guard let value = try? JSONValue(parsing: Array(text.utf8)), case .number(let number) = value else { return nil }
      return number.double
    }
  }

  /// The bytes of a default value that is written with the escapes of C.
  private static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      guard byte == 0x5C else {
        bytes.append(byte)
        continue
      }
      guard let letter = rest.popFirst() else { return nil }
      switch letter {
      case 0x61: bytes.append(7)
      case 0x62: bytes.append(8)
      case 0x66: bytes.append(12)
      case 0x6E: bytes.append(10)
      case 0x72: bytes.append(13)
      case 0x74: bytes.append(9)
      case 0x76: bytes.append(11)
      case 0x22, 0x27, 0x3F, 0x5C: bytes.append(letter)
      case 0x30...0x37:
        var value = Int(letter - 0x30)
        for _ in 0..<2 {
          guard let digit = rest.first, digit &- 0x30 < 8 else { break }
          value = value * 8 + Int(digit - 0x30)
          rest = rest.dropFirst()
        }
        guard let byte = UInt8(exactly: value) else { return nil }
        bytes.append(byte)
      case 0x78, 0x58:
        let digits = rest.prefix(2).prefix { Character(Unicode.Scalar($0)).isHexDigit }
        guard let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else { return nil }
        bytes.append(byte)
        rest = rest.dropFirst(digits.count)
      default: return nil
      }
    }
    return bytes
  }
}
