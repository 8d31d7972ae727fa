// SPDX-License-Identifier: Apache-2.0

import SQLite
import Schemas
import TestSupport
import Testing

@testable import UserStore

@Suite struct FullDiskTests {
  /// A file system of one mebibyte, unmounted at the end; nil where this process may not mount.
  private final class TinyDisk {
    let scratch: Scratch

    init?() throws {
      scratch = try Scratch()
      guard Self.run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", scratch.folder) else { return nil }
    }

    deinit { _ = Self.run("umount", scratch.folder) }

    func grow() -> Bool { Self.run("mount", "-o", "remount,size=16m", scratch.folder) }

    private static func run(_ arguments: String...) -> Bool { (try? Command(arguments))?.code == 0 }
  }

  @Test("on a full disk, creations fail by name, nothing acknowledged is lost, reading goes on, and space heals it")
  func full() async throws {
    guard let disk = try TinyDisk() else {
      print("skipped: a full disk needs a file system of its own, and this process may not mount one")
      return
    }
    let pool = try DatabasePool(disk.scratch)
    var created: Set<String> = []
    var failures: [StoreError] = []
    for round in 0..<100 where failures.isEmpty {
      await withTaskGroup(of: Result<String, StoreError>.self) { group in
        for index in 0..<50 {
          group.addTask {
            do throws(StoreError) { return .success(try await pool.create("u\(round)-\(index)").name) } catch {
              return .failure(error)
            }
          }
        }
        for await result in group {
          switch result {
          case .success(let name): created.insert(name)
          case .failure(let error): failures.append(error)
          }
        }
      }
    }
    #expect(!failures.isEmpty)
    #expect(failures.allSatisfy { $0 == .storageFull }, "\(failures.first { $0 != .storageFull } as Any)")
    await #expect(throws: StoreError.storageFull) {
      // A page that is large enough not to fit into what is left.
      try await pool.write { (writer) throws(StoreError) in
        for index in 0..<2_000 { _ = try writer.create(user("x\(index)")) }
      }
    }
    let count = try await pool.read { (reader) throws(StoreError) in try reader.count() }
    #expect(count == Int64(created.count))
    #expect(await pool.checkHealth().readFailure == nil)

    #expect(disk.grow())
    #expect(try await pool.create("after").name == "after")
    #expect(await pool.checkHealth().writeFailure == nil)
    await pool.shutdown()
    let store = try UserWriter(path: disk.scratch.database)
    try store.database.verify()
    #expect(try store.reader.count() == Int64(created.count + 1))
  }
}
