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

  /// Reads a document; an object with two members of one name is refused.
  public init(parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
    var builder = Builder()
    var reader = JSONReader(bytes, limits: limits)
    while let token = try reader.next() {
      if let key = builder.take(token) { throw reader.error(.duplicateKey(key)) }
    }
    self = builder.result
  }

  /// Reads a document from text.
  public init(parsing text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) {
    try self.init(parsing: Array(text.utf8), limits: limits)
  }

  /// The value of an object's member; nil where there is none or this is no object.
  public subscript(_ name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    for member in members where member.name == name { return member.value }
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

/// Puts tokens together. What is open stands in an array, not on the call stack.
private struct Builder {
  private enum Container {
    case array([JSONValue])
    case object([JSONMember], names: Set<String>, key: String)
  }

  private(set) var result = JSONValue.null
  private var open: [Container] = []

  /// Takes the next token; the name of a member that an object has already.
  mutating func take(_ token: JSONToken) -> String? {
    switch token {
    case .beginArray: open.append(.array([]))
    case .beginObject: open.append(.object([], names: [], key: ""))
    case .endArray, .endObject: closeInnermost()
    case .key(let key): return begin(key)
    case .string(let text): add(.string(text))
    case .number(let number): add(.number(number))
    case .boolean(let value): add(.boolean(value))
    case .null: add(.null)
    }
    return nil
  }

  private mutating func begin(_ key: String) -> String? {
    guard case .object(let members, var names, _) = open.popLast() else { return nil }
    let isNew = names.insert(key).inserted
    open.append(.object(members, names: names, key: key))
    return isNew ? nil : key
  }

  private mutating func closeInnermost() {
    switch open.popLast() {
    case .array(let values): add(.array(values))
    case .object(let members, names: _, key: _): add(.object(members))
    case nil: break
    }
  }

  private mutating func add(_ value: JSONValue) {
    // The container is taken out while it changes, so that it is never copied.
    switch open.popLast() {
    case .array(var values):
      values.append(value)
      open.append(.array(values))
    case .object(var members, let names, let key):
      members.append(JSONMember(key, value))
      open.append(.object(members, names: names, key: key))
    case nil: result = value
    }
  }
}
