// SPDX-License-Identifier: Apache-2.0

import Protobuf
import Schemas
import TestSupport
import Testing

/// The descriptors that protoc made of the project's own schemas, `descriptor.proto` and `google/api` among them.
@Suite struct DescriptorPoolTests {
  static let pool = Result { try DescriptorPool(set: DescriptorSet.bytes) }

  @Test("the schemas of this repository are linked, in the order of the set and in any other")
  func links() throws {
    let pool = try Self.pool.get()
    #expect(pool.files.count > 10)
    #expect(pool.services.map(\.fullName).contains("user.v1.UserService"))
    var files: [[UInt8]] = []
    var reader = WireReader(DescriptorSet.bytes)
    while let field = try reader.next() {
      if field.number == 1, case .bytes(let content) = field.value { files.append(Array(content)) }
    }
    let reversed = try DescriptorPool(files: files.reversed() + files)
    #expect(reversed.files.map(\.name) == pool.files.map(\.name).reversed())
    #expect(reversed.services.map(\.fullName).sorted() == pool.services.map(\.fullName).sorted())
  }

  @Test("a file tells its package, its edition, what it imports and what it declares")
  func files() throws {
    let pool = try Self.pool.get()
    let file = try #require(pool.file(named: "user/v1/user.proto"))
    #expect(file.package == "user.v1")
    #expect(file.edition == .proto3)
    #expect(file.imports.map(\.name).contains("google/protobuf/field_mask.proto"))
    #expect(file.messages.map(\.name).contains("GetUserRequest"))
    #expect(file.enums.map(\.name) == ["UserRole"])
    #expect(file.services.map(\.name) == ["UserService"])
    #expect(file.path == [])
    #expect(pool.file(named: "google/protobuf/descriptor.proto")?.edition == .proto2)
    #expect(pool.file(named: "absent.proto") == nil)
  }

  @Test("a field tells its number, type, names, presence and options")
  func fields() throws {
    let user = try #require(try Self.pool.get().message(named: "user.v1.User"))
    let created = try #require(user.field(named: "created_at"))
    #expect(created.number == 4)
    #expect(created.type == .message)
    #expect(created.message?.fullName == "google.protobuf.Timestamp")
    #expect(created.jsonName == "createdAt")
    #expect(created.hasPresence)
    #expect(created.cardinality == .singular)
    #expect(created.containingMessage == user)
    #expect(created.file.name == "user/v1/user.proto")
    #expect(user.field(numbered: 4) == created)
    #expect(user.field(jsonName: "createdAt") == created)
    #expect(user.field(jsonName: "created_at") == created)
    #expect(user.field(jsonName: "created") == nil)
    #expect(user.field(numbered: 100) == nil)
    #expect(user.field(numbered: -1) == nil)
    #expect(user.field(numbered: .max) == nil)
    let role = try #require(user.field(numbered: 5))
    #expect(role.enumeration?.fullName == "user.v1.UserRole")
    #expect(!role.hasPresence)
    #expect(role.message == nil)
    #expect(user.field(named: "roles")?.cardinality == .repeated)
    #expect(user.field(named: "roles")?.isPacked == false)
    #expect(user.field(named: "legacy_field")?.isDeprecated == true)
    #expect(!role.isDeprecated)
    #expect(user.reservedRanges.contains { $0.contains(10) })
    #expect(user.reservedNames == ["old_field_name"])
    #expect(user.fields.map(\.path).prefix(2) == [user.path + [2, 0], user.path + [2, 1]])
  }

