// SPDX-License-Identifier: Apache-2.0

/// Encodes the options of a file's declarations, each statement for itself: what they set together is the bytes of
/// all, one behind the other.
struct OptionEncoder {
  /// The options of the language; nil leaves every option out.
  private let standard: DescriptorPool?
  /// The files that are compiled, linked: extensions are found there.
  private let pool: DescriptorPool?
  /// Whether an option that cannot be read is left for an encoder that has the files.
  private let isTentative: Bool
  /// Whether any was.
  private(set) var hasLeftOut = false

  init(standard: DescriptorPool? = OptionSchema.pool, pool: DescriptorPool? = nil, isTentative: Bool = false) {
    (self.standard, self.pool, self.isTentative) = (standard, pool, isTentative)
  }

  /// The options message of a declaration whose options' names are looked for in a scope.
  mutating func encode(
    _ options: [OptionNode], of kind: CommonOptions, in scope: String, _ file: SourceScope
  ) throws(SourceError) -> [UInt8] {
    guard let standard else { return [] }
    var statement = Statement(standard: standard, pool: pool, kind: kind, scope: scope, file: file)
    var bytes: [UInt8] = []
    for option in options {
      do throws(SourceError) { try statement.encode(option, into: &bytes) } catch {
        guard isTentative else { throw error }
        hasLeftOut = true
      }
    }
    return bytes
  }
}

/// The statements about one declaration.
private struct Statement {
  let standard: DescriptorPool
  let pool: DescriptorPool?
  let kind: CommonOptions
  let scope: String
  let file: SourceScope
  /// What is set already, by field numbers.
  private var seen: Set<String> = []

  init(standard: DescriptorPool, pool: DescriptorPool?, kind: CommonOptions, scope: String, file: SourceScope) {
    (self.standard, self.pool, self.kind, self.scope, self.file) = (standard, pool, kind, scope, file)
  }

  mutating func encode(_ option: OptionNode, into bytes: inout [UInt8]) throws(SourceError) {
    let fields = try fields(of: option)
    guard let last = fields.last else { return }
    var value = try value(of: option, last)
    try note(value, fields, option)
    // What is for sources alone leaves its place empty.
    if case .message(let message) = value { value = .message(try kept(message, option)) }
    var count = fields.count
    for (place, field) in fields.enumerated().reversed() where try isForSources(field, option) { count = place }
    if count < fields.count {
      guard count > 0, let type = fields[count - 1].message else { return }
      value = .message(DynamicMessage(type))
    }
    do throws(MessageError) {
      for field in fields.prefix(count).reversed() {
        var message = DynamicMessage(field.containingMessage)
        try message.set(field.cardinality == .repeated ? .list([value]) : value, for: field)
        value = .message(message)
      }
      if case .message(let message) = value { try message.encode(into: &bytes, allowsMissingRequired: true) }
    } catch { throw option.error("\(option.name): \(error.message)") }
  }

  // MARK: - Names

  /// The fields that an option's name leads through.
  private func fields(of option: OptionNode) throws(SourceError) -> [FieldDescriptor] {
    var fields: [FieldDescriptor] = []
    // A schema may bring options that are newer than those known here.
    var type = pool?.message(named: kind.type)
    if let first = option.parts.first, !first.isExtension, type?.field(named: first.name) == nil {
      type = standard.message(named: kind.type)
      if type?.field(named: first.name) == nil { throw option.error("there is no option \(first.name) here") }
    }
    for part in option.parts {
      if let last = fields.last {
        guard let message = last.message, !last.isMap else {
          throw option.error("\(last.name) in \(option.name) is no message, and has no fields")
        }
        guard last.cardinality != .repeated else {
          throw option.error("\(last.name) in \(option.name) is repeated: write each value in braces")
        }
        type = message
      }
      fields.append(try field(part, of: type, option))
    }
    return fields
  }

