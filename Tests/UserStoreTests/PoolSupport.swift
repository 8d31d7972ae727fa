// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Schemas
import Synchronization
import TestSupport
import Testing

@testable import UserStore

extension DatabasePool {
  /// A pool on a test's file.
  convenience init(_ scratch: Scratch, _ change: (inout Configuration) -> Void = { _ in }) throws {
    var configuration = Configuration(path: scratch.database)
    change(&configuration)
    try self.init(configuration)
  }

  func create(_ name: String) async throws(StoreError) -> User_V1_User {
    let user = user(name)
    return try await write { (writer) throws(StoreError) in try writer.create(user) }
  }

  func names() async throws(StoreError) -> [String] {
    try await read { (reader) throws(StoreError) in try reader.users(after: "").map(\.name) }
  }
}

/// Keeps the writing thread of a pool busy, so that a test knows what waits behind it.
final class WriterHold: Sendable {
  private let hasBegun = Atomic(false)
  private let gate = DispatchSemaphore(value: 0)
  private let pool: DatabasePool
  private let holding: Mutex<Task<Void, any Error>?> = Mutex(nil)

  init(_ pool: DatabasePool) async {
    self.pool = pool
    let task = Task {
      try await self.pool.write { (_) throws(StoreError) in
        self.hasBegun.store(true, ordering: .releasing)
        self.gate.wait()
      }
    }
    holding.withLock { $0 = task }
    while !hasBegun.load(ordering: .acquiring) { await Task.yield() }
  }

  /// Waits until so many writes wait.
  func untilWaiting(_ count: Int) async {
    while pool.writeLoad.waiting < count { await Task.yield() }
  }

  func release() async throws {
    gate.signal()
    try await holding.withLock { $0 }?.value
  }
}

/// A thread whose batch ends when a test says so.
final class HeldThread: BatchingThread {
  private struct State {
    var ends: [(key: ObjectIdentifier, body: @Sendable () -> Void)] = []
    var batches = 0
  }

  private let state = Mutex(State())

  func atBatchEnd(once key: AnyObject, _ body: @escaping @Sendable () -> Void) {
    let key = ObjectIdentifier(key)
    state.withLock { state in
      if !state.ends.contains(where: { $0.key == key }) { state.ends.append((key, body)) }
    }
  }

  func runBatch(_ body: @escaping @Sendable () -> Void) {
    state.withLock { $0.batches += 1 }
    body()
  }

  /// How many wait for the batch's end.
  var waiting: Int { state.withLock { $0.ends.count } }
  /// Batches that the pool had run.
  var batches: Int { state.withLock { $0.batches } }

  func endBatch() {
    let ends = state.withLock { state in
      defer { state.ends = [] }
      return state.ends
    }
    for end in ends { end.body() }
  }
}

/// Another process on the same file.
final class Helper {
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()

  /// Starts the helper in one of its modes.
  init(_ mode: String, _ path: String) throws {
    let tests = URL(fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    process.executableURL = tests.deletingLastPathComponent().appendingPathComponent("store-test-helper")
    process.arguments = [mode, path]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  /// The next line that it prints, without its end; what there is where it ended.
  func line() -> String {
    var line: [UInt8] = []
    while let byte = try? output.fileHandleForReading.read(upToCount: 1)?.first, byte != 0x0A { line.append(byte) }
    return String(decoding: line, as: UTF8.self)
  }

  /// Kills it as the kernel does when memory runs out. Returns the lines that were not read yet.
  func kill() -> [String] {
    Foundation.kill(process.processIdentifier, SIGKILL)
    let rest = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: rest, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// Closes its input and waits for its end.
  func finish() {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}