  @Test("a method tells its types, its streams and its options by their numbers, extensions too")
  func methods() throws {
    let pool = try Self.pool.get()
    let service = try #require(pool.service(named: "user.v1.UserService"))
    let get = try #require(pool.method(named: "user.v1.UserService.GetUser"))
    #expect(service.methods.first == get)
    #expect(get.service == service)
    #expect(get.callPath == "/user.v1.UserService/GetUser")
    #expect(get.input.name == "GetUserRequest")
    #expect(get.output.fullName == "user.v1.User")
    #expect(!get.isClientStreaming && !get.isServerStreaming)
    let chat = try #require(pool.method(named: "user.v1.UserService.Chat"))
    #expect(chat.isClientStreaming && chat.isServerStreaming)
    let http = try #require(pool.extension(named: "google.api.http"))
    #expect(http.number == 72_295_728)
    #expect(http.containingMessage.fullName == "google.protobuf.MethodOptions")
    #expect(http.containingMessage.knownExtensions.contains(http))
    #expect(http.containingMessage.field(jsonName: "[google.api.http]") == http)
    #expect(http.scope == nil)
    let rule: [UInt8] = message([(2, "/v1/users/{user_id}")])
    #expect(get.options.values(of: Int(http.number)) == [.bytes(rule[...])])
    #expect(get.options.values(of: 1) == [])
  }

  @Test("every kind of symbol is found by its full name, and nothing else is")
  func symbols() throws {
    let pool = try DescriptorPool(files: [
      file(
        "proto2", package: "a.b",
        [
          declaration(
            "M",
            [
              field("f", 1, .int32, [(9, 0)]), (8, [(1, "o")]), enumeration("E", [("V", 1)], at: 4),
              declaration("N", at: 3, []), field("x", 7, .int32, at: 6, [(2, ".a.b.M")]), (5, [(1, 5), (2, 10)]),
            ]),
          (6, [(1, "S"), (2, [(1, "Call"), (2, ".a.b.M"), (3, ".a.b.M.N")])]),
        ])
    ])
    let message = try #require(pool.message(named: "a.b.M"))
    #expect(pool.symbol(named: "a.b.M") == .message(message))
    #expect(pool.symbol(named: "a.b.M.N") == message.messages.first.map { .message($0) })
    #expect(pool.symbol(named: "a.b.M.f") == message.fields.first.map { .field($0) })
    #expect(pool.symbol(named: "a.b.M.x") == message.extensions.first.map { .field($0) })
    #expect(pool.symbol(named: "a.b.M.o") == message.oneofs.first.map { .oneof($0) })
    #expect(pool.symbol(named: "a.b.M.E") == message.enums.first.map { .enumeration($0) })
    #expect(pool.symbol(named: "a.b.M.V") == message.enums.first?.values.first.map { .enumValue($0) })
    #expect(pool.symbol(named: "a.b.S") == pool.services.first.map { .service($0) })
    #expect(pool.symbol(named: "a.b.S.Call") == pool.services.first?.methods.first.map { .method($0) })
    for name in ["", "a", "a.b", ".a.b.M", "M", "a.b.M.E.V", "a.b.M.", "a.b.proto"] {
      #expect(pool.symbol(named: name) == nil)
    }
    #expect(message.enums.first?.parent == message)
    #expect(message.messages.first?.parent == message)
    #expect(message.extensions.first?.scope == message)
    #expect(message.fields.first?.oneof == message.oneofs.first)
    #expect(message.oneofs.first?.fields == message.fields)
    #expect(pool.enumeration(named: "a.b.M.E")?.value(named: "V")?.number == 1)
    #expect(pool.extension(named: "a.b.M.f") == nil)
    #expect(pool.message(named: "a.b.S") == nil)
    #expect(pool.enumeration(named: "a.b.M") == nil)
    #expect(pool.service(named: "a.b.M") == nil)
    #expect(pool.method(named: "a.b.S") == nil)
  }

