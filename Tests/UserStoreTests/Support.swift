// SPDX-License-Identifier: Apache-2.0

import Schemas
import Synchronization
import TestSupport
import Testing

@testable import UserStore

extension Scratch {
  /// The file of a test's users.
  var database: String { path("users.db") }
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
