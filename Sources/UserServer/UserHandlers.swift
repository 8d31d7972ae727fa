// SPDX-License-Identifier: Apache-2.0

internal import GRPCServer
internal import Schemas
internal import ServiceMethods
internal import SwiftProtobuf
internal import UserStore

/// Answers the methods of one request and one response. The store knows their rules; here they meet their calls.
struct UserHandlers {
  let pool: DatabasePool

  var all: [MethodHandler] {
    [
      handle(UserService.getUser) { [pool] request, _ in
        try await pool.read { (reader) throws(StoreError) in try reader.user(request.userID) }
      },
      handle(UserService.listUsers) { [pool] request, _ in
        try await pool.read { (reader) throws(StoreError) in try reader.page(request) }
      },
      handle(UserService.createUser) { [pool] request, _ in
        try await pool.write { (writer) throws(StoreError) in try writer.create(request.user) }
      },
      handle(UserService.updateUser) { [pool] request, _ in
        try await pool.write { (writer) throws(StoreError) in
          try writer.update(request.user, mask: request.updateMask.paths)
        }
      },
      handle(UserService.deleteUser) { [pool] request, _ in
        try await pool.write { (writer) throws(StoreError) in try writer.delete(request.userID) }
        return Google_Protobuf_Empty()
      },
    ]
  }
}
