// SPDX-License-Identifier: Apache-2.0

// Another process on a database's file, for the tests: one that can be killed, or that keeps a lock.
//
//   store-test-helper bulk FILE    creates users for ever, a batch at a time, and prints each that was acknowledged
//   store-test-helper lock FILE    takes the lock for writing, says so, and keeps it until its input ends

import Glibc
import SQLite
import Schemas
import UserStore

/// The number of users in a batch. They are named after it.
let batchSize = 25

func bulk(_ path: String) async throws {
  let pool = try DatabasePool(DatabasePool.Configuration(path: path))
  await withTaskGroup(of: Void.self) { group in
    for lane in 0..<4 {
      group.addTask {
        var number = 0
        while true {
          let batch = "\(getpid())-\(lane)-\(number)"
          let users = (0..<batchSize).map { index in
            var user = User_V1_User()
            user.name = batch
            user.email = "\(batch)-\(index)@example.com"
            return user
          }
          guard (try? await pool.write { (writer) throws(StoreError) in try writer.create(users) }) != nil else {
            return
          }
          // One call: a line that is printed is whole.
          let line = Array((batch + "\n").utf8)
          guard write(1, line, line.count) == line.count else { return }
          number += 1
        }
      }
    }
  }
}

func lock(_ path: String) throws {
  let database = try Database(path: path)
  try database.transaction(.writing) { () throws(SQLiteError) in
    print("locked")
    fflush(nil)
    while getchar() != EOF {}
  }
}

switch CommandLine.arguments.dropFirst().first {
case "bulk": try await bulk(CommandLine.arguments.dropFirst(2).first ?? "")
case "lock": try lock(CommandLine.arguments.dropFirst(2).first ?? "")
default: exit(64)
}
