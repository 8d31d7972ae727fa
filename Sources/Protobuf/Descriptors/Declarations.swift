// SPDX-License-Identifier: Apache-2.0

// Declarations: what a serialized FileDescriptorProto says, read and not yet understood. Names are as they stand there,
// nothing is looked up, nothing is inherited.

/// A file.
package struct FileDeclaration: Sendable {
  package var name = ""
  package var package = ""
  package var imports: [String] = []
  var publicImports: [Int32] = []
  package var messages: [MessageDeclaration] = []
  package var enums: [EnumDeclaration] = []
  package var services: [ServiceDeclaration] = []
  package var extensions: [FieldDeclaration] = []
  var options: ArraySlice<UInt8> = []
  /// The serialized `SourceCodeInfo`.
  var sourceInfo: ArraySlice<UInt8> = []
  var syntax = ""
  var edition: Int32 = 0
}

/// A message.
package struct MessageDeclaration: Sendable {
  package var name = ""
  package var fields: [FieldDeclaration] = []
  package var extensions: [FieldDeclaration] = []
  package var messages: [MessageDeclaration] = []
  package var enums: [EnumDeclaration] = []
  package var oneofs: [NamedDeclaration] = []
  var extensionRanges: [NumberRange] = []
  var reservedRanges: [NumberRange] = []
  var reservedNames: [String] = []
  var options: ArraySlice<UInt8> = []
}

/// A field, or an extension.
package struct FieldDeclaration: Sendable {
  /// Whether it stands where extensions do.
  let isExtension: Bool
  package var name = ""
  package var extendee = ""
  package var number: Int32 = 0
  var label: Int32 = 1
  var type: Int32 = 0
  var typeName = ""
  var defaultValue: ArraySlice<UInt8>?
  var oneofIndex: Int32?
  var jsonName: String?
  var isProto3Optional = false
  var options: ArraySlice<UInt8> = []
}

/// A oneof, or an enum's value, whose number a oneof has not.
package struct NamedDeclaration: Sendable {
  package var name = ""
  var number: Int32 = 0
  var options: ArraySlice<UInt8> = []
}

/// An enum.
package struct EnumDeclaration: Sendable {
  package var name = ""
  package var values: [NamedDeclaration] = []
  var reservedRanges: [NumberRange] = []
  var reservedNames: [String] = []
  var options: ArraySlice<UInt8> = []
}

/// A service.
package struct ServiceDeclaration: Sendable {
  package var name = ""
  package var methods: [MethodDeclaration] = []
  var options: ArraySlice<UInt8> = []
}

/// A method.
package struct MethodDeclaration: Sendable {
  package var name = ""
  var input = ""
  var output = ""
  var isClientStreaming = false
  var isServerStreaming = false
  var options: ArraySlice<UInt8> = []
}

/// Numbers from the first to the last, both included.
public struct NumberRange: Equatable, Sendable {
  /// The first number.
  public internal(set) var first: Int32 = 0
  /// The last number.
  public internal(set) var last: Int32 = 0

  /// Whether a number lies in the range.
  public func contains(_ number: Int32) -> Bool { first <= number && number <= last }
}
