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

  /// The longest full name, in bytes; protoc's own names are far shorter.
  static let nameLimit = 512
  /// How deep messages may nest; the same as the official implementations'.
  static let nestingLimit = 32

  private(set) var name = ""
  private(set) var dependencies: [String] = []
  private(set) var symbols: [(name: String, kind: Kind)] = []
  private(set) var extensions: [(type: String, number: Int32)] = []
  private let symbolLimit: Int

  /// Reads a file that may have so many symbols.
  init(_ bytes: [UInt8], symbolLimit: Int) throws(DescriptorError.Code) {
    self.symbolLimit = symbolLimit
    do throws(Failure) { try readFile(bytes) } catch {
      switch error {
      case .wire(let error): throw .malformed(error)
      case .rule(let code): throw code
      }
    }
  }

  /// Either way in which reading ends early.
  private enum Failure: Error {
    case wire(WireError)
    case rule(DescriptorError.Code)
  }

  private typealias Part = ArraySlice<UInt8>

  /// The fields of a message that hold something, by number. A package may stand behind what it names.
  private func parts(_ bytes: Part) throws(Failure) -> [(number: Int, value: WireValue)] {
    var parts: [(number: Int, value: WireValue)] = []
    var reader = WireReader(bytes)
    do throws(WireError) {
      while let field = try reader.next() { parts.append((field.number, field.value)) }
    } catch { throw .wire(error) }
    return parts
  }

  private func text(_ value: WireValue) throws(Failure) -> String {
    do throws(WireError) { return try value.string() ?? "" } catch { throw .wire(error) }
  }

  /// The text of the last field of a number; empty where there is none.
  private func text(_ parts: [(number: Int, value: WireValue)], _ number: Int) throws(Failure) -> String {
    var found = ""
    for part in parts where part.number == number { found = try text(part.value) }
    return found
  }

  private mutating func readFile(_ bytes: [UInt8]) throws(Failure) {
    let parts = try parts(bytes[...])
    name = try text(parts, 1)
    guard !name.isEmpty, name.utf8.count <= Self.nameLimit else { throw .rule(.unnamed) }
    let package = try text(parts, 2)
    guard package.utf8.count <= Self.nameLimit else { throw .rule(.nameTooLong) }
    for part in parts {
      guard case .bytes(let content) = part.value else { continue }
      switch part.number {
      case 3: dependencies.append(try text(part.value))
      case 4: try readMessage(content, in: package, depth: 0)
      case 5: try readEnum(content, in: package)
      case 6: try readService(content, in: package)
      case 7: try readField(content, in: package, isExtension: true)
      default: break
      }
    }
  }

  private mutating func readMessage(_ bytes: Part, in scope: String, depth: Int) throws(Failure) {
    guard depth < Self.nestingLimit else { throw .rule(.tooDeep) }
    let parts = try parts(bytes)
    let scope = try declare(try text(parts, 1), in: scope, .message)
    for part in parts {
      guard case .bytes(let content) = part.value else { continue }
      switch part.number {
      case 2: try readField(content, in: scope, isExtension: false)
      case 3: try readMessage(content, in: scope, depth: depth + 1)
      case 4: try readEnum(content, in: scope)
      case 6: try readField(content, in: scope, isExtension: true)
      case 8: try readNamed(content, in: scope)  // a oneof
      default: break
      }
    }
  }

  /// An enum's values stand beside the enum, not within it, as in C++.
  private mutating func readEnum(_ bytes: Part, in scope: String) throws(Failure) {
    let parts = try parts(bytes)
    _ = try declare(try text(parts, 1), in: scope, .other)
    for part in parts {
      if part.number == 2, case .bytes(let content) = part.value { try readNamed(content, in: scope) }
    }
  }

  private mutating func readService(_ bytes: Part, in scope: String) throws(Failure) {
    let parts = try parts(bytes)
    let scope = try declare(try text(parts, 1), in: scope, .service)
    for part in parts {
      if part.number == 2, case .bytes(let content) = part.value { try readNamed(content, in: scope) }
    }
  }

  private mutating func readNamed(_ bytes: Part, in scope: String) throws(Failure) {
    _ = try declare(try text(try parts(bytes), 1), in: scope, .other)
  }

  private mutating func readField(_ bytes: Part, in scope: String, isExtension: Bool) throws(Failure) {
    let parts = try parts(bytes)
    _ = try declare(try text(parts, 1), in: scope, .other)
    guard isExtension else { return }
    let type = try text(parts, 2)
    guard type.utf8.count <= Self.nameLimit else { throw .rule(.nameTooLong) }
    var number: Int32 = 0
    for part in parts where part.number == 3 { number = part.value.int32 ?? number }
    // protoc writes full names, with a dot in front.
    extensions.append((type.utf8.first == 0x2E ? String(Substring(type.utf8.dropFirst())) : type, number))
  }

  /// Notes a symbol and gives its full name.
  private mutating func declare(_ name: String, in scope: String, _ kind: Kind) throws(Failure) -> String {
    guard !name.isEmpty, !name.utf8.contains(0x2E) else { throw .rule(.unnamed) }
    guard scope.utf8.count + name.utf8.count < Self.nameLimit else { throw .rule(.nameTooLong) }
    guard symbols.count < symbolLimit else { throw .rule(.tooManySymbols) }
    let full = scope.isEmpty ? name : scope + "." + name
    symbols.append((full, kind))
    return full
  }
}
