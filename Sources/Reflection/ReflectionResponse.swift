// SPDX-License-Identifier: Apache-2.0

public import Protobuf

/// `ServerReflectionResponse`: the answer to one question.
public struct ReflectionResponse: Equatable, Sendable {
  /// What is answered.
  public enum Kind: Equatable, Sendable {
    /// Serialized `FileDescriptorProto`s: the file that was asked for, and those that it imports.
    case files([[UInt8]])
    /// The field numbers of a message's extensions.
    case extensionNumbers(type: String, numbers: [Int32])
    /// The full names of the services.
    case services([String])
    /// There is no such thing: a gRPC code, mostly 5 (NOT_FOUND), and a message. The stream goes on.
    case error(code: Int32, message: String)
  }

  /// The question's host.
  public var host: String
  /// The question.
  public var request: ReflectionRequest?
  /// The answer; nil for one that this version of the service does not know, or none.
  public var kind: Kind?

  /// An answer to a question.
  public init(_ kind: Kind?, to request: ReflectionRequest?) {
    self.kind = kind
    self.request = request
    host = request?.host ?? ""
  }

  /// Decodes a message; the last of several answers counts, unknown ones are passed over.
  public init(decoding bytes: [UInt8]) throws(WireError) {
    self.init(nil, to: nil)
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      if field.number == 1, let text = try field.value.string() { host = text }
      guard case .bytes(let content) = field.value else { continue }
      switch field.number {
      case 2: request = try ReflectionRequest(decoding: content)
      case 4: kind = .files(try Self.contents(content).map { Array($0) })
      case 5: kind = try Self.extensionNumbers(content)
      case 6: kind = try Self.services(content)
      case 7: kind = try Self.error(content)
      default: break
      }
    }
  }

  /// The message on the wire.
  public var encoded: [UInt8] {
    var writer = WireWriter()
    if !host.isEmpty { writer.string(host, field: 1) }
    if let request { writer.bytes(request.encoded, field: 2) }
    var part = WireWriter()
    switch kind {
    case .files(let files):
      for file in files { part.bytes(file, field: 1) }
      writer.bytes(part.bytes, field: 4)
    case .extensionNumbers(let type, let numbers):
      if !type.isEmpty { part.string(type, field: 1) }
      part.packed(numbers, field: 2)
      writer.bytes(part.bytes, field: 5)
    case .services(let names):
      for name in names {
        var service = WireWriter()
        if !name.isEmpty { service.string(name, field: 1) }
        part.bytes(service.bytes, field: 1)
      }
      writer.bytes(part.bytes, field: 6)
    case .error(let code, let message):
      if code != 0 { part.int32(code, field: 1) }
      if !message.isEmpty { part.string(message, field: 2) }
      writer.bytes(part.bytes, field: 7)
    case nil: break
    }
    return writer.bytes
  }

  /// What the fields of number 1 hold: `FileDescriptorResponse` and `ListServiceResponse` have nothing else.
  private static func contents(_ bytes: ArraySlice<UInt8>) throws(WireError) -> [ArraySlice<UInt8>] {
    var contents: [ArraySlice<UInt8>] = []
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      if field.number == 1, case .bytes(let content) = field.value { contents.append(content) }
    }
    return contents
  }

  private static func services(_ bytes: ArraySlice<UInt8>) throws(WireError) -> Kind {
    var names: [String] = []
    for service in try contents(bytes) {
      var name = ""
      var reader = WireReader(service)
      while let field = try reader.next() {
        if field.number == 1, let text = try field.value.string() { name = text }
      }
      names.append(name)
    }
    return .services(names)
  }

  /// `ExtensionNumberResponse`, whose numbers come packed or each on its own.
  private static func extensionNumbers(_ bytes: ArraySlice<UInt8>) throws(WireError) -> Kind {
    var type = ""
    var numbers: [Int32] = []
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      if field.number == 1, let text = try field.value.string() { type = text }
      guard field.number == 2 else { continue }
      if let number = field.value.int32 { numbers.append(number) }
      if case .bytes(let content) = field.value {
        var packed = WireReader(content)
        for value in try packed.packedVarints() { numbers.append(Int32(truncatingIfNeeded: value)) }
      }
    }
    return .extensionNumbers(type: type, numbers: numbers)
  }

  private static func error(_ bytes: ArraySlice<UInt8>) throws(WireError) -> Kind {
    var code: Int32 = 0
    var message = ""
    var reader = WireReader(bytes)
    while let field = try reader.next() {
      if field.number == 1, let value = field.value.int32 { code = value }
      if field.number == 2, let text = try field.value.string() { message = text }
    }
    return .error(code: code, message: message)
  }
}
