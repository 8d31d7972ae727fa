// SPDX-License-Identifier: Apache-2.0

import Protobuf
import Reflection
import TestSupport
import Testing

private let requests: [ReflectionRequest] = [
  ReflectionRequest(.fileByName("a.proto"), host: "h"), ReflectionRequest(.fileContainingSymbol("a.B")),
  ReflectionRequest(.fileContainingExtension(type: "a.B", number: 100)),
  ReflectionRequest(.fileContainingExtension(type: "", number: 0)), ReflectionRequest(.extensionNumbers(type: "a.B")),
  ReflectionRequest(.listServices("")), ReflectionRequest(.listServices("*")), ReflectionRequest(nil),
]

private let responses: [ReflectionResponse] = [
  ReflectionResponse(.files([[1, 2], []]), to: requests[0]),
  ReflectionResponse(.extensionNumbers(type: "a.B", numbers: [1, 100, 300]), to: requests[4]),
  ReflectionResponse(.extensionNumbers(type: "", numbers: []), to: nil),
  ReflectionResponse(.services(["a.B", ""]), to: requests[5]),
  ReflectionResponse(.error(code: 5, message: "no such file"), to: requests[1]), ReflectionResponse(nil, to: nil),
]

@Suite struct ReflectionMessageTests {
  @Test("requests read back as they were written", arguments: requests)
  func requestRoundTrip(request: ReflectionRequest) throws {
    #expect(try ReflectionRequest(decoding: request.encoded) == request)
  }

  @Test("responses read back as they were written", arguments: responses)
  func responseRoundTrip(response: ReflectionResponse) throws {
    #expect(try ReflectionResponse(decoding: response.encoded) == response)
  }

  @Test("the numbers on the wire are those of the service's schema")
  func wire() throws {
    #expect(ReflectionRequest(.listServices("*")).encoded == [0x3A, 0x01, 0x2A])
    #expect(
      ReflectionRequest(.fileContainingExtension(type: "T", number: 9), host: "h").encoded
        == [0x0A, 0x01, 0x68, 0x2A, 0x05, 0x0A, 0x01, 0x54, 0x10, 0x09])
    #expect(
      ReflectionResponse(.error(code: 5, message: "m"), to: nil).encoded == [0x3A, 0x05, 0x08, 0x05, 0x12, 0x01, 0x6D])
    // Extension numbers that come one by one are read as packed ones are.
    #expect(
      try ReflectionResponse(decoding: [0x2A, 0x07, 0x0A, 0x01, 0x54, 0x10, 0x64, 0x10, 0x65]).kind
        == .extensionNumbers(type: "T", numbers: [100, 101]))
  }

  @Test("the last of several questions counts, and one that is unknown is none")
  func unknown() throws {
    #expect(
      try ReflectionRequest(decoding: [0x1A, 0x01, 0x61, 0x22, 0x01, 0x62]).kind == .fileContainingSymbol("b"))
    #expect(try ReflectionRequest(decoding: [0x42, 0x01, 0x61]).kind == nil)
    #expect(try ReflectionRequest(decoding: [0x18, 0x01]).kind == nil)
    #expect(throws: WireError.self) { try ReflectionRequest(decoding: [0x1A, 0x01, 0xFF]) }
  }

  @Test("random bytes end in a message or an error, and what was read reads back", arguments: [1, 2])
  func garbage(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    var read = 0
    for _ in 0..<10_000 {
      var bytes = responses[Int.random(in: 0..<responses.count, using: &random)].encoded
      for _ in 0..<2 where !bytes.isEmpty {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if let response = try? ReflectionResponse(decoding: bytes) {
        read += 1
        #expect(try ReflectionResponse(decoding: response.encoded) == response)
      }
      if let request = try? ReflectionRequest(decoding: bytes) {
        #expect(try ReflectionRequest(decoding: request.encoded) == request)
      }
    }
    #expect(read > 1_000)
  }
}

@Suite struct ReflectionResponderTests {
  static func responder(_ services: [String]? = nil) throws -> ReflectionResponder {
    ReflectionResponder(try DescriptorIndex([userFile, baseFile, deepestFile]), services: services)
  }

  static func answer(_ request: ReflectionRequest, services: [String]? = nil) throws -> ReflectionResponder.Outcome {
    var responder = try responder(services)
    return responder.answer(request)
  }

  @Test("a stream is sent each import once, and what it asks for always")
  func memory() throws {
    var responder = try Self.responder()
    var other = responder
    func files(_ kind: ReflectionRequest.Kind) -> [[UInt8]] {
      guard case .answer(let response) = responder.answer(ReflectionRequest(kind)),
        case .files(let files) = response.kind
      else { return [] }
      return files
    }
    #expect(files(.fileByName("base.proto")) == [baseFile, deepestFile])
    #expect(files(.fileContainingSymbol("user.v1.UserService")) == [userFile])
    #expect(files(.fileContainingSymbol("user.v1.User")) == [userFile])
    #expect(files(.fileByName("deepest.proto")) == [deepestFile])
    let request = ReflectionRequest(.fileByName("user.proto"))
    #expect(
      other.answer(request) == .answer(ReflectionResponse(.files([userFile, baseFile, deepestFile]), to: request)))
  }

  @Test("files are found by name, symbol and extension")
  func files() throws {
    for kind in [
      ReflectionRequest.Kind.fileByName("user.proto"), .fileContainingSymbol("user.v1.UserService.GetUser"),
      .fileContainingExtension(type: "base.Extensible", number: 100),
    ] {
      let request = ReflectionRequest(kind, host: "h")
      #expect(
        try Self.answer(request)
          == .answer(ReflectionResponse(.files([userFile, baseFile, deepestFile]), to: request)))
    }
  }

  @Test("services are those that the server offers, sorted")
  func services() throws {
    let request = ReflectionRequest(.listServices("*"))
    #expect(
      try Self.answer(request, services: ["b.B", "a.A"])
        == .answer(ReflectionResponse(.services(["a.A", "b.B"]), to: request)))
    #expect(
      try Self.answer(request)
        == .answer(ReflectionResponse(.services(["AService", "user.v1.UserService"]), to: request)))
  }

  @Test("extension numbers are told for a known message")
  func extensionNumbers() throws {
    let request = ReflectionRequest(.extensionNumbers(type: "base.Extensible"))
    #expect(
      try Self.answer(request)
        == .answer(ReflectionResponse(.extensionNumbers(type: "base.Extensible", numbers: [100, 101]), to: request)))
  }

  @Test(
    "what is not there is an answer of code 5, and the stream goes on",
    arguments: [
      ReflectionRequest.Kind.fileByName("x"), .fileContainingSymbol("x"),
      .fileContainingExtension(type: "base.Extensible", number: 1), .extensionNumbers(type: "x"),
    ])
  func missing(kind: ReflectionRequest.Kind) throws {
    guard case .answer(let response) = try Self.answer(ReflectionRequest(kind)),
      case .error(code: 5, message: _) = response.kind
    else {
      Issue.record("no answer of code 5")
      return
    }
    #expect(response.request?.kind == kind)
  }

  @Test("a question that nobody knows ends the stream")
  func unknown() throws {
    guard case .invalid = try Self.answer(ReflectionRequest(nil)) else {
      Issue.record("an answer to nothing")
      return
    }
  }
}
