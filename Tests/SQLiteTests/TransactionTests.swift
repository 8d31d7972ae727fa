// SPDX-License-Identifier: Apache-2.0

import SQLite
import TestSupport
import Testing

/// An error of a caller's own.
private enum Failure: DatabaseFailure, Equatable {
  case own
  case database(SQLiteError.Code)
  init(_ error: SQLiteError) { self = .database(error.code) }
}

@Suite struct TransactionTests {
  static func table() throws -> Database {
    let database = try Database(path: Database.inMemory)
    try database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
    return database
  }

  static func content(_ database: Database) throws -> [Int64] {
    try database.rows("SELECT a FROM t ORDER BY a") { $0.integer(0) }
  }

  @Test("what a transaction did is kept when its body returns and undone when it throws")
  func allOrNothing() throws {
    let database = try Self.table()
    let result = try database.transaction(.writing) { () throws(SQLiteError) in
      try database.execute("INSERT INTO t VALUES (1)")
    }
    #expect(result == 1)
    #expect(throws: Failure.own) {
      try database.transaction(.writing) { () throws(Failure) in
        do throws(SQLiteError) { try database.execute("INSERT INTO t VALUES (2)") } catch { throw Failure(error) }
        throw Failure.own
      }
    }
    #expect(!database.isInTransaction)
    #expect(try Self.content(database) == [1])
  }

  @Test("a savepoint undoes its own part alone")
  func savepoints() throws {
    let database = try Self.table()
    try database.transaction(.writing) { () throws(SQLiteError) in
      try database.execute("INSERT INTO t VALUES (1)")
      do throws(SQLiteError) {
        try database.savepoint { () throws(SQLiteError) in
          try database.execute("INSERT INTO t VALUES (2)")
          try database.execute("INSERT INTO t VALUES (1)")
        }
        Issue.record("the second row has the key of the first")
      } catch {
        #expect(error.code == .unique)
      }
      try database.savepoint { () throws(SQLiteError) in try database.execute("INSERT INTO t VALUES (3)") }
    }
    #expect(try Self.content(database) == [1, 3])
  }

  @Test("a commit that fails undoes the transaction")
  func failingCommit() throws {
    let database = try Self.table()
    try database.execute("CREATE TABLE u (t INTEGER REFERENCES t(a) DEFERRABLE INITIALLY DEFERRED)")
    #expect(throws: Failure.database(.constraint)) {
      try database.transaction(.writing) { () throws(Failure) in
        do throws(SQLiteError) { try database.execute("INSERT INTO u VALUES (7)") } catch { throw Failure(error) }
      }
    }
    #expect(!database.isInTransaction)
    #expect(try database.first("SELECT count(*) FROM u") { $0.integer(0) } == 0)
  }

  @Test("a reading transaction sees one state although others write")
  func snapshot() throws {
    let scratch = try Scratch()
    let writer = try scratch.open()
    try writer.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
    let reader = try scratch.open(readOnly: true)
    try reader.transaction(.reading) { () throws(SQLiteError) in
      let before = try reader.first("SELECT count(*) FROM t") { $0.integer(0) }
      try writer.execute("INSERT INTO t VALUES (1)")
      #expect(try reader.first("SELECT count(*) FROM t") { $0.integer(0) } == before)
    }
    #expect(try reader.first("SELECT count(*) FROM t") { $0.integer(0) } == 1)
  }

  @Test("a second writer is told that the database is busy")
  func busy() throws {
    let scratch = try Scratch()
    let first = try scratch.open()
    try first.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
    let second = try scratch.open()
    try first.transaction(.writing) { () throws(SQLiteError) in
      do throws(SQLiteError) {
        try second.transaction(.writing) { () throws(SQLiteError) in }
        Issue.record("two writers at once")
      } catch {
        #expect(error.code == .busy)
      }
    }
    try second.transaction(.writing) { () throws(SQLiteError) in try second.execute("INSERT INTO t VALUES (1)") }
  }
}
