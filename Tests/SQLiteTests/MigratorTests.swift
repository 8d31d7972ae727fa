// SPDX-License-Identifier: Apache-2.0

import Foundation
import SQLite
import TestSupport
import Testing

@Suite struct MigratorTests {
  static let first = Migration(["CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)"])
  static let second = Migration(["ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 5"])
  static let broken = Migration(["INSERT INTO t (a) VALUES (9)", "INSERT INTO missing VALUES (1)"])

  @Test("missing steps are taken once, in order")
  func steps() throws {
    let database = try Database(path: Database.inMemory)
    try Migrator([Self.first]).migrate(database)
    try Migrator([Self.first, Self.second]).migrate(database)
    try Migrator([Self.first, Self.second]).migrate(database)
    #expect(try database.rows("SELECT a, b FROM t") { [$0.integer(0), $0.integer(1)] } == [[1, 5]])
    #expect(try database.first("PRAGMA user_version") { $0.integer(0) } == 2)
  }

  @Test("a step that fails leaves the file at the step before")
  func failingStep() throws {
    let database = try Database(path: Database.inMemory)
    #expect(throws: SQLiteError.self) { try Migrator([Self.first, Self.broken]).migrate(database) }
    #expect(try database.rows("SELECT a FROM t") { $0.integer(0) } == [1])
    #expect(try database.first("PRAGMA user_version") { $0.integer(0) } == 1)
  }

  @Test("a file of a later program is refused")
  func tooNew() throws {
    let database = try Database(path: Database.inMemory)
    try Migrator([Self.first, Self.second]).migrate(database)
    let error = #expect(throws: SQLiteError.self) { try Migrator([Self.first]).migrate(database) }
    #expect(error?.code == .schemaTooNew)
    #expect(error?.message == "the file has version 2 of the schema and this program knows 1")
  }

  @Test("programs that migrate one new file at once take each step once")
  func race() throws {
    let scratch = try Scratch()
    let path = scratch.database
    let failures = Failures()
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      do {
        try Migrator([Self.first, Self.second]).migrate(try Database(path: path))
      } catch {
        failures.add("\(error)")
      }
    }
    #expect(failures.all == [])
    let database = try scratch.open()
    #expect(try database.rows("SELECT a, b FROM t") { [$0.integer(0), $0.integer(1)] } == [[1, 5]])
  }
}

/// What went wrong on several threads.
private final class Failures: @unchecked Sendable {
  private let lock = NSLock()
  private var texts: [String] = []
  func add(_ text: String) { lock.withLock { texts.append(text) } }
  var all: [String] { lock.withLock { texts } }
}
