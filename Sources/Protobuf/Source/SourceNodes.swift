// SPDX-License-Identifier: Apache-2.0

// What a .proto file declares, as it is written: names are not resolved yet.

/// The comments of a declaration.
struct SourceRemarks {
  var leading = ""
  var trailing = ""
}

/// An option whose value is one word: what stands in braces is passed over, as is what only generated code minds.
struct OptionNode {
  /// The name as it is written, with parentheses around an extension's.
  let name: String
  let value: SourceToken
  /// Whether a minus sign stood before the value.
  let isNegative: Bool
  let position: SourcePosition
}

struct FileNode {
  let name: String
  var edition = Edition.proto2
  var package = ""
  var imports: [(name: String, isPublic: Bool, position: SourcePosition)] = []
  var options: [OptionNode] = []
  var messages: [MessageNode] = []
  var enums: [EnumNode] = []
  var services: [ServiceNode] = []
  var extensions: [FieldNode] = []
}

struct MessageNode {
  var name: String
  var position: SourcePosition
  var remarks = SourceRemarks()
  var options: [OptionNode] = []
  var fields: [FieldNode] = []
  var oneofs: [OneofNode] = []
  var messages: [MessageNode] = []
  var enums: [EnumNode] = []
  var extensions: [FieldNode] = []
  var extensionRanges: [NumberRange] = []
  var reservedRanges: [NumberRange] = []
  var reservedNames: [String] = []
  var isMapEntry = false
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
  let position: SourcePosition
  var remarks = SourceRemarks()
  var options: [OptionNode] = []
  var values: [(name: String, number: Int32, options: [OptionNode], remarks: SourceRemarks)] = []
  var reservedRanges: [NumberRange] = []
  var reservedNames: [String] = []
}

struct ServiceNode {
  let name: String
  let position: SourcePosition
  var remarks = SourceRemarks()
  var options: [OptionNode] = []
  var methods: [MethodNode] = []
}

struct MethodNode {
  let name: String
  let position: SourcePosition
  var remarks = SourceRemarks()
  var options: [OptionNode] = []
  var input: (name: String, position: SourcePosition)
  var output: (name: String, position: SourcePosition)
  var isClientStreaming = false
  var isServerStreaming = false
}
