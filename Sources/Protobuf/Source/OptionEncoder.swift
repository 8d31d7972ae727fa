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
    guard let first = fields.first, let last = fields.last else { return }
    var value = try value(of: option, last)
    var message = DynamicMessage(first.containingMessage)
    do throws(MessageError) {
      for field in fields.reversed() {
        message = DynamicMessage(field.containingMessage)
        try message.set(field.cardinality == .repeated ? .list([value]) : value, for: field)
        value = .message(message)
      }
    } catch { throw option.error(error.message) }
    try look(through: &message.storage, message.type.layout, option, "", fields.count)
    do throws(MessageError) { try message.encode(into: &bytes, allowsMissingRequired: true) } catch {
      throw option.error(error.message)
    }
  }

  // MARK: - Names

  /// The fields that an option's name leads through.
  private func fields(of option: OptionNode) throws(SourceError) -> [FieldDescriptor] {
    var fields: [FieldDescriptor] = []
    // A schema may bring options that are newer than those known here.
    var type = pool?.message(named: kind.type)
    if let first = option.parts.first, !first.isExtension, type?.field(named: first.name) == nil {
      type = standard.message(named: kind.type)
    }
    for part in option.parts {
      if let last = fields.last {
        guard let message = last.message, last.cardinality != .repeated else {
          throw option.error(last.name + " is no single message")
        }
        type = message
      }
      var field = type?.field(named: part.name)
      if part.isExtension {
        field = file.find(part.name, in: scope, isType: false).flatMap { pool?.extension(named: $0) }
      }
      guard let field else { throw option.error("there is no such option here" + file.hint(part.name, in: scope)) }
      guard field.containingMessage == type else {
        throw option.error("it extends " + field.containingMessage.fullName)
      }
      fields.append(field)
    }
    return fields
  }

  // MARK: - Values

  private func value(of option: OptionNode, _ field: FieldDescriptor) throws(SourceError) -> DynamicValue {
    switch (option.value, field.message) {
    case (.message(let tokens), let type?):
      let message = try TextFormatReader.read(tokens, type, until: "}", names: file)
      do throws(MessageError) { try message.checkRequired() } catch { throw option.error(error.message) }
      return .message(message)
    case (.word(let token, let isNegative), nil):
      if token.kind == .string {
        if field.type == .bytes { return .bytes(token.text) }
        if field.type == .string, let text = String(validating: token.text, as: UTF8.self) { return .string(text) }
      } else if Self.takes(token, field.type), let value = TextFormatReader.scalar(token, isNegative, field) {
        return value
      }
      throw option.error("it has no such value")
    case (.message, nil): throw option.error("it is no message")
    case (.word, _?): throw option.error("it is a message: write its fields in braces")
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

  /// Looks at all that a statement sets: whether it is set already, and may be set on this kind of declaration
  /// (`targets`). What is for sources alone (`retention`) is removed.
  ///
  /// - Parameters:
  ///   - path: the field numbers that lead to the content; nil within a list, whose elements have nothing in common.
  ///   - depth: how many fields the statement's name has from here on: those before its last one may be set already.
  private mutating func look(
    through content: inout MessageStorage, _ layout: MessageLayout, _ option: OptionNode, _ path: String?, _ depth: Int
  ) throws(SourceError) {
    var kept = MessageStorage()
    for var entry in content.entries {
      let slot = layout.slot(Int(entry.index))
      var path = path
      if slot.flags.contains(.repeated) {
        path = nil
      } else if let outer = path {
        let own = outer + "." + String(slot.number)
        guard seen.insert(own).inserted || depth > 1 else { throw option.error("it is set twice") }
        path = own
      }
      let own = slot.field.common.options.varints()
      let targets = own.filter { $0.number == 19 }
      guard targets.isEmpty || targets.contains(where: { $0.value == kind.target }) else {
        throw option.error(slot.field.common.name + " cannot be set here")
      }
      if own.last(where: { $0.number == 17 })?.value == 2 { continue }
      if let type = slot.message, !slot.flags.contains(.map) {
        switch entry.value {
        case .message(var inner):
          try look(through: &inner, type, option, path, depth - 1)
          entry.value = .message(inner)
        case .messages(var list):
          for place in list.indices { try look(through: &list[place], type, option, nil, depth - 1) }
          entry.value = .messages(list)
        default: break
        }
      }
      kept.entries.append(entry)
    }
    content = kept
  }
}
