// SPDX-License-Identifier: Apache-2.0

// Reflection: the messages of grpc.reflection.v1 and what they mean. Version v1alpha has the same messages under its
// own path.

public import Protobuf

/// The paths of the service's one method, which streams both ways.
public enum ReflectionMethod {
  /// The path to offer, and to try first.
  public static let info = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
  /// The path of servers and clients from before 2023, with the same messages.
  public static let infoAlpha = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
}

/// `ServerReflectionRequest`: one question.
public struct ReflectionRequest: Equatable, Sendable {
  /// What is asked.
  public enum Kind: Equatable, Sendable {
    /// The file of a name, as other files import it.
    case fileByName(String)
    /// The file that declares a symbol, whose name is full and without a dot in front.
    case fileContainingSymbol(String)
    /// The file that declares the extension of a message by a field number.
    case fileContainingExtension(type: String, number: Int32)
    /// The field numbers of a message's known extensions.
    case extensionNumbers(type: String)
    /// The services that the server offers. The text has no meaning.
    case listServices(String)
  }

  /// The name that the client calls the server by; servers may pass it over.
  public var host: String
  /// What is asked; nil for a question that this version of the service does not know, or none.
  public var kind: Kind?

  /// A question.
  public init(_ kind: Kind?, host: String = "") {
    self.kind = kind
    self.host = host
  }

  /// Decodes a message; the last of several questions counts, unknown ones are passed over.
  public init(decoding bytes: [UInt8]) throws(WireError) { try self.init(decoding: bytes[...]) }

  init(decoding bytes: ArraySlice<UInt8>) throws(WireError) {
    self.init(nil)
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: if let text = try field.value.string() { host = text }
      case 3: if let text = try field.value.string() { kind = .fileByName(text) }
      case 4: if let text = try field.value.string() { kind = .fileContainingSymbol(text) }
      case 5: if case .bytes(let content) = field.value { kind = try Self.extensionKind(content) }
      case 6: if let text = try field.value.string() { kind = .extensionNumbers(type: text) }
      case 7: if let text = try field.value.string() { kind = .listServices(text) }
      default: break
      }
    }
  }

  /// `ExtensionRequest`.
  private static func extensionKind(_ bytes: ArraySlice<UInt8>) throws(WireError) -> Kind {
    var type = ""
    var number: Int32 = 0
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      if field.number == 1, let text = try field.value.string() { type = text }
      if field.number == 2, let value = field.value.int32 { number = value }
    }
    return .fileContainingExtension(type: type, number: number)
  }

  /// The message on the wire.
  public var encoded: [UInt8] {
    var writer = WireWriter()
    if !host.isEmpty { writer.string(host, field: 1) }
    switch kind {
    case .fileByName(let name): writer.string(name, field: 3)
    case .fileContainingSymbol(let name): writer.string(name, field: 4)
    case .fileContainingExtension(let type, let number):
      var part = WireWriter()
      if !type.isEmpty { part.string(type, field: 1) }
      if number != 0 { part.int32(number, field: 2) }
      writer.bytes(part.bytes, field: 5)
    case .extensionNumbers(let type): writer.string(type, field: 6)
    case .listServices(let text): writer.string(text, field: 7)
    case nil: break
    }
    return writer.bytes
  }
}
