// SPDX-License-Identifier: Apache-2.0

import Schemas
import SwiftProtobuf
import Testing

@Suite struct DescriptorSetTests {
  static func descriptors() throws -> Google_Protobuf_FileDescriptorSet {
    try Google_Protobuf_FileDescriptorSet(serializedBytes: DescriptorSet.bytes)
  }

  @Test("every service that ours serve has its descriptor")
  func services() throws {
    let names = try Self.descriptors().file.flatMap { file in file.service.map { file.package + "." + $0.name } }
    #expect(
      names.sorted() == [
        "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
        "grpc.testing.TestService", "grpc.testing.UnimplementedService", "pb.Greeter", "user.v1.UserService",
      ])
  }

  @Test("a file stands behind the files that it imports")
  func order() throws {
    var seen: Set<String> = []
    for file in try Self.descriptors().file {
      #expect(seen.isSuperset(of: file.dependency), "\(file.name)")
      #expect(!file.hasSourceCodeInfo)
      seen.insert(file.name)
    }
    #expect(seen.isSuperset(of: ["google/api/annotations.proto", "google/rpc/error_details.proto"]))
  }

  @Test("a user keeps its numbers: none of a removed field is taken, and none changes its name")
  func evolution() throws {
    let file = try #require(try Self.descriptors().file.first { $0.name == "user/v1/user.proto" })
    let user = try #require(file.messageType.first { $0.name == "User" })
    #expect(
      user.field.map { "\($0.number) \($0.name)" } == [
        "1 id", "2 email", "3 name", "4 created_at", "5 role", "6 roles", "7 phone_number", "8 email_verified",
        "9 legacy_field",
      ])
    #expect(user.field.last?.options.deprecated == true)
    #expect(user.reservedName == ["old_field_name"])
    #expect(user.reservedRange.map { $0.start..<$0.end } == [10..<11, 11..<12])
    #expect(file.options.hasGoPackage)
    #expect(file.options.hasJavaPackage)
  }

  @Test("the messages read what the descriptors describe")
  func messages() throws {
    let user = User_V1_User.with {
      $0.id = "1"
      $0.role = .admin
    }
    let wire: [UInt8] = try user.serializedBytes()
    #expect(wire == [0x0A, 1, 0x31, 0x28, 1])
    #expect(User_V1_User.protoMessageName == "user.v1.User")
    #expect(Pb_HelloReply.protoMessageName == "pb.HelloReply")
    #expect(Google_Rpc_BadRequest.protoMessageName == "google.rpc.BadRequest")
  }
}
