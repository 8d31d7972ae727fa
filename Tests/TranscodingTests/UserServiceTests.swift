// SPDX-License-Identifier: Apache-2.0

import Protobuf
import Schemas
import Testing
import Transcoding

/// The reference service, by the annotations in its compiled schema.
@Suite struct UserServiceTests {
  private let table: RouteTable

  init() throws { table = RouteTable(try DescriptorPool(set: DescriptorSet.bytes)) }

  @Test(
    "a request of REST is the message that a client of gRPC would have sent",
    arguments: [
      ("GET", "/v1/users/42", "", "GetUser", #"{"user_id":"42"}"#),
      ("HEAD", "/v1/users/42", "", "GetUser", #"{"user_id":"42"}"#),
      (
        "GET", "/v1/users?pageSize=10&page_token=a%2Bb&filter=role+%3D+ADMIN", "", "ListUsers",
        #"{"page_size":10,"page_token":"a+b","filter":"role = ADMIN"}"#
      ),
      (
        "POST", "/v1/users", #"{"email":"a@b.example","role":"USER_ROLE_ADMIN","emailVerified":true}"#, "CreateUser",
        #"{"user":{"email":"a@b.example","role":"USER_ROLE_ADMIN","email_verified":true}}"#
      ),
      (
        "PATCH", "/v1/users/42", #"{"id":"7","name":"A","phone_number":null,"roles":["x"]}"#, "UpdateUser",
        #"{"user":{"id":"42","name":"A","roles":["x"]},"update_mask":"name,phoneNumber,roles"}"#
      ),
      ("DELETE", "/v1/users/42", "", "DeleteUser", #"{"user_id":"42"}"#),
      (
        "GET", "/v1/users:watch?after_sequence=9007199254740993", "", "WatchUsers",
        #"{"after_sequence":"9007199254740993"}"#
      ),
      ("POST", "/v1/users:batchCreate", #"{"user":{"name":"A"}}"#, "CreateUsers", #"{"user":{"name":"A"}}"#),
    ])
  func requests(method: String, target: String, body: String, name: String, expected: String) throws {
    let path = String(target.split(separator: "?")[0])
    #expect(try Shop.match(table, method, path).route.method.name == name)
    #expect(Shop.request(table, method, target, body: body) == expected)
  }

  @Test("an answer of gRPC is a body of REST")
  func answers() throws {
    let route = try Shop.match(table, "GET", "/v1/users").route
    var encoded: [UInt8] = []
    let json =
      #"{"users":[{"id":"1","createdAt":"2024-01-01T00:00:00.000001Z","role":"USER_ROLE_GUEST"}],"totalSize":1}"#
    try DynamicMessage(json: bytes(json), as: route.method.output).encode(into: &encoded)
    var body: [UInt8] = []
    try ResponseTranscoder(route).writeJSON(encoded[...], into: &body)
    #expect(String(decoding: body, as: UTF8.self) == json)
  }
}
