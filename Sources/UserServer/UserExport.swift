// SPDX-License-Identifier: Apache-2.0

internal import GRPCServer
internal import Schemas
internal import ServiceMethods
internal import UserStore

/// Answers StreamUsers: every user that fits, in the order of their ids.
///
/// Users are read a batch at a time, and the next batch once the client has taken the last one: an export costs the
/// memory of a batch and of the stream's send buffer, however slowly it is read, and holds no lock and no transaction
/// meanwhile.
struct UserExport {
  let pool: DatabasePool

  /// Users of a batch: enough to make a read cheap, few enough to start soon.
  private static let batchSize = 250

  var handler: MethodHandler {
    handle(UserService.streamUsers) { [pool] request, writer, _ in
      let filter = try UserFilter(request.filter)
      var last = ""
      while true {
        let position = last
        let users = try await pool.read { (reader) throws(StoreError) in
          try reader.users(after: position, filter: filter, limit: Self.batchSize)
        }
        for user in users { try await writer.write(user) }
        guard users.count == Self.batchSize, let user = users.last else { return }
        last = user.id
      }
    }
  }
}
