// SPDX-License-Identifier: Apache-2.0

import Foundation
import SQLite
import TestSupport
import Testing

@testable import UserStore

@Suite struct CrashTests {
  @Test("a process killed in the middle of bulk creations loses nothing acknowledged and leaves no half of a batch")
  func killed() throws {
    let scratch = try Scratch()
    var acknowledged: Set<String> = []
    var random = SeededGenerator(4)
    for _ in 0..<8 {
      let process = try Helper("bulk", scratch.database)
      for _ in 0..<Int.random(in: 1...40, using: &random) { acknowledged.insert(process.line()) }
      acknowledged.formUnion(process.kill())

      let database = try Database(path: scratch.database)
      try database.verify()
      let batches = try database.rows("SELECT name, count(*) FROM users GROUP BY name") { ($0.text(0), $0.integer(1)) }
      #expect(batches.allSatisfy { $0.1 == 25 })
      #expect(acknowledged.isSubset(of: batches.map(\.0)))
      let users = Int64(batches.count * 25)
      #expect(try database.first("SELECT value FROM counters WHERE name = 'users'") { $0.integer(0) } == users)
      #expect(
        try database.first("SELECT count(*), max(sequence) FROM outbox") { [$0.integer(0), $0.integer(1)] } == [
          users, users,
        ])
    }
    #expect(acknowledged.count >= 8)
  }
}
