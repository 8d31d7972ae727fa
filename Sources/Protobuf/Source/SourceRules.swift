// SPDX-License-Identifier: Apache-2.0

/// What protoc forbids in .proto files beside what ``DescriptorPool`` does. Descriptors are not held to it: they come
/// from other compilers too, and nothing that reads them minds.
struct SourceRules {
  private let file: FileDescriptor
  private let names: SourceNames

  /// Looks at a file that is linked; an error tells the place of the first declaration that breaks a rule.
  static func check(_ file: FileDescriptor, _ names: SourceNames) throws(SourceError) {
    let rules = SourceRules(file: file, names: names)
    for imported in file.imports where isLite(imported) && !isLite(file) {
      throw SourceError(file.name, .file, "\(imported.name) is for LITE_RUNTIME, and this file is not")
    }
    try rules.check(file.messages, file.enums, file.extensions)
  }

  private func check(
    _ messages: [MessageDescriptor], _ enums: [EnumDescriptor], _ fields: [FieldDescriptor]
  ) throws(SourceError) {
    for field in fields { try fail(field.fullName, optionFault(field) ?? featureFault(field) ?? typeFault(field)) }
    for enumeration in enums { try check(enumeration) }
    for message in messages {
      try check(message)
      try check(message.messages, message.enums, message.fields + message.extensions)
    }
  }

  private static func isLite(_ file: FileDescriptor) -> Bool { file.options.varint(9) == 3 }

  private func fail(_ name: String, _ reason: String?) throws(SourceError) {
    guard let reason else { return }
    throw SourceError(file.name, names[name]?.position ?? .file, name + ": " + reason)
  }

  // MARK: - Fields

  private func optionFault(_ field: FieldDescriptor) -> String? {
    let options = field.options
    if let value = options.varint(2) {
      if file.edition.hasFeatures { return "an edition has features.repeated_field_encoding instead of packed" }
      if value != 0, !Self.isPackable(field) { return "packed is for repeated numbers, booleans and enums" }
    }
    if options.varint(6) ?? 0 != 0 {
      switch field.type {
      case .int64, .uint64, .sint64, .fixed64, .sfixed64: break
      default: return "jstype is for integers of 64 bits"
      }
    }
    if options.isTrue(5) || options.isTrue(15) {
      // An edition has no groups: what is one there is a message that is delimited.
      guard field.type == .message || field.type == .group && file.edition.hasFeatures else {
        return "lazy is for messages"
      }
    }
    if options.varint(1) != nil, file.edition >= .edition2024 { return "edition 2024 has no ctype" }
    return nil
  }

  private static func isPackable(_ field: FieldDescriptor) -> Bool {
    field.cardinality == .repeated && field.type.isPackable
  }

  /// Features that a field has set for itself and that mean nothing there.
  private func featureFault(_ field: FieldDescriptor) -> String? {
    // A map's key and value have those of the map.
    guard !field.containingMessage.isMapEntry else { return nil }
    for value in field.options.values(of: CommonOptions.field.features) {
      guard case .bytes(let bytes) = value, let set = try? DescriptorOptions(checking: bytes, .featureSet) else {
        continue
      }
      for (number, value) in set.varints() {
        switch number {
        case 1:
          guard field.cardinality != .repeated, field.oneof == nil, !field.isExtension else {
            return "field_presence is for singular fields that are neither extensions nor in a oneof"
          }
          if field.message != nil, value == 2 { return "a message has presence" }
        case 3:
          guard field.cardinality == .repeated, value != 1 || field.type.isPackable else {
            return "repeated_field_encoding is for repeated fields, and PACKED for numbers, booleans and enums"
          }
        case 4:
          let parts = field.isMap ? field.message?.fields ?? [] : [field]
          guard parts.contains(where: { $0.type == .string }) else { return "utf8_validation is for strings" }
        case 5:
          guard field.message != nil, !field.isMap else { return "message_encoding is for messages" }
        default: break
        }
      }
    }
    return nil
  }