  private func field(
    _ part: OptionNode.Part, of type: MessageDescriptor?, _ option: OptionNode
  ) throws(SourceError) -> FieldDescriptor {
    guard part.isExtension else {
      if let field = type?.field(named: part.name) { return field }
      throw option.error("\(type?.fullName ?? kind.type) has no field \"\(part.name)\"")
    }
    guard let name = file.find(part.name, in: scope, isType: false), let field = pool?.extension(named: name) else {
      let place = file.hidingPlace(of: part.name, in: scope)
      throw option.error(
        "there is no option (\(part.name))" + (place.map { ": \($0), which declares it, is not imported" } ?? ""))
    }
    guard field.containingMessage == type else {
      throw option.error(
        "(\(part.name)) cannot stand here: it extends \(field.containingMessage.fullName), and this is of "
          + (type?.fullName ?? kind.type))
    }
    return field
  }

  /// Notes what an option sets: but for values of repeated fields, everything is set once.
  private mutating func note(
    _ value: DynamicValue, _ fields: [FieldDescriptor], _ option: OptionNode
  ) throws(SourceError) {
    var path = ""
    for field in fields.dropLast() {
      path += ".\(field.number)"
      seen.insert(path)
    }
    guard let last = fields.last, last.cardinality != .repeated else { return }
    path += ".\(last.number)"
    guard seen.insert(path).inserted else { throw option.error("\(option.name) is set twice") }
    if case .message(let message) = value { note(message, path) }
  }

  private mutating func note(_ message: DynamicMessage, _ path: String) {
    for field in message.setFields where field.cardinality != .repeated {
      let path = path + ".\(field.number)"
      seen.insert(path)
      if case .message(let inner)? = try? message.get(field) { note(inner, path) }
    }
  }

  // MARK: - Values

  private func value(of option: OptionNode, _ field: FieldDescriptor) throws(SourceError) -> DynamicValue {
    switch option.value {
    case .message(let tokens):
      guard let type = field.message, !field.isMap else { throw option.error("\(option.name) is no message") }
      var reader = try TextFormatReader(tokens, file)
      let message = try reader.message(type, until: "}")
      do throws(MessageError) { try message.checkRequired() } catch {
        throw option.error("\(option.name): \(error.message)")
      }
      return .message(message)
    case .word(let token, let isNegative):
      guard field.message == nil else {
        throw option.error("\(option.name) is a message: write its fields in braces")
      }
      if token.kind == .string {
        switch field.type {
        case .bytes: return .bytes(token.text)
        case .string:
          if let text = String(validating: token.text, as: UTF8.self) { return .string(text) }
        default: break
        }
      } else if Self.takes(token, field.type), let value = TextFormatReader.scalar(token, isNegative, field) {
        return value
      }
      throw option.error("\(option.name) has no such value")
    }
  }

  /// Whether a type has such words or numbers; the text format has more of them.
  private static func takes(_ token: SourceToken, _ type: FieldType) -> Bool {
    guard token.kind == .word else { return type != .bool && type != .enumeration }
    switch type {
    case .bool: return token.isWord("true") || token.isWord("false")
    case .float, .double: return token.isWord("inf") || token.isWord("nan")
    default: return type == .enumeration
    }
  }

  // MARK: - Where options belong

  /// Whether a field is for sources alone (`retention`); an error where it cannot be set on this kind of declaration
  /// (`targets`).
  private func isForSources(_ field: FieldDescriptor, _ option: OptionNode) throws(SourceError) -> Bool {
    let own = field.options.varints()
    let targets = own.filter { $0.number == 19 }
    guard targets.isEmpty || targets.contains(where: { $0.value == kind.target }) else {
      throw option.error("\(field.name) cannot be set here")
    }
    return own.last { $0.number == 17 }?.value == 2
  }

  /// A message without what is for sources alone.
  private func kept(_ message: DynamicMessage, _ option: OptionNode) throws(SourceError) -> DynamicMessage {
    var message = message
    for field in message.setFields {
      if try isForSources(field, option) {
        try? message.clear(field)
        continue
      }
      switch try? message.get(field) {
      case .message(let inner)?:
        let inner = try kept(inner, option)
        try? message.set(.message(inner), for: field)
      case .list(let values)? where field.message != nil:
        var list: [DynamicValue] = []
        for case .message(let inner) in values { list.append(.message(try kept(inner, option))) }
        try? message.set(.list(list), for: field)
      default: break
      }
    }
    return message
  }
}
