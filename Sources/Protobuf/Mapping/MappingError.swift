// SPDX-License-Identifier: Apache-2.0

internal import JSON

/// Why a document is no message of a type, or why a message has no form in JSON.
public struct MappingError: Error, Equatable, Sendable {
  /// What was wrong.
  public enum Code: Equatable, Sendable {
    /// The document is no JSON; the text says why and where.
    case syntax(String)
    /// An object has a member that its message has no field for: the message's full name.
    case unknownField(String)
    /// A field stands twice in one object, also under both of its names.
    case duplicateField
    /// Two fields of one oneof stand in one object: the oneof's name.
    case severalOfOneof(String)
    /// A key stands twice in a map.
    case duplicateKey
    /// A value of the wrong kind: what must stand there, as in "a string".
    case expected(String)
    /// A number that the field's type does not hold, or that is not whole where it must be.
    case outOfRange
    /// A string that is none of what its type is written as: the type, as in "a timestamp".
    case malformed(String)
    /// An enum has no such value: the enum's full name.
    case unknownEnumValue(String)
    /// The type of an `Any` is not in the pool, and its value is not the base64 of its bytes: the URL.
    case unknownType(String)
    /// A message of `google.protobuf` has no form in JSON: what is wrong with it.
    case unwritable(String)
    /// The pool declares a type of `google.protobuf` otherwise than everybody else does: its full name.
    case strangeType(String)
    /// The message itself is at fault.
    case message(MessageError.Code)
    /// A string of a schema that does not demand UTF-8 is none, and every document is.
    case invalidUTF8
    /// A field of another message, or of another pool.
    case foreignField
    /// Messages nest deeper than the limit.
    case tooDeep
    /// There are more values than the limit.
    case tooManyElements
  }

  /// What was wrong.
  public let code: Code
  /// The way to it: through the document, `$.items[3].price`, for a document that is read; for a message that is
  /// written, or lacks a required field, by names as the schema has them, `items[3].price`.
  public private(set) var path: String

  init(_ code: Code, path: String = "") {
    self.code = code
    self.path = path
  }

  init(_ error: MessageError) {
    self.init(error.code == .malformed(.tooDeep) ? .tooDeep : .message(error.code), path: error.path)
  }

  /// The same error, seen from the message around.
  func within(_ field: FieldLayout, _ place: Int? = nil) -> MappingError {
    var error = self
    let name = field.isExtension ? field.jsonKey : field.common.name
    error.path = name + (place.map { "[" + String($0) + "]" } ?? "") + (path.isEmpty ? "" : ".") + path
    return error
  }

  /// One line in words: `$.items[3].price: the number is out of range`.
  public var message: String { (path.isEmpty ? "" : path + ": ") + reason }

  /// What was wrong, in words.
  public var reason: String {
    switch code {
    case .syntax(let text): text
    case .unknownField(let name): name + " has no such field"
    case .duplicateField: "the field stands twice in one object"
    case .severalOfOneof(let name): "another field of the oneof " + name + " stands in the same object"
    case .duplicateKey: "a key stands twice in a map"
    case .expected(let kind): kind + " must stand here"
    case .outOfRange: "the number is out of range or not whole"
    case .malformed(let kind): "the string is not " + kind
    case .unknownEnumValue(let name): name + " has no such value"
    case .unknownType(let url): "the type " + url + " is not known"
    case .unwritable(let reason): reason
    case .strangeType(let name): name + " is not declared as it is known"
    case .message(let code): MessageError(code).message
    case .invalidUTF8: "the string is not UTF-8, as JSON must be"
    case .foreignField: "the field is one of another message"
    case .tooDeep: "messages nest too deep"
    case .tooManyElements: "there are too many values"
    }
  }
}

/// How a document is read.
public struct JSONReadingOptions: Sendable {
  /// Whether members without a field, and names of enum values that are not known, are passed over.
  public var ignoresUnknown = false
  /// How much is taken: bytes of the document, values, and depth of messages.
  public var limits = MessageLimits()
  /// Whether a message may lack required fields: for one to which more is added before it is encoded.
  public var allowsMissingRequired = false

  /// A reader that refuses what it does not know.
  public init() {}
}

/// How a message is written.
public struct JSONWritingOptions: Sendable {
  /// Whether fields without presence that are not set are written too: zeros, empty strings, lists and maps.
  public var writesUnset = false
  /// Whether fields have the names of the schema, and not those in lowerCamelCase.
  public var usesProtoNames = false
  /// Whether enums are written as numbers.
  public var writesEnumsAsNumbers = false
  /// Whether lines are broken and indented, for people.
  public var isIndented = false
  /// How deep messages may nest.
  public var depth = WireReader.defaultDepthLimit

  /// The canonical form, on one line.
  public init() {}
}
