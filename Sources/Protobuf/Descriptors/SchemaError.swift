// SPDX-License-Identifier: Apache-2.0

/// Why descriptors make no pool: what was wrong, with which thing, in which file.
public struct SchemaError: Error, Equatable, Sendable {
  /// What was wrong.
  public enum Code: Error, Equatable, Sendable {
    /// The bytes are no descriptor.
    case malformed(WireError)
    /// The descriptors, or the full names of all that they declare, take more bytes than the pool does.
    case tooLarge
    /// There are more files than the pool takes.
    case tooManyFiles
    /// There are more declarations than the pool takes.
    case tooManyDeclarations
    /// Messages nest deeper than ``DescriptorPool/nestingLimit``.
    case tooDeep
    /// A full name has more bytes than ``DescriptorPool/nameLimit``.
    case nameTooLong
    /// A name that is none: empty, or with other characters than letters, digits and underscores.
    case invalidName(String)
    /// Two different files have one name.
    case duplicateFile
    /// Two declarations have one full name, or a package has the name of a declaration.
    case duplicateSymbol
    /// A file imports one that was not given.
    case missingImport(String)
    /// A file imports itself by way of others.
    case importCycle
    /// A syntax or an edition that the pool does not know.
    case unknownSyntax(String)
    /// A feature of an edition has a value that is none, or stands where it cannot.
    case invalidFeature(String)
    /// A type's name is declared by no file. protoc writes full names with a dot in front; others are not looked for.
    case unknownType(String)
    /// A type's name is that of something that cannot stand there.
    case wrongType(String)
    /// A field number that no field can have, or that its message has set aside.
    case invalidNumber(Int32)
    /// Two fields of a message, extensions included, or two values of an enum have one number.
    case duplicateNumber(Int32)
    /// A message or an enum has set a name aside and uses it.
    case reservedName
    /// Two fields of a message have one name in JSON.
    case jsonNameConflict(String)
    /// A default value that its field cannot have.
    case invalidDefault(String)
    /// Something else that the language forbids, in words.
    case invalid(String)
  }

  /// What was wrong.
  public let code: Code
  /// The name of the file; its place among those given (`file 3`, counted from 1) where it has none.
  public let file: String
  /// The full name of the thing; empty where it is the file.
  public let element: String

  init(_ code: Code, _ element: String = "", file: String) {
    self.code = code
    self.file = file
    self.element = element
  }

  /// One line in words: `user.proto: user.v1.User.id: the type .user.v1.ID is declared by no file`.
  public var message: String { file + ": " + (element.isEmpty ? "" : element + ": ") + code.reason }
}

extension SchemaError.Code {
  var reason: String {
    switch self {
    case .malformed(let error): "the descriptor is malformed at byte \(error.offset)"
    case .tooLarge: "the descriptors are too large"
    case .tooManyFiles: "there are too many files"
    case .tooManyDeclarations: "there are too many declarations"
    case .tooDeep: "messages nest too deep"
    case .nameTooLong: "the name is too long"
    case .invalidName(let name): "\"" + name + "\" is no name"
    case .duplicateFile: "two different files have this name"
    case .duplicateSymbol: "the name is declared twice"
    case .missingImport(let name): "the import \"" + name + "\" was not given"
    case .importCycle: "the file imports itself by way of others"
    case .unknownSyntax(let name): name + " is not supported"
    case .invalidFeature(let name): "the feature " + name + " has a value that it cannot have here"
    case .unknownType(let name): "the type " + name + " is declared by no file"
    case .wrongType(let name): "the type " + name + " is of a kind that cannot stand here"
    case .invalidNumber(let number): "the number \(number) cannot be used here"
    case .duplicateNumber(let number): "the number \(number) is used twice"
    case .reservedName: "the name is reserved"
    case .jsonNameConflict(let name): "the JSON name \"" + name + "\" is used twice"
    case .invalidDefault(let text): "the default value \"" + text + "\" does not fit the field's type"
    case .invalid(let reason): reason
    }
  }
}
