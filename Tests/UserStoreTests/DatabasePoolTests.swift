// SPDX-License-Identifier: Apache-2.0

import Foundation
import SQLite
import Schemas
import Synchronization
import TestSupport
import Testing

@testable import UserStore

@Suite struct DatabasePoolTests {
  @Test("what was written is read by whoever asks afterwards", arguments: [":memory:", ""])
  func readYourWrites(path: String) async throws {
    let scratch = try Scratch()
    let pool = try DatabasePool(DatabasePool.Configuration(path: path.isEmpty ? scratch.database : path))
    for index in 0..<50 {
      let made = try await pool.create("u\(index)")
      #expect(try await pool.read { (reader) throws(StoreError) in try reader.user(made.id) } == made)
    }
    #expect(try await pool.names().count == 50)
    #expect(await pool.checkHealth() == DatabasePool.Health(readFailure: nil, writeFailure: nil))
    await pool.shutdown()
  }

  @Test("what waits, works and was refused is told")
  func load() async throws {
    let scratch = try Scratch()
    let pool = try DatabasePool(scratch) { configuration in
      configuration.queueCapacity = 2
      configuration.readers = 3
    }
    func load(waiting: Int = 0, busy: Int = 0, threads: Int, refused: UInt64 = 0) -> DatabasePool.Load {
      DatabasePool.Load(waiting: waiting, capacity: 2, busyThreads: busy, threads: threads, refused: refused)
    }
    #expect(pool.readLoad == load(threads: 3))
    #expect(pool.writeLoad == load(threads: 1))
    let hold = await WriterHold(pool)
    let creations = (0..<2).map { index in Task { try await pool.create("u\(index)") } }
    await hold.untilWaiting(2)
    await #expect(throws: StoreError.overloaded) { try await pool.create("late") }
    #expect(pool.writeLoad == load(waiting: 2, busy: 1, threads: 1, refused: 1))
    #expect(pool.readLoad == load(threads: 3))
    try await hold.release()
    for creation in creations { _ = try await creation.value }
    await pool.shutdown()
    #expect(pool.writeLoad == load(threads: 1, refused: 1))
    #expect(try DatabasePool(DatabasePool.Configuration(path: ":memory:")).readLoad == nil)
  }

