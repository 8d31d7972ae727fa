// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON

/// Reads one message, and those within it, from a document.
///
/// Strings without escapes are views into the document. Nothing is hashed: names are found by searching a sorted table,
/// keys of maps by sorting them.
struct MessageReader {
  /// Why reading ended, before the path is known.
  enum Fault: Error {
    case syntax(JSONError)
    /// What was wrong, and the offset of the token at fault.
    case meaning(MappingError.Code, at: Int)
    /// A message lacks a required field, or cannot be encoded for an `Any`.
    case message(MessageError)
  }

  var reader: JSONReader
  let pool: DescriptorPool
  let ignoresUnknown: Bool
  let depthLimit: Int
  private var elements: Int
  var types = AnyTypeFinder()

  private init(_ document: ArraySlice<UInt8>, _ pool: DescriptorPool, _ options: JSONReadingOptions) {
    var limits = JSONLimits()
    limits.bytes = options.limits.bytes
    // Messages are counted; between two of them there are at most an array, or an object for a map.
    let (depth, overflow) = options.limits.depth.multipliedReportingOverflow(by: 2)
    limits.depth = overflow ? .max : max(depth, 1) + 2
    reader = JSONReader(document, limits: limits)
    self.pool = pool
    ignoresUnknown = options.ignoresUnknown
    depthLimit = options.limits.depth
    elements = options.limits.elements
  }

  /// Calls a function with a reader of a document, and sees to it that nothing follows what it reads.
  static func read<Result>(
    _ document: ArraySlice<UInt8>, _ pool: DescriptorPool, _ options: JSONReadingOptions,
    _ body: (inout MessageReader, JSONToken) throws(Fault) -> Result
  ) throws(MappingError) -> Result {
    var reader = MessageReader(document, pool, options)
    do throws(Fault) {
      let result = try body(&reader, try reader.next())
      do throws(JSONError) { _ = try reader.reader.next() } catch { throw .syntax(error) }
      return result
    } catch {
      switch error {
      case .syntax(let error):
        throw MappingError(.syntax(error.message), path: JSONPath.path(to: error.offset, in: document))
      case .meaning(let code, let offset): throw MappingError(code, path: JSONPath.path(to: offset, in: document))
      case .message(let error): throw MappingError(error)
      }
    }
  }

  /// The next token, where the document cannot be at its end.
  mutating func next() throws(Fault) -> JSONToken {
    do throws(JSONError) {
      if let token = try reader.next() { return token }
      throw reader.error(.unexpectedEnd)
    } catch { throw .syntax(error) }
  }

  mutating func skipValue() throws(Fault) {
    do throws(JSONError) { try reader.skipValue() } catch { throw .syntax(error) }
  }

  /// A fault of the last token.
  func fault(_ code: MappingError.Code) -> Fault { .meaning(code, at: reader.offset) }

  /// Counts a value.
  @inline(__always)
  private mutating func take() throws(Fault) {
    elements -= 1
    guard elements >= 0 else { throw fault(.tooManyElements) }
  }

  // MARK: - Messages

  /// Reads the message that a token begins.
  mutating func message(_ layout: MessageLayout, _ token: JSONToken, depth: Int) throws(Fault) -> MessageStorage {
    guard depth <= depthLimit else { throw fault(.tooDeep) }
    if let type = WellKnownType(layout) { return try wellKnown(type, layout, token, depth) }
    guard token == .beginObject else { throw fault(.expected("an object")) }
    return try members(layout, depth)
  }

  /// Reads the members of an object up to its end; `@type` among them where the object is that of an `Any`.
  mutating func members(_ layout: MessageLayout, _ depth: Int, isAny: Bool = false) throws(Fault) -> MessageStorage {
    var storage = MessageStorage()
    var finder = EntryFinder()
    var fields = IndexSet()
    var oneofs = IndexSet()
    var hasType = false
    while try next() == .key {
      guard let index = reader.withText({ layout.names.find($0) }) else {
        if isAny, reader.isAtType {
          guard !hasType else { throw fault(.duplicateField) }
          hasType = true
        } else if !ignoresUnknown {
          throw fault(.unknownField(layout.common.fullName))
        }
        try skipValue()
        continue
      }
      guard fields.insert(index) else { throw fault(.duplicateField) }
      let slot = layout.slot(index)
      let first = try next()
      if first == .null, slot.flags.contains(.repeated) || !slot.takesNull { continue }
      if slot.oneof >= 0, !oneofs.insert(Int(slot.oneof)) {
        throw fault(.severalOfOneof(layout.oneofs[Int(slot.oneof)].common.name))
      }
      guard let value = try value(slot, first, depth), !value.isLeftOut(of: slot) else { continue }
      finder.add(value, slot, to: &storage, fieldCount: layout.fieldCount)
    }
    finder.finish(&storage)
    return storage
  }