  private func typeFault(_ field: FieldDescriptor) -> String? {
    if file.edition == .proto3 {
      if field.enumeration?.isClosed == true { return "a field of proto3 has an enum that is closed, as of proto2" }
      let extendee = field.containingMessage.fullName
      if field.isExtension, !extendee.hasPrefix("google.protobuf.") || !extendee.hasSuffix("Options") {
        return "proto3 extends nothing but options"
      }
    }
    if field.containingMessage.isMapEntry, let first = field.enumeration?.values.first, first.number != 0 {
      return "the first value of a map's enum must be 0"
    }
    let name = field.jsonName.utf8
    if name.contains(0) || name.first == 0x5B && name.last == 0x5D {
      return "a name in JSON has no zero byte, and does not stand in brackets"
    }
    return nil
  }

  // MARK: - Messages and enums

  private func check(_ message: MessageDescriptor) throws(SourceError) {
    let fault: String? =
      if file.edition == .proto3, !message.extensionRanges.isEmpty {
        "proto3 has no extensions"
      } else {
        Self.repetition(message.reservedRanges + message.extensionRanges, message.reservedNames)
      }
    try fail(message.fullName, fault)
    // Names that are chosen differ also where those that are derived need not; see DescriptorPool.
    var chosen: Set<String> = []
    let isLegacy = message.options.isTrue(11)
    for field in message.fields where !isLegacy && field.jsonName != Identifier.jsonName(field.name) {
      if !chosen.insert(field.jsonName).inserted { try fail(field.fullName, "the name in JSON is used twice") }
    }
  }

  private func check(_ enumeration: EnumDescriptor) throws(SourceError) {
    let values = enumeration.values
    var fault = Self.repetition(enumeration.reservedRanges, enumeration.reservedNames)
    if let allows = enumeration.options.varint(2), allows == 0 || Set(values.map { $0.number }).count == values.count {
      fault = fault ?? "allow_alias stands where no two values have one number"
    }
    try fail(enumeration.fullName, fault)
    guard !enumeration.options.isTrue(6) else { return }
    var seen: [String: Int] = [:]
    for value in values {
      let name = Self.shortName(value.name, in: enumeration.name)
      if let number = seen[name], number != Int(value.number) {
        try fail(value.fullName, "another value has this name but for the enum's name in front, case and underscores")
      }
      if seen[name] == nil { seen[name] = Int(value.number) }
    }
  }

  /// What numbers or names are set aside twice.
  private static func repetition(_ ranges: [NumberRange], _ names: [String]) -> String? {
    let sorted = ranges.sorted { $0.first < $1.first }
    for (left, right) in zip(sorted, sorted.dropFirst()) where right.first <= left.last {
      return "the number \(right.first) is set aside twice"
    }
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted { return "the name \"\(name)\" is set aside twice" }
    return nil
  }

  /// A value's name as languages have it that leave the enum's out: `MOOD_VERY_GOOD` of `Mood` is `VeryGood`.
  private static func shortName(_ name: String, in enumeration: String) -> String {
    var prefix = Array(enumeration.utf8.filter { $0 != 0x5F })[...]
    var rest = Array(name.utf8)[...]
    while let wanted = prefix.first {
      rest = rest.drop { $0 == 0x5F }
      guard let byte = rest.first, lowercase(byte) == lowercase(wanted) else { break }
      prefix = prefix.dropFirst()
      rest = rest.dropFirst()
    }
    rest = rest.drop { $0 == 0x5F }
    var short: [UInt8] = []
    var isCapital = true
    for byte in prefix.isEmpty && !rest.isEmpty ? rest : Array(name.utf8)[...] {
      if byte == 0x5F {
        isCapital = true
      } else {
        let isLetter = (0x61...0x7A).contains(lowercase(byte))
        short.append(isCapital && isLetter ? byte & ~0x20 : lowercase(byte))
        isCapital = false
      }
    }
    return String(decoding: short, as: UTF8.self)
  }

  private static func lowercase(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
