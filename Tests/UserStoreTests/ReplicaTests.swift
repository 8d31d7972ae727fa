// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Schemas
import Synchronization
import TestSupport
import Testing

@testable import UserStore

@Suite struct ReplicaTests {
  @Test("replicas that start on a new file at once share its schema and its key")
  func racingStart() async throws {
    let scratch = try Scratch()
    let pools = Mutex<[DatabasePool]>([])
    DispatchQueue.concurrentPerform(iterations: 6) { _ in
      do {
        let pool = try DatabasePool(scratch)
        pools.withLock { $0.append(pool) }
      } catch {
        Issue.record("\(error)")
      }
    }
    let all = pools.withLock { $0 }
    #expect(all.count == 6)
    for (index, pool) in all.enumerated() { _ = try await pool.create("u\(index)") }
    var token = ""
    var names: [String] = []
    for pool in all {
      let request = pageRequest(size: 1, token: token)
      let page = try await pool.read { (reader) throws(StoreError) in try reader.page(request) }
      names += page.users.map(\.name)
      token = page.nextPageToken
    }
    #expect(Set(names).count == 6)
    #expect(token == "")
    for pool in all { await pool.shutdown() }
  }

  @Test("each replica hears what any of them wrote, once and in one order")
  func sharedEvents() async throws {
    let scratch = try Scratch()
    let pools = [try DatabasePool(scratch), try DatabasePool(scratch)]
    await withTaskGroup(of: Void.self) { group in
      for (number, pool) in pools.enumerated() {
        group.addTask {
          for index in 0..<40 {
            // Every second address is taken by whoever comes first.
            _ = try? await pool.create(index % 2 == 0 ? "both\(index)" : "own\(number)-\(index)")
          }
        }
      }
    }
    var heard: [[OutboxEntry]] = []
    for pool in pools {
      var entries: [OutboxEntry] = []
      while true {
        let last = entries.last?.sequence ?? 0
        let more = try await pool.read { (reader) throws(StoreError) in try reader.events(after: last, limit: 7) }
        if more.isEmpty { break }
        entries += more
      }
      heard.append(entries)
    }
    #expect(heard[0] == heard[1])
    #expect(heard[0].map(\.sequence) == Array(1...60))
    let counts = try await pools[0].read { (reader) throws(StoreError) in try reader.count() }
    #expect(counts == 60)
    for pool in pools { await pool.shutdown() }
  }

  @Test("while another process keeps the lock, writing is unavailable and reading goes on")
  func foreignLock() async throws {
    let scratch = try Scratch()
    let pool = try DatabasePool(scratch) { $0.busyTimeout = 0 }
    _ = try await pool.create("a")
    let other = try Helper("lock", scratch.database)
    #expect(other.line() == "locked")
    let error = await #expect(throws: StoreError.self) { try await pool.create("b") }
    guard case .unavailable(let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains("locked"))
    #expect(try await pool.names() == ["a"])
    let health = await pool.checkHealth()
    #expect(health.readFailure == nil)
    #expect(health.writeFailure == error)
    other.finish()
    #expect(try await pool.create("b").name == "b")
    await pool.shutdown()
  }
}