  /// Reads the value of a field of a message at a depth; nil for an enum value that is not known and passed over.
  mutating func value(_ slot: FieldSlot, _ token: JSONToken, _ depth: Int) throws(Fault) -> Value? {
    if slot.flags.contains(.map) { return .map(try map(slot, token, depth)) }
    if slot.flags.contains(.repeated) { return try list(slot, token, depth) }
    try take()
    return try single(slot, token, depth)
  }

  // MARK: - Values

  /// Reads one value.
  private mutating func single(_ slot: FieldSlot, _ token: JSONToken, _ depth: Int) throws(Fault) -> Value? {
    switch slot.type {
    case .message, .group:
      guard let layout = slot.message else { return nil }
      return .message(try message(layout, token, depth: depth + 1))
    case .string, .bytes: return .bytes(try byteString(slot, token))
    default: return try scalar(slot, token).map { .scalar($0) }
    }
  }

  private func byteString(_ slot: FieldSlot, _ token: JSONToken) throws(Fault) -> ArraySlice<UInt8> {
    guard token == .string else { throw fault(.expected("a string")) }
    if slot.type == .string { return reader.text }
    return try base64()
  }

  /// The bytes of the string that the reader stands on.
  func base64() throws(Fault) -> ArraySlice<UInt8> {
    guard let bytes = reader.withText({ Base64.decode($0, alphabet: .either) }) else {
      throw fault(.malformed("base64"))
    }
    return bytes[...]
  }

  /// The bits of a number, a boolean or an enum's number; nil for an enum value that is not known and passed over.
  private func scalar(_ slot: FieldSlot, _ token: JSONToken) throws(Fault) -> UInt64? {
    switch slot.type {
    case .bool:
      guard case .boolean(let value) = token else { throw fault(.expected("true or false")) }
      return value ? 1 : 0
    case .enumeration: return try enumNumber(slot, token)
    case .double: return try double(token).bitPattern
    case .float: return UInt64(try float(token).bitPattern)
    default:
      guard let bits = try number(token).bits(slot.type) else { throw fault(.outOfRange) }
      return bits
    }
  }

  /// The number that stands bare or in quotes.
  private func number(_ token: JSONToken) throws(Fault) -> JSONNumber {
    if token == .number { return reader.number }
    guard token == .string else { throw fault(.expected("a number")) }
    guard let number = JSONNumber(reader.text) else { throw fault(.malformed("a number")) }
    return number
  }

  private func double(_ token: JSONToken) throws(Fault) -> Double {
    if token == .string, let special = reader.withText({ SpecialNumber($0) }) { return special.double }
    guard let value = try number(token).double else { throw fault(.outOfRange) }
    return value
  }

  private func float(_ token: JSONToken) throws(Fault) -> Float {
    if token == .string, let special = reader.withText({ SpecialNumber($0) }) { return Float(special.double) }
    guard let value = try number(token).float else { throw fault(.outOfRange) }
    return value
  }

  private func enumNumber(_ slot: FieldSlot, _ token: JSONToken) throws(Fault) -> UInt64? {
    guard let layout = slot.enumeration else { return nil }
    let number: Int32
    switch token {
    case .string:
      guard let position = reader.withText({ layout.names.find($0) }) else {
        if ignoresUnknown { return nil }
        throw fault(.unknownEnumValue(layout.common.fullName))
      }
      number = layout.values[position].number
    case .number:
      guard let whole = reader.number.int64, let value = Int32(exactly: whole) else { throw fault(.outOfRange) }
      // A closed enum has no other numbers than its own.
      guard !slot.flags.contains(.closed) || layout.position(of: value) != nil else {
        if ignoresUnknown { return nil }
        throw fault(.unknownEnumValue(layout.common.fullName))
      }
      number = value
    case .null where layout.isNullValue: number = 0
    default: throw fault(.expected("a name or a number of " + layout.common.fullName))
    }
    return UInt64(bitPattern: Int64(number))
  }

  // MARK: - Lists and maps

