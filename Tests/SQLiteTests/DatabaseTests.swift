// SPDX-License-Identifier: Apache-2.0

import Foundation
import SQLite
import TestSupport
import Testing

@Suite struct DatabaseTests {
  @Test("values come back as they went in, whatever their type")
  func roundTrip() throws {
    let database = try Database(path: Database.inMemory)
    let text = "zwölf 🦆 \0 'quoted' \"twice\"; --"
    let row = try #require(
      try database.first("SELECT \(Int64.min), \(2.5), \(text), \([0, 255]), \(SQLiteValue.null), \(true), \("")") {
        row in
        (row.integer(0), row.real(1), row.text(2), row.blob(3), row.isNull(4), row.bool(5), row.text(6), row.isNull(6))
      })
    #expect(row.0 == Int64.min)
    #expect(row.1 == 2.5)
    #expect(row.2 == text)
    #expect(row.3 == [0, 255])
    #expect(row.4)
    #expect(row.5)
    #expect(row.6 == "")
    #expect(!row.7)
    #expect(try database.first("SELECT typeof(\([UInt8]()))") { $0.text(0) } == "blob")
  }

  @Test("a column that is not there, or of another type, reads as nothing and does not trap")
  func foreignColumns() throws {
    let database = try Database(path: Database.inMemory)
    let row = try database.first("SELECT 'word', NULL") {
      ($0.integer(0), $0.real(0), $0.blob(1), $0.text(7), $0.integer(-1), $0.isNull(7))
    }
    let found = try #require(row)
    #expect(found.0 == 0)
    #expect(found.1 == 0)
    #expect(found.2 == [])
    #expect(found.3 == "")
    #expect(found.4 == 0)
    #expect(found.5)
  }

  @Test("a value is never read as SQL")
  func injection() throws {
    let database = try Database(path: Database.inMemory)
    try database.execute("CREATE TABLE t (name TEXT)")
    let hostile = "x'); DROP TABLE t; --"
    try database.execute("INSERT INTO t VALUES (\(hostile))")
    let condition: SQL = "name = \(hostile)"
    #expect(try database.rows("SELECT name FROM t WHERE \(condition)") { $0.text(0) } == [hostile])
    let list = SQL.joined(["\("a")", "\(hostile)"], separator: ", ")
    #expect(list.text == "?, ?")
    #expect(try database.first("SELECT count(*) FROM t WHERE name IN (\(list))") { $0.integer(0) } == 1)
  }

  @Test("a statement tells how many rows it changed")
  func changes() throws {
    let database = try Database(path: Database.inMemory)
    #expect(try database.execute("CREATE TABLE t (a INTEGER)") == 0)
    #expect(try database.execute("INSERT INTO t VALUES (1), (2), (3)") == 3)
    #expect(try database.execute("DELETE FROM t WHERE a > \(1)") == 2)
    #expect(try database.execute("SELECT * FROM t") == 0)
  }

  @Test("a statement may be used again while it runs")
  func nestedUse() throws {
    let database = try Database(path: Database.inMemory)
    try database.execute("CREATE TABLE t (a INTEGER)")
    try database.execute("INSERT INTO t VALUES (1), (2)")
    let pairs = try database.rows("SELECT a FROM t") { outer in
      (try? database.rows("SELECT a FROM t") { [outer.integer(0), $0.integer(0)] }) ?? []
    }
    #expect(pairs == [[[1, 1], [1, 2]], [[2, 1], [2, 2]]])
  }

  @Test("the cache of statements is bounded and forgets what was not used for longest")
  func cacheIsBounded() throws {
    let database = try Database(path: Database.inMemory)
    var shape: SQL = "SELECT 0"
    for number in 1...200 {
      shape.append(" + 1")
      #expect(try database.first(shape) { $0.integer(0) } == Int64(number))
    }
    #expect(try database.first("SELECT count(*) FROM sqlite_stmt") { $0.integer(0) } ?? 0 <= 65)
  }

  @Test("a statement that nobody wants any more ends, and the connection is as good as before")
  func interruption() throws {
    let database = try Database(path: Database.inMemory)
    var questions = 0
    database.interrupt {
      questions += 1
      return questions == 5
    }
    let endless: SQL = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    let error = #expect(throws: SQLiteError.self) { try database.first(endless) { $0.integer(0) } }
    #expect(error?.code == .interrupted)
    #expect(questions == 5)
    #expect(try database.first("SELECT 7") { $0.integer(0) } == 7)
  }

  @Test("mistakes in SQL are errors that say so")
  func misuse() throws {
    let database = try Database(path: Database.inMemory)
    func code(_ sql: SQL) -> SQLiteError.Code? {
      do throws(SQLiteError) { try database.execute(sql) } catch { return error.code }
      return nil
    }
    #expect(code("SELEC 1") == .misuse)
    #expect(code("") == .misuse)
    #expect(code("SELECT 1; SELECT 2") == .misuse)
    #expect(code("SELECT ?") == .misuse)
    #expect(code("SELECT \(1), 2") == nil)
  }

  @Test("a rule that a value breaks is named by its kind")
  func constraints() throws {
    let database = try Database(path: Database.inMemory)
    try database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE, c INTEGER CHECK (c > 0))")
    try database.execute("CREATE TABLE u (t INTEGER REFERENCES t(a))")
    try database.execute("INSERT INTO t VALUES (1, 'x', 1)")
    func code(_ sql: SQL) -> SQLiteError.Code? {
      do throws(SQLiteError) { try database.execute(sql) } catch { return error.code }
      return nil
    }
    #expect(code("INSERT INTO t VALUES (1, 'y', 1)") == .unique)
    #expect(code("INSERT INTO t VALUES (2, 'x', 1)") == .unique)
    #expect(code("INSERT INTO t VALUES (2, 'y', 0)") == .constraint)
    #expect(code("INSERT INTO u VALUES (7)") == .constraint)
  }

  @Test("a file that is no database, a folder and a missing folder are told apart from a damaged file")
  func opening() throws {
    let scratch = try Scratch()
    try Data(repeating: 0x41, count: 4096).write(to: URL(fileURLWithPath: scratch.path("text.db")))
    func code(_ path: String) -> SQLiteError.Code? {
      do throws(SQLiteError) { _ = try Database(path: path) } catch { return error.code }
      return nil
    }
    #expect(code(scratch.path("text.db")) == .notADatabase)
    #expect(code(scratch.path("missing/test.db")) == .cannotOpen)
    #expect(code(scratch.folder) == .cannotOpen)
    #expect(throws: SQLiteError.self) { try scratch.open("absent.db", readOnly: true) }

    let database = try scratch.open()
    try database.execute("CREATE TABLE t (a TEXT)")
    try database.execute("INSERT INTO t VALUES (hex(randomblob(100000)))")
    try database.verify()
    try database.ping()
    _ = try database.rows("PRAGMA wal_checkpoint(TRUNCATE)") { $0.integer(0) }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: scratch.database))
    try file.seek(toOffset: 4096)
    try file.write(contentsOf: Data(repeating: 0xFF, count: 8192))
    try file.close()
    let second = try scratch.open()
    #expect(throws: SQLiteError.self) { try second.verify() }
  }

  @Test("a connection for reading reads what another one writes, and writes nothing")
  func readOnly() throws {
    let scratch = try Scratch()
    let writer = try scratch.open()
    try writer.execute("CREATE TABLE t (a INTEGER)")
    let reader = try scratch.open(readOnly: true)
    try writer.execute("INSERT INTO t VALUES (7)")
    #expect(try reader.first("SELECT a FROM t") { $0.integer(0) } == 7)
    let refusal = #expect(throws: SQLiteError.self) { try reader.execute("INSERT INTO t VALUES (8)") }
    #expect(refusal?.code == .readOnly)
  }
}
