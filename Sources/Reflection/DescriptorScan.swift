// SPDX-License-Identifier: Apache-2.0

internal import Protobuf

/// What one serialized `FileDescriptorProto` declares, as far as reflection asks for it.
///
/// Nothing in the bytes is trusted: names are bounded, messages nest so deep and no deeper.
struct DescriptorScan {
  /// What a symbol names.
  enum Kind: Equatable {
    case service
    case message
    case other
  }

  private(set) var name = ""
  private(set) var dependencies: [String] = []
  private(set) var symbols: [(name: String, kind: Kind)] = []
  private(set) var extensions: [(type: String, number: Int32)] = []

  /// Reads a file that may have so many declarations.
  init(_ bytes: [UInt8], symbolLimit: Int) throws(DescriptorError.Code) {
    let file: FileDeclaration
    do throws(DeclarationFault) {
      var budget = DeclarationBudget(symbolLimit)
      file = try FileDeclaration(bytes, budget: &budget)
    } catch {
      switch error {
      case .malformed(let error): throw .malformed(error)
      case .tooDeep: throw .tooDeep
      case .tooMany: throw .tooManySymbols
      }
    }
    guard !file.name.isEmpty, file.name.utf8.count <= DescriptorPool.nameLimit else { throw .unnamed }
    guard file.package.utf8.count <= DescriptorPool.nameLimit else { throw .nameTooLong }
    name = file.name
    dependencies = file.imports
    for message in file.messages { try add(message, in: file.package) }
    for declaration in file.enums { try add(declaration, in: file.package) }
    for service in file.services {
      let scope = try declare(service.name, in: file.package, .service)
      for method in service.methods { _ = try declare(method.name, in: scope, .other) }
    }
    for field in file.extensions { try add(field, in: file.package) }
  }

  private mutating func add(_ message: MessageDeclaration, in scope: String) throws(DescriptorError.Code) {
    let scope = try declare(message.name, in: scope, .message)
    for field in message.fields { _ = try declare(field.name, in: scope, .other) }
    for oneof in message.oneofs { _ = try declare(oneof.name, in: scope, .other) }
    for message in message.messages { try add(message, in: scope) }
    for declaration in message.enums { try add(declaration, in: scope) }
    for field in message.extensions { try add(field, in: scope) }
  }

  /// An enum's values stand beside the enum, not within it, as in C++.
  private mutating func add(_ declaration: EnumDeclaration, in scope: String) throws(DescriptorError.Code) {
    _ = try declare(declaration.name, in: scope, .other)
    for value in declaration.values { _ = try declare(value.name, in: scope, .other) }
  }

  private mutating func add(_ field: FieldDeclaration, in scope: String) throws(DescriptorError.Code) {
    _ = try declare(field.name, in: scope, .other)
    guard field.extendee.utf8.count <= DescriptorPool.nameLimit else { throw .nameTooLong }
    // protoc writes full names, with a dot in front.
    let type = field.extendee.utf8
    extensions.append((type.first == 0x2E ? String(Substring(type.dropFirst())) : field.extendee, field.number))
  }

  /// Notes a symbol and gives its full name.
  private mutating func declare(_ name: String, in scope: String, _ kind: Kind) throws(DescriptorError.Code) -> String {
    guard !name.isEmpty, !name.utf8.contains(0x2E) else { throw .unnamed }
    guard scope.utf8.count + name.utf8.count < DescriptorPool.nameLimit else { throw .nameTooLong }
    let full = scope.isEmpty ? name : scope + "." + name
    symbols.append((full, kind))
    return full
  }
}
