// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import GRPC
internal import GRPCClient
internal import GRPCMethods
internal import NIOCore
internal import Protobuf
internal import Reflection

/// What a backend says that it serves.
struct BackendSchema: Equatable, Sendable {
  /// The full names of its services, sorted.
  var services: [String]
  /// The files that declare them, and what those import, by name: each a serialized `FileDescriptorProto`. A service
  /// may be listed whose file the backend does not have.
  var files: [String: [UInt8]]

  /// The most files, and the most bytes of them, that a backend's schema may come to.
  static let fileLimit = 4_096
  static let byteLimit = 64 << 20

  /// Asks a backend by reflection: version 1, and v1alpha where it does not know that.
  ///
  /// Throws `RPCError` where it cannot be asked or says something that is no schema.
  static func ask(_ client: GRPCClient) async throws -> BackendSchema {
    do { return try await ask(client, ReflectionMethods.info) } catch let error as RPCError
      where error.status.code == .unimplemented
    {
      return try await ask(client, ReflectionMethods.infoAlpha)
    }
  }

  private static func ask(_ client: GRPCClient, _ method: ReflectionMethods.Info) async throws -> BackendSchema {
    let options = CallOptions(timeout: .seconds(20), waitsForReady: true)
    return try await client.call(method, options: options) { questions, answers in
      var collected = SchemaCollector()
      while let question = collected.nextQuestion() {
        try await questions.write(question)
        guard let answer = try await answers.next() else {
          throw RPCError(.internal, "it ended the stream of reflection without an answer")
        }
        try collected.take(answer)
      }
      questions.finish()
      return collected.schema
    }
  }
}

/// Asks for what belongs to a backend's schema, question after question.
struct SchemaCollector {
  private enum Topic {
    case services
    case symbol(String)
    case file(String)
  }

  private(set) var schema = BackendSchema(services: [], files: [:])
  private var byteCount = 0
  private var open: [Topic] = [.services]
  private var asked: Set<String> = []
  private var current: Topic?

  /// What to ask next; nil once nothing is missing that can be had.
  mutating func nextQuestion() -> ReflectionRequest? {
    while let topic = open.popLast() {
      current = topic
      switch topic {
      case .services: return ReflectionRequest(.listServices("*"))
      case .symbol(let name): return ReflectionRequest(.fileContainingSymbol(name))
      case .file(let name):
        guard schema.files[name] == nil, asked.insert(name).inserted else { continue }
        return ReflectionRequest(.fileByName(name))
      }
    }
    return nil
  }

  /// Takes the answer to the last question.
  mutating func take(_ answer: ReflectionResponse) throws(RPCError) {
    switch (current, answer.kind) {
    case (.services, .services(let names)):
      schema.services = Set(names).subtracting(Gateway.ownServices).sorted()
      open += schema.services.map { .symbol($0) }
    case (.symbol, .files(let files)), (.file, .files(let files)): try take(files)
    // Servers list services whose files they do not have, and files may be missing: what stands on them is not served
    // by its schema then.
    case (.symbol, .error), (.file, .error): break
    default: throw RPCError(.internal, "it answers another question of reflection than it was asked")
    }
  }

  private mutating func take(_ files: [[UInt8]]) throws(RPCError) {
    for file in files {
      let header: FileHeader
      do throws(WireError) { header = try FileHeader(file) } catch {
        throw RPCError(.internal, "reflection gave a file that is no FileDescriptorProto")
      }
      guard schema.files[header.name] == nil else { continue }
      byteCount += file.count
      guard schema.files.count < BackendSchema.fileLimit, byteCount <= BackendSchema.byteLimit else {
        throw RPCError(
          .resourceExhausted,
          "its schema has more than \(BackendSchema.fileLimit) files or \(BackendSchema.byteLimit >> 20) MiB")
      }
      schema.files[header.name] = file
      open += header.imports.map { .file($0) }
    }
  }
}

/// The one method of reflection, in both versions.
enum ReflectionMethods {
  typealias Info = Method<Bidirectional, ReflectionRequest, ReflectionResponse>

  static let info = method("grpc.reflection.v1.ServerReflection")
  static let infoAlpha = method("grpc.reflection.v1alpha.ServerReflection")

  private static func method(_ service: String) -> Info {
    Method(
      service: service, name: "ServerReflectionInfo",
      request: MessageCodec(
        encode: { MessageFrame($0.encoded) }, decode: { try ReflectionRequest(decoding: $0) }),
      response: MessageCodec(
        encode: { MessageFrame($0.encoded) }, decode: { try ReflectionResponse(decoding: $0) }))
  }
}
