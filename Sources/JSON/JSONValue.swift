// SPDX-License-Identifier: Apache-2.0

/// A whole document, or a part of one.
public indirect enum JSONValue: Equatable, Sendable {
  /// `null`
  case null
  /// `true` or `false`.
  case boolean(Bool)
  /// A number.
  case number(JSONNumber)
  /// A string.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object: its members in the order of the document, no two of one name.
  case object([JSONMember])

  /// Reads a document; an object with two members of one name is refused, names being compared byte by byte.
  public init(parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
    var builder = Builder()
    var reader = JSONReader(bytes, limits: limits)
    while let token = try reader.next() { try builder.take(token, reader) }
    self = builder.result
  }

  /// Reads a document from text.
  public init(parsing text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) {
    try self.init(parsing: Array(text.utf8), limits: limits)
  }

  /// The value of an object's member; nil where there is none or this is no object.
  public subscript(_ name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    for member in members where member.name.utf8.elementsEqual(name.utf8) { return member.value }
    return nil
  }
}

/// A member of an object.
public struct JSONMember: Equatable, Sendable {
  /// The name.
  public let name: String
  /// The value.
  public let value: JSONValue

  /// A member.
  public init(_ name: String, _ value: JSONValue) {
    self.name = name
    self.value = value
  }
}

/// Puts tokens together. What is open stands in arrays, not on the call stack.
private struct Builder {
  /// An open array or object, and where its values and names begin.
  private struct Container {
    let values: Int
    let names: Int
  }

  private struct Name {
    let text: ArraySlice<UInt8>
    let offset: Int
  }

  private var open: [Container] = []
  /// The values of all open containers, and the names of the objects among them, the innermost ones last.
  private var values: [JSONValue] = []
  private var names: [Name] = []

  var result: JSONValue { values.first ?? .null }

  mutating func take(_ token: JSONToken, _ reader: JSONReader) throws(JSONError) {
    switch token {
    case .beginArray, .beginObject: open.append(Container(values: values.count, names: names.count))
    case .endArray:
      guard let array = open.popLast() else { return }
      let elements = Array(values[array.values...])
      values.removeSubrange(array.values...)
      values.append(.array(elements))
    case .endObject:
      guard let object = open.popLast() else { return }
      try refuseDuplicates(names[object.names...], reader)
      let members = zip(names[object.names...], values[object.values...]).map { name, value in
        JSONMember(String(decoding: name.text, as: UTF8.self), value)
      }
      names.removeSubrange(object.names...)
      values.removeSubrange(object.values...)
      values.append(.object(members))
    case .key: names.append(Name(text: reader.text, offset: reader.offset))
    case .string: values.append(.string(String(decoding: reader.text, as: UTF8.self)))
    case .number: values.append(.number(reader.number))
    case .boolean(let value): values.append(.boolean(value))
    case .null: values.append(.null)
    }
  }

  /// Names side by side in the order of their bytes tell; nothing is hashed, so that no choice of names makes it slow.
  private func refuseDuplicates(_ names: ArraySlice<Name>, _ reader: JSONReader) throws(JSONError) {
    guard names.count > 1 else { return }
    let sorted = names.sorted { one, other in
      if one.text.count != other.text.count { return one.text.count < other.text.count }
      return one.text.lexicographicallyPrecedes(other.text)
    }
    var first: Name?
    for (one, other) in zip(sorted, sorted.dropFirst()) where one.text == other.text {
      let later = one.offset > other.offset ? one : other
      if later.offset < first?.offset ?? .max { first = later }
    }
    guard let first else { return }
    throw reader.error(.duplicateKey(String(decoding: first.text, as: UTF8.self)), at: first.offset)
  }
}
