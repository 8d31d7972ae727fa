// SPDX-License-Identifier: Apache-2.0

/// Schemas that are linked: every name that a declaration uses is found, every rule of the language that decoding and
/// encoding rest on is kept. A pool never changes.
///
/// Descriptors come from anywhere, also from a peer: nothing in them is trusted. Types are found wherever in the pool
/// they are declared. What no compiler writes any more is refused: message sets, and names of types that are not full.
///
/// Two fields of one message that have the same name in JSON are an error where JSON counts: in proto3, and where an
/// edition's feature `json_format` is `ALLOW`. In proto2, as `protoc` has it, and under
/// `deprecated_legacy_json_field_conflicts` the field that is declared first has the name, and the others are found by
/// their own names.
public final class DescriptorPool: Sendable {
  /// How much a pool takes.
  public struct Limits: Sendable {
    /// Bytes of all files together, and bytes of all full names together.
    public var bytes = 64 << 20
    /// Files.
    public var files = 4_096
    /// Declarations over all files: messages, fields, oneofs, enums, their values, ranges, reserved names, services,
    /// methods, extensions and imports.
    public var declarations = 400_000

    /// The limits that are enough for the schemas of a large organisation.
    public init() {}
  }

  /// The longest full name, in bytes; protoc's own names are far shorter.
  package static let nameLimit = 512
  /// How deep messages may nest; the same as the official implementations'.
  package static let nestingLimit = 32

  let fileLayouts: [FileLayout]
  let messageLayouts: [MessageLayout]
  let enumLayouts: [EnumLayout]
  let fieldLayouts: [FieldLayout]
  let serviceLayouts: [ServiceLayout]
  let methodLayouts: [MethodLayout]
  let symbols: [String: Symbol]
  private let fileNames: [String: Int]

  /// Links serialized `FileDescriptorProto`s, in any order. All that they import must be among them, the files of
  /// `google.protobuf` too. A file that is given twice counts once.
  public init(files: [[UInt8]], limits: Limits = Limits()) throws(SchemaError) {
    let linker = try Linker(files, limits: limits)
    fileLayouts = linker.files
    messageLayouts = linker.messageLayouts
    enumLayouts = linker.enumLayouts
    fieldLayouts = linker.fieldLayouts
    serviceLayouts = linker.serviceLayouts
    methodLayouts = linker.methodLayouts
    symbols = linker.symbols
    fileNames = linker.fileNames
  }

  /// Links a serialized `FileDescriptorSet`, as `protoc --descriptor_set_out --include_imports` writes it.
  public convenience init(set: [UInt8], limits: Limits = Limits()) throws(SchemaError) {
    let files: [[UInt8]]
    let name = "the set of files"
    guard set.count <= limits.bytes else { throw SchemaError(.tooLarge, file: name) }
    do throws(WireError) { files = try FileDeclaration.files(of: set, limit: limits.files) } catch {
      throw SchemaError(.malformed(error), file: name)
    }
    guard files.count <= limits.files else { throw SchemaError(.tooManyFiles, file: name) }
    try self.init(files: files, limits: limits)
  }

  /// The files, in the order in which they were given.
  public var files: [FileDescriptor] { fileLayouts.indices.map { FileDescriptor(self, $0) } }

  /// The services of all files, in the order of the files.
  public var services: [ServiceDescriptor] { serviceLayouts.indices.map { ServiceDescriptor(self, $0) } }

  /// The file of a name, as others import it.
  public func file(named name: String) -> FileDescriptor? { fileNames[name].map { FileDescriptor(self, $0) } }

  /// What has a full name, without a dot in front; nil for a package too.
  public func symbol(named name: String) -> SymbolDescriptor? {
    switch symbols[name] {
    case .message(let index): .message(MessageDescriptor(self, index))
    case .enumeration(let index): .enumeration(EnumDescriptor(self, index))
    case .enumValue(let index, let position): .enumValue(EnumValueDescriptor(self, index, position))
    case .field(let index): .field(FieldDescriptor(self, index))
    case .oneof(let message, let position): .oneof(OneofDescriptor(self, message, position))
    case .service(let index): .service(ServiceDescriptor(self, index))
    case .method(let index): .method(MethodDescriptor(self, index))
    case .package, nil: nil
    }
  }

  /// Whether anything has a full name, be it a package alone.
  func hasSymbol(named name: String) -> Bool { symbols[name] != nil }

  /// The message of a full name.
  public func message(named name: String) -> MessageDescriptor? {
    if case .message(let index) = symbols[name] { MessageDescriptor(self, index) } else { nil }
  }

  /// The enum of a full name.
  public func enumeration(named name: String) -> EnumDescriptor? {
    if case .enumeration(let index) = symbols[name] { EnumDescriptor(self, index) } else { nil }
  }

  /// The service of a full name.
  public func service(named name: String) -> ServiceDescriptor? {
    if case .service(let index) = symbols[name] { ServiceDescriptor(self, index) } else { nil }
  }

  /// The method of a full name, such as `user.v1.UserService.GetUser`.
  public func method(named name: String) -> MethodDescriptor? {
    if case .method(let index) = symbols[name] { MethodDescriptor(self, index) } else { nil }
  }

  /// The extension of a full name, which is that of the place where it is declared.
  public func `extension`(named name: String) -> FieldDescriptor? {
    guard case .field(let index) = symbols[name], fieldLayouts[index].isExtension else { return nil }
    return FieldDescriptor(self, index)
  }
}

/// What a full name names.
public enum SymbolDescriptor: Equatable, Sendable {
  /// A message.
  case message(MessageDescriptor)
  /// An enum.
  case enumeration(EnumDescriptor)
  /// A value of an enum, whose full name has that of the enum's surroundings in front, not that of the enum.
  case enumValue(EnumValueDescriptor)
  /// A field or an extension.
  case field(FieldDescriptor)
  /// A oneof.
  case oneof(OneofDescriptor)
  /// A service.
  case service(ServiceDescriptor)
  /// A method.
  case method(MethodDescriptor)

  /// The full name, without a dot in front.
  public var fullName: String {
    switch self {
    case .message(let message): message.fullName
    case .enumeration(let enumeration): enumeration.fullName
    case .enumValue(let value): value.fullName
    case .field(let field): field.fullName
    case .oneof(let oneof): oneof.fullName
    case .service(let service): service.fullName
    case .method(let method): method.fullName
    }
  }

  /// The file that declares it.
  public var file: FileDescriptor {
    switch self {
    case .message(let message): message.file
    case .enumeration(let enumeration): enumeration.file
    case .enumValue(let value): value.file
    case .field(let field): field.file
    case .oneof(let oneof): oneof.file
    case .service(let service): service.file
    case .method(let method): method.file
    }
  }
}
