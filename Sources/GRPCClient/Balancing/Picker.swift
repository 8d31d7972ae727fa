// SPDX-License-Identifier: Apache-2.0

internal import GRPC

/// Chooses one of several servers that are ready.
struct Picker {
  private let policy: LoadBalancing
  private var last: Int

  /// Choices to look at, at least and at most.
  private static let choiceCounts = 2...10

  /// A picker whose first choice is a matter of chance, so that many clients do not begin with the same server.
  init(_ policy: LoadBalancing, start: Int = .random(in: 0..<1 << 16)) {
    self.policy = policy
    last = start
  }

  /// The index of the server for the next call, out of so many, at least one; `load` gives the calls that one has.
  mutating func pick(
    outOf count: Int, using chance: inout some RandomNumberGenerator, load: (Int) -> Int
  ) -> Int {
    guard count > 1 else { return 0 }
    switch policy {
    case .pickFirst: return 0
    case .roundRobin:
      last = (last &+ 1) % count
      return last
    case .leastRequest(let choices):
      let choices = min(max(choices, Self.choiceCounts.lowerBound), Self.choiceCounts.upperBound)
      var best = Int.random(in: 0..<count, using: &chance)
      var least = load(best)
      for _ in 1..<choices {
        let other = Int.random(in: 0..<count, using: &chance)
        let load = load(other)
        if load < least { (best, least) = (other, load) }
      }
      return best
    }
  }
}
