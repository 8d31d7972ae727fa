// SPDX-License-Identifier: Apache-2.0

// What a .proto file declares, as it is written: names are not resolved yet.

/// The comments of a declaration.
struct SourceRemarks {
  var leading = ""
  var trailing = ""
}

/// `NAME = VALUE`
struct OptionNode {
  /// A part of the name; an extension's stands in parentheses.
  struct Part {
    let name: String
    let isExtension: Bool
  }

  enum Value {
    /// A name, a number or a text, and whether a minus sign stood before it.
    case word(SourceToken, isNegative: Bool)
    /// A message in the text format, from the word behind its brace on.
    case message(SourceTokenizer)
  }

  let parts: [Part]
  let value: Value
  let file: String
  let position: SourcePosition

  /// The name as it is written.
  var name: String { parts.map { $0.isExtension ? "(" + $0.name + ")" : $0.name }.joined(separator: ".") }

  func isNamed(_ name: String) -> Bool { parts.count == 1 && !parts[0].isExtension && parts[0].name == name }

  func error(_ reason: String) -> SourceError { SourceError(file, position, name + ": " + reason) }
}

/// An import of another file.
struct ImportNode {
  enum Kind {
    case ordinary
    /// Whoever imports the file at hand imports that one, too.
    case published
    /// Programs may lack it.
    case weak
    /// For options alone.
    case option
  }

  let name: String
  let kind: Kind
  let position: SourcePosition
}

/// Who may use a message or an enum, as edition 2024 has it; the numbers are those of `google.protobuf`.
enum SourceVisibility: UInt64 {
  case local = 1
  case export = 2
}

struct FileNode {
  let name: String
  var edition = Edition.proto2
  var package = ""
  var imports: [ImportNode] = []
  var options: [OptionNode] = []
  var messages: [MessageNode] = []
  var enums: [EnumNode] = []
  var services: [ServiceNode] = []
  var extensions: [FieldNode] = []
  /// All that it declares, by full names.
  var declared: [SourceNames.Entry] = []
}

struct MessageNode {
  var name: String
  var remarks = SourceRemarks()
  var options: [OptionNode] = []
  var fields: [FieldNode] = []
  var oneofs: [OneofNode] = []
  var messages: [MessageNode] = []
  var enums: [EnumNode] = []
  var extensions: [FieldNode] = []
  var extensionRanges: [(range: NumberRange, options: [OptionNode])] = []
  var reservedRanges: [NumberRange] = []
  var reservedNames: [String] = []
  var isMapEntry = false
  /// Whether its options say that it is a message set.
  var isMessageSet: Bool {
    options.contains { option in
      guard option.isNamed("message_set_wire_format"), case .word(let word, isNegative: false) = option.value else {
        return false
      }
      return word.isWord("true")
    }
  }
  var visibility: SourceVisibility?
}

struct OneofNode {
  let name: String
  var remarks = SourceRemarks()
  var options: [OptionNode] = []
}

struct FieldNode {
  enum Label { case none, optional, required, repeated }
  enum TypeName {
    case scalar(FieldType)
    /// A name that is still to be looked for.
    case named(String)
    /// The message that the field declares together with itself, within the same scope: a group's, or a map's entry.
    case own(String, isGroup: Bool)
  }

  var name: String
  var position: SourcePosition
  var remarks = SourceRemarks()
  var label = Label.none
  var type: TypeName
  var typePosition: SourcePosition
  var number: Int32 = 0
  var options: [OptionNode] = []
  /// The oneof's place in the message.
  var oneof: Int?
  /// The message that it extends, as it is written; nil for a field.
  var extendee: String?
}

struct EnumNode {
  let name: String
  var remarks = SourceRemarks()
  var options: [OptionNode] = []
  var values: [EnumValueNode] = []
  var reservedRanges: [NumberRange] = []
  var reservedNames: [String] = []
  var visibility: SourceVisibility?
}

struct EnumValueNode {
  let name: String
  let number: Int32
  let options: [OptionNode]
  let remarks: SourceRemarks
}

struct ServiceNode {
  let name: String
  var remarks = SourceRemarks()
  var options: [OptionNode] = []
  var methods: [MethodNode] = []
}

struct MethodNode {
  let name: String
  var remarks = SourceRemarks()
  /// Nil where there are no braces for them.
  var options: [OptionNode]?
  var input: (name: String, position: SourcePosition)
  var output: (name: String, position: SourcePosition)
  var isClientStreaming = false
  var isServerStreaming = false
}