  private mutating func list(_ slot: FieldSlot, _ token: JSONToken, _ depth: Int) throws(Fault) -> Value {
    guard token == .beginArray else { throw fault(.expected("an array")) }
    let takesNull = slot.takesNull
    switch slot.type {
    case .message, .group:
      guard let layout = slot.message else { return .messages([]) }
      var list: [MessageStorage] = []
      while let token = try element(takesNull) { list.append(try message(layout, token, depth: depth + 1)) }
      return .messages(list)
    case .string, .bytes:
      var list: [ArraySlice<UInt8>] = []
      while let token = try element(takesNull) { list.append(try byteString(slot, token)) }
      return .byteStrings(list)
    default:
      var list: [UInt64] = []
      while let token = try element(takesNull) {
        if let bits = try scalar(slot, token) { list.append(bits) }
      }
      return .scalars(list)
    }
  }

  /// The first token of an array's next element; nil at the array's end.
  private mutating func element(_ takesNull: Bool) throws(Fault) -> JSONToken? {
    let token = try next()
    if token == .endArray { return nil }
    try take()
    guard token != .null || takesNull else { throw fault(.expected("a value, and not null,")) }
    return token
  }

  private mutating func map(_ slot: FieldSlot, _ token: JSONToken, _ depth: Int) throws(Fault) -> MapStorage {
    guard token == .beginObject else { throw fault(.expected("an object")) }
    let begin = reader.offset
    var map = MapStorage()
    guard let entry = slot.message else { return map }
    let keySlot = entry.slot(0)
    let valueSlot = entry.slot(1)
    let takesNull = valueSlot.takesNull
    while try next() == .key {
      let key = try mapKey(keySlot.type)
      let first = try next()
      try take()
      guard first != .null || takesNull else { throw fault(.expected("a value, and not null,")) }
      // The entry is a message too.
      if let value = try single(valueSlot, first, depth + 1) { map.append(key, value) }
    }
    let count = map.entries.count
    map.order()
    guard map.entries.count == count else { throw .meaning(.duplicateKey, at: begin) }
    return map
  }

  /// The key that the reader stands on.
  private func mapKey(_ type: FieldType) throws(Fault) -> MapKey {
    switch type {
    case .string: return .bytes(reader.text)
    case .bool:
      switch String(decoding: reader.text.prefix(6), as: UTF8.self) {
      case "true": return .unsigned(1)
      case "false": return .unsigned(0)
      default: throw fault(.malformed("true or false"))
      }
    default:
      guard let number = JSONNumber(reader.text) else { throw fault(.malformed("a number")) }
      guard let bits = number.bits(type) else { throw fault(.outOfRange) }
      return MapKey(bits: bits, type)
    }
  }
}

/// The numbers that JSON has no form for, as strings.
enum SpecialNumber {
  case notANumber
  case infinity
  case negativeInfinity

  init?(_ text: Span<UInt8>) {
    // Most strings in the place of a number are digits.
    guard text.count == 3 || text.count == 8 || text.count == 9 else { return nil }
    func equals(_ name: StaticString) -> Bool {
      guard name.utf8CodeUnitCount == text.count else { return false }
      // The literal lives as long as the program, and the indices are within both.
      for index in text.indices where unsafe text[index] != name.utf8Start[index] { return false }
      return true
    }
    if equals("NaN") {
      self = .notANumber
    } else if equals("Infinity") {
      self = .infinity
    } else if equals("-Infinity") {
      self = .negativeInfinity
    } else {
      return nil
    }
  }

  var double: Double {
    switch self {
    case .notANumber: .nan
    case .infinity: .infinity
    case .negativeInfinity: -.infinity
    }
  }
}

extension JSONNumber {
  /// The bits that a field of an integer's type has for the number, as ``Value/scalar(_:)`` has them; nil where it is
  /// out of range or not whole.
  func bits(_ type: FieldType) -> UInt64? {
    switch type {
    case .uint64, .fixed64: uint64
    case .uint32, .fixed32: uint64.flatMap { $0 <= UInt32.max ? $0 : nil }
    case .int32, .sint32, .sfixed32: int64.flatMap { Int32(exactly: $0) }.map { UInt64(bitPattern: Int64($0)) }
    default: int64.map { UInt64(bitPattern: $0) }
    }
  }
}

/// A set of small numbers: of fields, of oneofs.
private struct IndexSet {
  private var first: UInt64 = 0
  /// From 64 on.
  private var more: [UInt64] = []

  /// Whether the number was not in the set.
  mutating func insert(_ index: Int) -> Bool {
    let bit = UInt64(1) << UInt64(index & 63)
    if index < 64 {
      defer { first |= bit }
      return first & bit == 0
    }
    let word = index >> 6 - 1
    while more.count <= word { more.append(0) }
    defer { more[word] |= bit }
    return more[word] & bit == 0
  }
}
