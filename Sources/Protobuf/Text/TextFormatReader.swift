// SPDX-License-Identifier: Apache-2.0

internal import JSON

extension DynamicMessage {
  /// Reads a message in Protobuf's text format. An error tells the line and the column; `name` is what it calls the
  /// text.
  public init(text: [UInt8], as type: MessageDescriptor, name: String = "text") throws(SourceError) {
    let tokens = SourceTokenizer(text, file: name, isTextFormat: true)
    self = try TextFormatReader.read(tokens, type, until: nil, names: nil)
  }
}

/// Reads messages in the text format, one word ahead.
struct TextFormatReader {
  private var tokens: SourceTokenizer
  private var token: SourceToken
  private var depth = 0
  /// The names that a message in a .proto file may use for extensions; elsewhere they are full names.
  private let names: SourceScope?

  /// Reads a message up to a closing symbol, or to the end.
  static func read(
    _ tokens: SourceTokenizer, _ type: MessageDescriptor, until end: Unicode.Scalar?, names: SourceScope?
  ) throws(SourceError) -> DynamicMessage {
    var tokens = tokens
    let first = try tokens.next()
    var reader = TextFormatReader(tokens: tokens, token: first, names: names)
    var message = try reader.message(type, until: end)
    message.storage.orderMaps()
    return message
  }

  private func error(_ reason: String, at position: SourcePosition? = nil) -> SourceError {
    SourceError(tokens.file, position ?? token.position, reason)
  }

  private mutating func advance() throws(SourceError) { token = try tokens.next() }

  private mutating func takes(symbol: Unicode.Scalar) throws(SourceError) -> Bool {
    guard token.isSymbol(UInt8(ascii: symbol)) else { return false }
    try advance()
    return true
  }

  private mutating func take(_ symbol: Unicode.Scalar) throws(SourceError) {
    guard try takes(symbol: symbol) else { throw error("\"\(symbol)\" is missing") }
  }

  // MARK: - Messages

  /// The fields up to a closing symbol, or to the end.
  private mutating func message(_ type: MessageDescriptor, until end: Unicode.Scalar?) throws(SourceError)
    -> DynamicMessage
  {
    depth += 1
    defer { depth -= 1 }
    guard depth <= WireReader.defaultDepthLimit else { throw error("messages nest too deep") }
    var message = DynamicMessage(type)
    var seen: Set<Int32> = []
    while true {
      if let end {
        if try takes(symbol: end) { return message }
      } else if token.kind == .end {
        return message
      }
      let position = token.position
      if token.isSymbol(0x5B), type.fullName == "google.protobuf.Any", try readAny(into: &message) {
        try skipSeparator()
        continue
      }
      let field = try field(of: type)
      try read(field, into: &message, isFirst: seen.insert(field.number).inserted, at: position)
      try skipSeparator()
    }
  }

  private mutating func skipSeparator() throws(SourceError) {
    if try !takes(symbol: ",") { _ = try takes(symbol: ";") }
  }

  /// A field's name, or an extension's in brackets.
  private mutating func field(of type: MessageDescriptor) throws(SourceError) -> FieldDescriptor {
    let position = token.position
    if try takes(symbol: "[") {
      let name = try path()
      try take("]")
      let full = names?.find(name, in: SourceNames.scope(around: type.fullName), isType: false)
      guard let field = type.pool.extension(named: names == nil ? name : full ?? ""), field.containingMessage == type
      else {
        throw error("\(type.fullName) has no extension \"\(name)\"", at: position)
      }
      return field
    }
    guard token.kind == .word else { throw error("a field's name is missing") }
    let name = token.string
    try advance()
    if let field = type.field(named: name) { return field }
    // A group goes by the name of its message.
    if let field = type.fields.first(where: { $0.type == .group && $0.message?.name == name }) { return field }
    throw error("\(type.fullName) has no field \"\(name)\"", at: position)
  }

  /// Names with dots and slashes between them.
  private mutating func path() throws(SourceError) -> String {
    var text = ""
    while token.kind == .word || token.isSymbol(0x2E) || token.isSymbol(0x2F) || token.isSymbol(0x2D) {
      text += token.string
      try advance()
    }
    return text
  }

  /// `[type.googleapis.com/package.Message] { … }` within an `Any`; false where it is something else.
  private mutating func readAny(into message: inout DynamicMessage) throws(SourceError) -> Bool {
    let position = token.position
    try advance()
    let url = try path()
    try take("]")
    guard let slash = url.utf8.lastIndex(of: 0x2F) else { throw error("\"\(url)\" names no type", at: position) }
    let name = String(url[url.utf8.index(after: slash)...])
    guard let type = message.type.pool.message(named: name) else { throw error("no schema has \(name)", at: position) }
    _ = try takes(symbol: ":")
    let content = try self.message(type, until: try opening())
    var bytes: [UInt8] = []
    do throws(MessageError) {
      try content.encode(into: &bytes)
      if let field = message.type.field(numbered: 1) { try message.set(.string(url), for: field) }
      if let field = message.type.field(numbered: 2) { try message.set(.bytes(bytes), for: field) }
    } catch { throw self.error(error.message, at: position) }
    return true
  }

