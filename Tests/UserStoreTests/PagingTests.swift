// SPDX-License-Identifier: Apache-2.0

import SQLite
import Schemas
import TestSupport
import Testing

@testable import UserStore

@Suite struct PagingTests {
  @Test("pages have the size that was asked for, within bounds, and the last one says so")
  func sizes() throws {
    let store = try memoryStore()
    _ = try store.create((0..<120).map { user("u\($0)") })
    func sizes(_ size: Int32) throws -> [Int] {
      var sizes: [Int] = []
      var token = ""
      repeat {
        let page = try store.reader.page(pageRequest(size: size, token: token))
        #expect(page.totalSize == 120)
        sizes.append(page.users.count)
        token = page.nextPageToken
      } while !token.isEmpty
      return sizes
    }
    #expect(try sizes(0) == [50, 50, 20])
    #expect(try sizes(60) == [60, 60])
    #expect(try sizes(100) == [100, 20])
    #expect(try sizes(Int32.max) == [100, 20])
    #expect(try memoryStore().reader.page(pageRequest()) == User_V1_ListUsersResponse())
  }

  @Test("with a filter the total is unknown")
  func total() throws {
    let store = try memoryStore()
    _ = try store.create(user("ada"))
    #expect(try store.reader.page(pageRequest(filter: "name = ada")).totalSize == 0)
    #expect(try store.reader.page(pageRequest(filter: "  ")).totalSize == 1)
  }

  @Test("all that is wrong with a request is told at once")
  func violationsOfARequest() throws {
    let store = try memoryStore()
    let found = violations { () throws(StoreError) in
      _ = try store.reader.page(pageRequest(size: -1, token: "forged", filter: "role ="))
    }
    #expect(found.map(\.field) == ["page_size", "filter", "page_token"])
  }

  @Test("a token goes with its filter, and the size of a page may change")
  func tokens() throws {
    let store = try memoryStore()
    _ = try store.create((0..<10).map { user("u\($0)") })
    let first = try store.reader.page(pageRequest(size: 3, filter: "name:u"))
    #expect(
      violations { () throws(StoreError) in
        _ = try store.reader.page(pageRequest(size: 3, token: first.nextPageToken))
      }.map(\.field) == ["page_token"])
    let second = try store.reader.page(pageRequest(size: 5, token: first.nextPageToken, filter: "name:u"))
    #expect((first.users + second.users).map(\.name) == (0..<8).map { "u\($0)" })
    let other = try memoryStore()
    #expect(
      violations { () throws(StoreError) in
        _ = try other.reader.page(pageRequest(token: first.nextPageToken, filter: "name:u"))
      }.map(\.field) == ["page_token"])
  }

  @Test("whoever stays while pages are turned is seen once, whoever comes and goes", arguments: 0..<20)
  func churn(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    // A clock that jumps, so that new users land in front of and behind the page.
    let jumps = SeededClock(seed)
    let store = try UserWriter(path: ":memory:", clock: jumps.clock)
    var living: [String] = try store.create((0..<60).map { user("u\($0)") }).map { try $0.get().id }
    var stayed = Set(living)
    var seen: [String] = []
    var token = ""
    var number = 60
    let filter = Bool.random(using: &random) ? "name:u" : ""
    repeat {
      let size = Int32.random(in: 1...9, using: &random)
      let page = try store.reader.page(pageRequest(size: size, token: token, filter: filter))
      seen += page.users.map(\.id)
      token = page.nextPageToken
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        if Bool.random(using: &random), let index = living.indices.randomElement(using: &random) {
          let id = living.remove(at: index)
          stayed.remove(id)
          try store.delete(id)
        } else {
          living.append(try store.create(user("u\(number)")).id)
          number += 1
        }
      }
    } while !token.isEmpty
    #expect(Set(seen).count == seen.count)
    #expect(seen == seen.sorted())
    #expect(stayed.isSubset(of: seen))
    #expect(try store.reader.count() == Int64(living.count))
  }

  @Test("page 1,000 is found by its key, not by counting")
  func keyset() throws {
    let store = try memoryStore()
    let plan = try store.database.rows(
      "EXPLAIN QUERY PLAN SELECT name FROM users WHERE id > \("x") ORDER BY id LIMIT 5"
    ) {
      $0.text(3)
    }
    #expect(plan == ["SEARCH users USING PRIMARY KEY (id>?)"])
    let byRole = try store.database.rows(
      "EXPLAIN QUERY PLAN SELECT name FROM users WHERE id > \("x") AND role = \(1) ORDER BY id LIMIT 5"
    ) { $0.text(3) }
    #expect(byRole.allSatisfy { !$0.contains("TEMP B-TREE") })
  }

  @Test("an export gets everybody once, batch by batch")
  func export() throws {
    let store = try memoryStore()
    _ = try store.create((0..<25).map { user("u\($0)") })
    var names: [String] = []
    var last = ""
    while true {
      let batch = try store.reader.users(after: last, filter: UserFilter("NOT name = u7"), limit: 4)
      guard let end = batch.last else { break }
      names += batch.map(\.name)
      last = end.id
    }
    #expect(names == (0..<25).filter { $0 != 7 }.map { "u\($0)" })
    #expect(try store.reader.users(after: "", limit: -1) == [])
  }
}
