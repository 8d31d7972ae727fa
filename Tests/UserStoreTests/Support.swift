// SPDX-License-Identifier: Apache-2.0

import Foundation
import Schemas
import Synchronization
import Testing

@testable import UserStore

/// A folder of a test's own that goes with it.
final class Scratch: Sendable {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("sonde-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  var path: String { folder.appendingPathComponent("users.db").path }
}

/// The same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A clock that goes on by a millisecond each time it is asked.
final class SteppingClock: Sendable {
  private let time: Atomic<Int64>
  init(_ start: Int64 = 1_800_000_000_000_000) { time = Atomic(start) }
  var clock: Clock { { self.time.add(1_000, ordering: .relaxed).newValue } }
}

/// A user with a name.
func user(_ name: String, _ change: (inout User_V1_User) -> Void = { _ in }) -> User_V1_User {
  var user = User_V1_User()
  user.name = name
  user.email = name + "@example.com"
  change(&user)
  return user
}

/// A store in memory with a clock of its own.
func memoryStore() throws -> UserWriter { try UserWriter(path: ":memory:", clock: SteppingClock().clock) }

/// What a request for a page says.
func pageRequest(size: Int32 = 0, token: String = "", filter: String = "") -> User_V1_ListUsersRequest {
  var request = User_V1_ListUsersRequest()
  request.pageSize = size
  request.pageToken = token
  request.filter = filter
  return request
}

/// The violations of a request that is refused.
func violations(_ work: () throws(StoreError) -> Void) -> [FieldViolation] {
  do throws(StoreError) { try work() } catch {
    if case .invalidArgument(let violations) = error { return violations }
  }
  return []
}

/// A clock that jumps forwards and backwards, the same way for the same seed.
final class SeededClock: Sendable {
  private let random: Mutex<SeededGenerator>
  init(_ seed: UInt64) { random = Mutex(SeededGenerator(seed)) }
  var clock: Clock {
    { self.random.withLock { 1_800_000_000_000_000 + Int64.random(in: 0...1_000_000_000, using: &$0) } }
  }
}