  @Test("callers that work in batches wake the pool once a batch, and hear from it once for each batch of its own")
  func batches() async throws {
    let scratch = try Scratch()
    let thread = HeldThread()
    let pool = try DatabasePool(scratch) { configuration in
      configuration.readers = 1
      configuration.callerThread = { thread }
    }
    let reads = (0..<10).map { _ in Task { try await pool.names().count } }
    while pool.readLoad?.waiting != 10 { await Task.yield() }
    // Nobody was woken, or the one reader would have begun.
    #expect(pool.readLoad?.busyThreads == 0)
    #expect(thread.waiting == 1)
    thread.endBatch()
    for read in reads { #expect(try await read.value == 0) }
    #expect(thread.batches == 1)
    // A closing pool wakes its threads itself.
    let last = Task { try await pool.names().count }
    while pool.readLoad?.waiting != 1 { await Task.yield() }
    await pool.shutdown()
    #expect(try await last.value == 0)
  }

  @Test("a thousand writes that wait become two transactions")
  func grouping() async throws {
    let scratch = try Scratch()
    let commits = Atomic(0)
    let pool = try DatabasePool(scratch) { configuration in
      configuration.didCommit = { commits.add(1, ordering: .relaxed) }
    }
    let hold = await WriterHold(pool)
    let creations = (0..<1_000).map { index in Task { try await pool.create("u\(index)") } }
    await hold.untilWaiting(1_000)
    try await hold.release()
    var ids: Set<String> = []
    for creation in creations { ids.insert(try await creation.value.id) }
    #expect(ids.count == 1_000)
    #expect(commits.load(ordering: .relaxed) == 2)
    #expect(try await pool.read { (reader) throws(StoreError) in try reader.count() } == 1_000)
    await pool.shutdown()
  }

  @Test("what only reads is no commit, though it runs where writes do", arguments: [":memory:", ""])
  func commits(path: String) async throws {
    let scratch = try Scratch()
    let commits = Atomic(0)
    var configuration = DatabasePool.Configuration(path: path.isEmpty ? scratch.database : path)
    configuration.didCommit = { commits.add(1, ordering: .relaxed) }
    let pool = try DatabasePool(configuration)
    for _ in 0..<10 { _ = try await pool.read { (reader) throws(StoreError) in try reader.count() } }
    #expect(commits.load(ordering: .relaxed) == 0)
    _ = try await pool.create("somebody")
    await pool.shutdown()
    #expect(commits.load(ordering: .relaxed) == 1)
  }

  @Test("a write that fails among others fails alone, and leaves nothing")
  func failureAmongOthers() async throws {
    let scratch = try Scratch()
    let pool = try DatabasePool(scratch)
    let hold = await WriterHold(pool)
    let first = Task { try await pool.create("a") }
    await hold.untilWaiting(1)
    let duplicate = Task { try await pool.create("A") }
    await hold.untilWaiting(2)
    let half = Task {
      try await pool.write { (writer) throws(StoreError) in
        _ = try writer.create(user("half"))
        throw StoreError.internalFailure(reason: "after half of it")
      }
    }
    await hold.untilWaiting(3)
    let last = Task { try await pool.create("b") }
    await hold.untilWaiting(4)
    try await hold.release()
    #expect(try await first.value.name == "a")
    await #expect(throws: StoreError.alreadyExists(email: "A@example.com")) { try await duplicate.value }
    await #expect(throws: StoreError.internalFailure(reason: "after half of it")) { try await half.value }
    #expect(try await last.value.name == "b")
    #expect(try await pool.names() == ["a", "b"])
    #expect(try await pool.read { (reader) throws(StoreError) in try reader.events(after: 0) }.count == 2)
    await pool.shutdown()
  }

  @Test("where a whole transaction is lost, each write gets one of its own")
  func lostTransaction() async throws {
    let scratch = try Scratch()
    let pool = try DatabasePool(scratch)
    let hold = await WriterHold(pool)
    let runs = Atomic(0)
    let first = Task { try await pool.create("a") }
    await hold.untilWaiting(1)
    let full = Task {
      try await pool.write { (writer) throws(StoreError) in
        runs.add(1, ordering: .relaxed)
        // What SQLite does by itself on a full disk.
        writer.database.rollBack()
        throw StoreError.storageFull
      }
    }
    await hold.untilWaiting(2)
    let last = Task { try await pool.create("b") }
    await hold.untilWaiting(3)
    try await hold.release()
    #expect(try await first.value.name == "a")
    await #expect(throws: StoreError.storageFull) { try await full.value }
    #expect(try await last.value.name == "b")
    #expect(runs.load(ordering: .relaxed) == 2)
    #expect(try await pool.names() == ["a", "b"])
    await pool.shutdown()
  }

  @Test("work whose caller gave up before it began is not done")
  func cancellation() async throws {
    let scratch = try Scratch()
    let pool = try DatabasePool(scratch)
    let hold = await WriterHold(pool)
    let creation = Task { try await pool.create("never") }
    await hold.untilWaiting(1)
    creation.cancel()
    let other = Task { try await pool.create("other") }
    await hold.untilWaiting(2)
    try await hold.release()
    await #expect(throws: StoreError.cancelled) { try await creation.value }
    #expect(try await other.value.name == "other")
    #expect(try await pool.names() == ["other"])
    await pool.shutdown()
  }

  @Test("a query that runs ends when its caller gives up, and the thread serves others")
  func interruption() async throws {
    let scratch = try Scratch()
    let pool = try DatabasePool(scratch) { $0.readers = 1 }
    let hasBegun = Atomic(false)
    let query = Task {
      try await pool.read { (reader) throws(StoreError) in
        hasBegun.store(true, ordering: .releasing)
        let endless: SQL = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        return try translated { () throws(SQLiteError) in try reader.database.first(endless) { $0.integer(0) } }
      }
    }
    while !hasBegun.load(ordering: .acquiring) { await Task.yield() }
    query.cancel()
    await #expect(throws: StoreError.cancelled) { try await query.value }
    #expect(try await pool.names() == [])
    await pool.shutdown()
  }

  @Test("more work than the queue holds is refused at once")
  func overload() async throws {
    let scratch = try Scratch()
    let pool = try DatabasePool(scratch) { $0.queueCapacity = 2 }
    let hold = await WriterHold(pool)
    let waiting = [Task { try await pool.create("a") }, Task { try await pool.create("b") }]
    await hold.untilWaiting(2)
    await #expect(throws: StoreError.overloaded) { try await pool.create("c") }
    try await hold.release()
    for task in waiting { _ = try await task.value }
    #expect(try await pool.create("c").name == "c")
    await pool.shutdown()
  }

  @Test("a shutdown finishes what was accepted, refuses the rest and closes the file")
  func shutdown() async throws {
    let scratch = try Scratch()
    let pool = try DatabasePool(scratch)
    let hold = await WriterHold(pool)
    let creations = (0..<20).map { index in Task { try await pool.create("u\(index)") } }
    await hold.untilWaiting(20)
    let end = Task { await pool.shutdown() }
    while (try? await pool.names()) != nil { await Task.yield() }
    await #expect(throws: StoreError.unavailable(reason: "the database is closing")) { try await pool.create("late") }
    try await hold.release()
    for creation in creations { _ = try await creation.value }
    await end.value
    await pool.shutdown()
    // The last connection that closes takes the log with it.
    #expect(!FileManager.default.fileExists(atPath: scratch.database + "-wal"))
    let store = try UserWriter(path: scratch.database)
    #expect(try store.reader.count() == 20)
  }

  @Test("a reading job sees one state while others write")
  func snapshots() async throws {
    let scratch = try Scratch()
    let pool = try DatabasePool(scratch)
    await withTaskGroup(of: Void.self) { group in
      for lane in 0..<4 {
        group.addTask {
          for index in 0..<25 { _ = try? await pool.create("u\(lane)-\(index)") }
        }
        group.addTask {
          for _ in 0..<50 {
            let counts = try? await pool.read { (reader) throws(StoreError) in
              [try reader.count(), Int64(try reader.users(after: "").count), try reader.lastSequence()]
            }
            #expect(Set(counts ?? []).count == 1)
          }
        }
      }
    }
    #expect(try await pool.names().count == 100)
    await pool.shutdown()
  }

  @Test("a file that cannot be used is an error of the start")
  func unusableFile() throws {
    let scratch = try Scratch()
    try Data(repeating: 0x41, count: 4_096).write(to: URL(fileURLWithPath: scratch.database))
    #expect(throws: StoreError.self) { try DatabasePool(scratch) }
    #expect(throws: StoreError.self) { try DatabasePool(DatabasePool.Configuration(path: "/proc/none/users.db")) }
  }
}