  @Test("fields are found by number where numbers are dense, sparse and at their bounds")
  func numbers() throws {
    let numbers: [Int32] = [536_870_911, 1, 2, 3, 64, 65, 63, 1_000, 18_999, 20_000, 300_000_000]
    let pool = try DescriptorPool(files: [
      file("proto3", [declaration("M", numbers.map { field("f\($0)", $0, .int32) })])
    ])
    let message = try #require(pool.message(named: "M"))
    for number in numbers { #expect(message.field(numbered: number)?.name == "f\(number)") }
    for number: Int32 in [0, 4, 62, 66, 999, 1_001, 536_870_910, .max, .min] {
      #expect(message.field(numbered: number) == nil)
    }
    #expect(message.fields.map(\.number) == numbers)
  }

  @Test("an enum's values are found by number and by name, with gaps, without, and with aliases")
  func enumValues() throws {
    let pool = try DescriptorPool(files: [
      file(
        "proto3",
        [
          enumeration("Dense", [("A", 0), ("B", 1), ("C", -1)]),
          enumeration("Sparse", [("Z", 0), ("Y", .max), ("X", .min), ("W", .max)], [(3, [(2, 1), (3, 1)])]),
        ])
    ])
    let dense = try #require(pool.enumeration(named: "Dense"))
    #expect(dense.value(numbered: -1)?.name == "C")
    #expect(dense.value(numbered: 2) == nil)
    #expect(dense.value(numbered: .min) == nil)
    #expect(dense.value(named: "B")?.number == 1)
    #expect(dense.value(named: "b") == nil)
    let sparse = try #require(pool.enumeration(named: "Sparse"))
    #expect(sparse.value(numbered: .max)?.name == "Y")
    #expect(sparse.value(numbered: .min)?.name == "X")
    #expect(sparse.value(numbered: 1) == nil)
    #expect(sparse.value(named: "W")?.number == .max)
    #expect(sparse.isDeprecated && !dense.isDeprecated)
    #expect(sparse.values.map(\.path).last == [5, 1, 2, 3])
    #expect(sparse.values.last?.fullName == "W")
  }

  @Test("comments are found by what they belong to, and are decoded when they are asked for")
  func comments() throws {
    let info: Part = [
      (
        1,
        [(1, .bytes([4, 0])), (2, .bytes([1, 0, 2])), (3, " of M\n"), (4, " behind\n"), (6, " far\n"), (6, " off\n")]
      ),
      (1, [(1, .bytes([4, 0, 2, 0])), (3, " of f\n")]), (1, [(1, 2), (3, " of the package\n")]),
      (1, [(1, .bytes([4, 0, 3, 0, 2, 0])), (4, " of g\n")]),
      (1, [(1, .bytes([5, 0, 2, 0])), (3, " of V\n")]), (1, [(1, .bytes([6, 0, 2, 0])), (3, " of Call\n")]),
    ]
    let parts: [(Int, Part)] = [
      declaration("M", [field("f", 1, .int32), declaration("N", at: 3, [field("g", 1, .int32)])]),
      enumeration("E", [("V", 0)]), (6, [(1, "S"), (2, [(1, "Call"), (2, ".p.M"), (3, ".p.M")])]),
    ]
    let pool = try DescriptorPool(files: [file("proto3", package: "p", parts + [(9, info)])])
    let comments = try pool.files[0].comments()
    let message = try #require(pool.message(named: "p.M"))
    #expect(comments[message]?.leading == " of M\n")
    #expect(comments[message]?.trailing == " behind\n")
    #expect(comments[message]?.detached == [" far\n", " off\n"])
    #expect(message.fields.first.flatMap { comments[$0] }?.leading == " of f\n")
    #expect(message.messages.first?.fields.first.flatMap { comments[$0] }?.trailing == " of g\n")
    #expect(message.messages.first.flatMap { comments[$0] } == nil)
    #expect(pool.enumeration(named: "p.E")?.values.first.flatMap { comments[$0] }?.leading == " of V\n")
    #expect(pool.method(named: "p.S.Call").flatMap { comments[$0] }?.leading == " of Call\n")
    #expect(comments[path: [2]]?.leading == " of the package\n")
    let broken = try DescriptorPool(files: [file("proto3", [(9, .bytes([0x0A, 0x05]))])])
    #expect(throws: SchemaError.self) { try broken.files[0].comments() }
  }
}