  /// What closes the message that is opened here.
  private mutating func opening() throws(SourceError) -> Unicode.Scalar {
    if try takes(symbol: "<") { return ">" }
    try take("{")
    return "}"
  }

  // MARK: - Values

  private mutating func read(
    _ field: FieldDescriptor, into message: inout DynamicMessage, isFirst: Bool, at position: SourcePosition
  ) throws(SourceError) {
    let hasColon = try takes(symbol: ":")
    guard hasColon || field.message != nil else { throw error("\":\" is missing behind \"\(field.name)\"") }
    var values: [DynamicValue] = []
    if field.cardinality == .repeated, try takes(symbol: "[") {
      if try !takes(symbol: "]") {
        repeat { values.append(try value(of: field)) } while try takes(symbol: ",")
        try take("]")
      }
    } else {
      guard isFirst || field.cardinality == .repeated else {
        throw error("\"\(field.name)\" stands twice", at: position)
      }
      if let oneof = field.oneof, let other = (try? message.field(setIn: oneof)) ?? nil {
        throw error("\"\(field.name)\" and \"\(other.name)\" are of one oneof", at: position)
      }
      values.append(try value(of: field))
    }
    let slot = message.type.layout.slot(message.type.layout.index(of: UInt32(bitPattern: field.number)))
    do throws(MessageError) {
      if field.isMap {
        message.storage.append(Self.map(values, slot), slot)
      } else if field.cardinality == .repeated {
        message.storage.append(try DynamicValue.list(values).stored(slot, message.type.pool), slot)
      } else if let value = values.first {
        try message.set(value, for: field)
      }
    } catch { throw self.error(error.message, at: position) }
  }

  private static func map(_ entries: [DynamicValue], _ slot: FieldSlot) -> Value {
    var map = MapStorage()
    guard let layout = slot.message else { return .map(map) }
    for case .message(let entry) in entries {
      map.append(
        entry.storage.value(at: 0) ?? layout.slot(0).emptyValue, layout.slot(0),
        entry.storage.value(at: 1) ?? layout.slot(1).emptyValue)
    }
    return .map(map)
  }

  private mutating func value(of field: FieldDescriptor) throws(SourceError) -> DynamicValue {
    if let type = field.message { return .message(try message(type, until: try opening())) }
    let position = token.position
    if token.kind == .string {
      var bytes: [UInt8] = []
      while token.kind == .string {
        bytes += token.text
        try advance()
      }
      switch field.type {
      case .bytes: return .bytes(bytes)
      case .string:
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw error("\"\(field.name)\" is not UTF-8", at: position)
        }
        return .string(text)
      default: throw error("\"\(field.name)\" takes no text", at: position)
      }
    }
    let isNegative = try takes(symbol: "-")
    let value = token
    guard value.kind == .word || value.kind == .integer || value.kind == .float else {
      throw error("the value of \"\(field.name)\" is missing")
    }
    try advance()
    guard let found = Self.scalar(value, isNegative, field) else {
      throw error("\"\(isNegative ? "-" : "")\(value.string)\" is no value of \"\(field.name)\"", at: position)
    }
    return found
  }

  static func scalar(_ token: SourceToken, _ isNegative: Bool, _ field: FieldDescriptor) -> DynamicValue? {
    let magnitude = token.kind == .integer ? SourceParser.value(of: token.text) : nil
    let signed = magnitude.flatMap { value -> Int64? in
      isNegative ? (value <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- value) : nil) : Int64(exactly: value)
    }
    switch field.type {
    case .int32, .sint32, .sfixed32: return signed.flatMap { Int32(exactly: $0) }.map { .int32($0) }
    case .int64, .sint64, .sfixed64: return signed.map { .int64($0) }
    case .uint32, .fixed32: return isNegative ? nil : magnitude.flatMap { UInt32(exactly: $0) }.map { .uint32($0) }
    case .uint64, .fixed64: return isNegative ? nil : magnitude.map { .uint64($0) }
    case .bool:
      guard !isNegative else { return nil }
      switch token.string {
      case "true", "True", "t", "1": return .bool(true)
      case "false", "False", "f", "0": return .bool(false)
      default: return nil
      }
    case .enumeration:
      if token.kind == .word, !isNegative {
        return field.enumeration?.value(named: token.string).map { .enumeration($0.number) }
      }
      return signed.flatMap { Int32(exactly: $0) }.map { .enumeration($0) }
    case .double: return floating(token, isNegative, { $0.double }, .infinity).map { .double($0) }
    case .float: return floating(token, isNegative, { $0.float }, .infinity).map { .float($0) }
    case .string, .bytes, .message, .group: return nil
    }
  }

  private static func floating<Number: BinaryFloatingPoint>(
    _ token: SourceToken, _ isNegative: Bool, _ convert: (JSONNumber) -> Number?, _ infinity: Number
  ) -> Number? {
    var magnitude: Number?
    if token.kind == .word {
      switch String(decoding: token.text.map { $0 | 0x20 }, as: UTF8.self) {
      case "inf", "infinity": magnitude = infinity
      case "nan": return Number.nan
      default: return nil
      }
    } else {
      // Beyond the range of its type, a number is infinite.
      magnitude = JSONNumber(token.text[...]).map { convert($0) ?? infinity }
    }
    return magnitude.map { isNegative ? -$0 : $0 }
  }
}
