// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCClient
import GRPCMethods
import GRPCServer
import InProcess
import Protobuf
import Reflection
import Schemas
import TestSupport
import Testing

@testable import GatewayServer

/// A server that tells the schema of our own services, and what it lists beside what it has.
private func backend(
  _ name: String, listing services: [String], set: [UInt8] = DescriptorSet.bytes, versions: [String]? = nil
) async throws -> Backend {
  let index = try DescriptorIndex(set: set)
  let reflection = ReflectionService.services(index, served: services)
    .filter { versions?.contains($0.name) ?? true }
  let server = try await GRPCServer.start(reflection, on: [])
  return Backend(name: name, client: try GRPCClient(inProcess: server))
}

@Suite(.endsIfItHangs) struct BackendSchemaTests {
  @Test("a backend's services and the files that they need are learned, its own housekeeping left out")
  func learned() async throws {
    let asked = try await backend("a", listing: ["pb.Greeter", "grpc.health.v1.Health"])
    let schema = try await BackendSchema.ask(asked.client)
    #expect(schema.services == ["pb.Greeter"])
    #expect(schema.files.keys.sorted() == ["greeter/greeter.proto"])
    let users = try await backend("b", listing: ["user.v1.UserService"])
    let needed = try await BackendSchema.ask(users.client)
    #expect(needed.files["user/v1/user.proto"] != nil)
    #expect(needed.files["google/protobuf/timestamp.proto"] != nil)
    #expect(try DescriptorPool(files: Array(needed.files.values)).service(named: "user.v1.UserService") != nil)
  }

  @Test("a backend that knows the older version alone is asked in that")
  func alpha() async throws {
    let old = try await backend(
      "old", listing: ["pb.Greeter"], versions: ["grpc.reflection.v1alpha.ServerReflection"])
    #expect(try await BackendSchema.ask(old.client).services == ["pb.Greeter"])
  }

  @Test("a service without a file is a service all the same")
  func unknownService() async throws {
    let schema = try await BackendSchema.ask(try await backend("a", listing: ["pb.Greeter", "not.There"]).client)
    #expect(schema.services == ["not.There", "pb.Greeter"])
    #expect(schema.files.count == 1)
  }

  @Test("answers that belong to no question, and files that are none, end the questions")
  func nonsense() throws {
    var collector = SchemaCollector()
    #expect(collector.nextQuestion() == ReflectionRequest(.listServices("*")))
    #expect(throws: RPCError.self) { try collector.take(ReflectionResponse(.files([]), to: nil)) }
    collector = SchemaCollector()
    _ = collector.nextQuestion()
    try collector.take(ReflectionResponse(.services(["a.B"]), to: nil))
    #expect(collector.nextQuestion() == ReflectionRequest(.fileContainingSymbol("a.B")))
    #expect(throws: RPCError.self) { try collector.take(ReflectionResponse(.files([[0xFF]]), to: nil)) }
  }

  @Test("a backend that always has one more import is not asked forever")
  func endlessImports() throws {
    var collector = SchemaCollector()
    _ = collector.nextQuestion()
    try collector.take(ReflectionResponse(.services(["a.B"]), to: nil))
    var count = 0
    #expect(throws: RPCError.self) {
      while collector.nextQuestion() != nil {
        count += 1
        var file = WireWriter()
        file.string("file\(count)", field: 1)
        file.string("file\(count + 1)", field: 3)
        try collector.take(ReflectionResponse(.files([file.bytes]), to: nil))
      }
    }
    #expect(count == BackendSchema.fileLimit + 1)
  }
}

@Suite(.endsIfItHangs) struct RoutesTests {
  @Test("who told of a service first has it; what nobody told of goes to the one backend that there is")
  func choice() async throws {
    let first = try await backend("first", listing: ["pb.Greeter"])
    let second = try await backend("second", listing: ["pb.Greeter", "user.v1.UserService"])
    let gateway = Gateway([first, second])
    #expect(await gateway.look(at: first))
    #expect(gateway.handler(for: "/pb.Greeter/SayHello")?.method.kind == .unary)
    #expect(gateway.handler(for: "/user.v1.UserService/GetUser") == nil)
    #expect(await gateway.look(at: second))
    #expect(gateway.handler(for: "/user.v1.UserService/GetUser")?.method.kind == .unary)
    #expect(gateway.handler(for: "/user.v1.UserService/StreamUsers")?.method.kind == .serverStreaming)
    #expect(gateway.handler(for: "/user.v1.UserService/CreateUsers")?.method.kind == .bidirectional)
    // A method that the schema lacks may be there all the same.
    #expect(gateway.handler(for: "/pb.Greeter/SayGoodbye") != nil)
    #expect(gateway.handler(for: "/other.Service/Call") == nil)

    let alone = Gateway([first])
    #expect(alone.handler(for: "/other.Service/Call")?.method.path == "/other.Service/Call")
    for path in [
      "", "/", "//", "/a", "a/b", "/a/", "//b", "/a/b/c", "/grpc.health.v1.Health/Other",
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    ] { #expect(alone.handler(for: path) == nil, "\(path)") }
  }

  @Test("a gateway is in trouble once every backend is, and says so of each")
  func trouble() async throws {
    let good = try await backend("good", listing: ["pb.Greeter"])
    let mute = Backend(name: "mute", client: try GRPCClient(inProcess: try await GRPCServer.start([], on: [])))
    let gateway = Gateway([good, mute])
    #expect(gateway.problem == "backend good: has not answered yet; backend mute: has not answered yet")
    #expect(await !gateway.look(at: mute))
    #expect(gateway.problem?.contains("backend mute: it does not offer reflection") == true)
    #expect(await gateway.look(at: good))
    #expect(gateway.problem == nil)
  }

  @Test("reflection shows the files of all backends, but for those that contradict others")
  func merged() async throws {
    let greeter = try await backend("greeter", listing: ["pb.Greeter"])
    // The same message in another file.
    var message = WireWriter()
    message.string("HelloRequest", field: 1)
    var file = WireWriter()
    file.string("other.proto", field: 1)
    file.string("pb", field: 2)
    file.bytes(message.bytes, field: 4)
    var service = WireWriter()
    service.string("Rival", field: 1)
    file.bytes(service.bytes, field: 6)
    var set = WireWriter()
    set.bytes(file.bytes, field: 1)
    let rival = try await backend("rival", listing: ["pb.Rival"], set: set.bytes)
    let gateway = Gateway([greeter, rival])
    for backend in [greeter, rival] { #expect(await gateway.look(at: backend)) }
    var responder = gateway.reflection
    guard case .answer(let services) = responder.answer(ReflectionRequest(.listServices(""))),
      case .services(let names)? = services.kind
    else { throw Status(.internal, "no services") }
    #expect(names.filter { $0.hasPrefix("pb.") } == ["pb.Greeter", "pb.Rival"])
    for (symbol, isThere) in [("pb.HelloRequest", true), ("pb.Rival", false)] {
      guard case .answer(let answer) = responder.answer(ReflectionRequest(.fileContainingSymbol(symbol))) else {
        throw Status(.internal, "no answer")
      }
      if case .files = answer.kind { #expect(isThere) } else { #expect(!isThere) }
    }
  }
}
