// SPDX-License-Identifier: Apache-2.0

import GRPC
import GRPCMethods
import NIOCore
import TestSupport
import Testing

@testable import GRPCClient

@Suite struct PolicyTests {
  @Test("a backoff grows by its multiplier up to its maximum, give or take its jitter")
  func backoff() {
    let backoff = Backoff(initial: .seconds(1), maximum: .seconds(10), multiplier: 2, jitter: 0.2)
    let middle = (0..<6).map { backoff.delay(after: $0, chance: 0.5).nanoseconds / 1_000_000_000 }
    #expect(middle == [1, 2, 4, 8, 10, 10])
    #expect(backoff.delay(after: 0, chance: 0) == .milliseconds(800))
    #expect(backoff.delay(after: 0, chance: 1) == .milliseconds(1_200))
    #expect(Backoff().delay(after: .max, chance: 0.5) == .seconds(120))
  }

  @Test("a backoff of senseless numbers is a time all the same", arguments: 0..<200)
  func backoffNeverTraps(seed: UInt64) {
    var generator = SeededGenerator(seed)
    let backoff = Backoff(
      initial: .nanoseconds(.random(in: .min ... .max, using: &generator)),
      maximum: .nanoseconds(.random(in: .min ... .max, using: &generator)),
      multiplier: .random(in: -10...1e9, using: &generator), jitter: .random(in: -2...2, using: &generator))
    let delay = backoff.delay(after: .random(in: -5...1_000, using: &generator))
    #expect(delay >= .zero)
  }

  // MARK: - Picking

  @Test("round robin takes one after another, also when their number changes")
  func roundRobin() {
    var picker = Picker(.roundRobin, start: 0)
    var chance = SeededGenerator(1)
    let first = (0..<6).map { _ in picker.pick(outOf: 3, using: &chance) { _ in 0 } }
    #expect(first == [1, 2, 0, 1, 2, 0])
    let second = (0..<4).map { _ in picker.pick(outOf: 2, using: &chance) { _ in 0 } }
    #expect(second == [1, 0, 1, 0])
    #expect(picker.pick(outOf: 1, using: &chance) { _ in 0 } == 0)
  }

  @Test("least request takes the least of its choices", arguments: 0..<50)
  func leastRequest(seed: UInt64) {
    var chance = SeededGenerator(seed)
    var picker = Picker(.leastRequest(choices: 10))
    var looked: [Int] = []
    let loads = (0..<20).map { _ in Int.random(in: 0..<100, using: &chance) }
    let picked = picker.pick(outOf: 20, using: &chance) { index in
      looked.append(index)
      return loads[index]
    }
    #expect(looked.count == 10)
    #expect(loads[picked] == looked.map { loads[$0] }.min())
  }

  @Test("a choice count below two is two, and one above ten is ten", arguments: [(-1, 2), (1, 2), (3, 3), (50, 10)])
  func choiceCount(asked: Int, looked: Int) {
    var chance = SeededGenerator(7)
    var picker = Picker(.leastRequest(choices: asked))
    var count = 0
    _ = picker.pick(outOf: 5, using: &chance) { _ in
      count += 1
      return 0
    }
    #expect(count == looked)
  }

  // MARK: - Retries

  private func end(_ code: StatusCode, pushback: String? = nil) -> CallEnd {
    var trailers = Metadata()
    if let pushback { try? trailers.append("grpc-retry-pushback-ms", pushback) }
    return CallEnd(status: Status(code), trailers: trailers)
  }

  private let policy = RetryPolicy(
    maxAttempts: 4, backoff: Backoff(initial: .seconds(1), maximum: .seconds(3), multiplier: 2, jitter: 0),
    retryableCodes: [.unavailable])

  @Test("a call is sent again for the statuses of its policy, as often as that says")
  func retries() {
    var state = RetryState(policy, nil)
    #expect(state.delay(after: end(.unavailable)) == .seconds(1))
    #expect(state.delay(after: end(.unavailable)) == .seconds(2))
    #expect(state.delay(after: end(.unavailable)) == .seconds(3))
    #expect(state.delay(after: end(.unavailable)) == nil)
    var other = RetryState(policy, nil)
    #expect(other.delay(after: end(.internal)) == nil)
  }

  @Test("no policy makes more than five attempts")
  func attemptsLimit() {
    var policy = policy
    policy.maxAttempts = 100
    var state = RetryState(policy, nil)
    #expect((0..<10).filter { _ in state.delay(after: end(.unavailable)) != nil }.count == 4)
  }

  @Test("a server's pushback replaces the backoff, which begins anew after it")
  func pushback() {
    var state = RetryState(policy, nil)
    #expect(state.delay(after: end(.unavailable)) == .seconds(1))
    #expect(state.delay(after: end(.unavailable, pushback: "25")) == .milliseconds(25))
    #expect(state.delay(after: end(.unavailable)) == .seconds(1))
  }

  @Test(
    "a pushback that is negative or no number ends the retries", arguments: ["-1", "", "abc", "1.5", "99999999999"])
  func pushbackStops(text: String) {
    var state = RetryState(policy, nil)
    #expect(state.delay(after: end(.unavailable, pushback: text)) == nil)
  }

  @Test("retries stop while half of the tokens are gone, and go on once successes have won some back")
  func throttling() {
    let throttle = SharedThrottle(RetryThrottling(maxTokens: 4, ratioThousandths: 500))
    var state = RetryState(policy, throttle)
    #expect(state.delay(after: end(.unavailable)) != nil)
    #expect(state.delay(after: end(.unavailable)) == nil)
    #expect(!throttle.isOpen)
    throttle.succeeded()
    #expect(throttle.isOpen)
    for _ in 0..<100 { throttle.succeeded() }
    for _ in 0..<2 { throttle.failed() }
    #expect(!throttle.isOpen)
  }

  @Test("a pushback that stops costs a token too, and a status that is not retried none")
  func tokens() {
    let throttle = SharedThrottle(RetryThrottling(maxTokens: 2, ratioThousandths: 100))
    var state = RetryState(policy, throttle)
    #expect(state.delay(after: end(.internal)) == nil)
    #expect(throttle.isOpen)
    #expect(state.delay(after: end(.unavailable, pushback: "-1")) == nil)
    #expect(!throttle.isOpen)
  }

  @Test("a hedge's failure is final unless its status says otherwise, and then the next begins at once")
  func hedges() {
    var state = HedgeState(HedgingPolicy(maxAttempts: 3, delay: 1_000_000_000, nonFatalCodes: [.unavailable]), nil)
    #expect(state.delay == .seconds(1))
    #expect(state.verdict(on: end(.internal)) == .fatal)
    #expect(state.verdict(on: end(.unavailable)) == .goOn(.zero))
    #expect(state.begin() == true)
    #expect(state.verdict(on: end(.unavailable, pushback: "30")) == .goOn(.milliseconds(30)))
    #expect(state.begin() == true)
    #expect(state.delay == nil)
    #expect(state.begin() == false)
    #expect(state.verdict(on: end(.unavailable)) == .goOn(nil))
    var stopped = HedgeState(HedgingPolicy(maxAttempts: 3, delay: 0, nonFatalCodes: [.unavailable]), nil)
    #expect(stopped.verdict(on: end(.unavailable, pushback: "-1")) == .goOn(nil))
    #expect(stopped.begin() == false)
  }

  // MARK: - Keepalive

  private func clock(withoutCalls: Bool = false) -> KeepaliveClock {
    var policy = ClientKeepalive()
    policy.timeout = .seconds(5)
    policy.permitsWithoutCalls = withoutCalls
    return KeepaliveClock(policy, time: .seconds(10))
  }

  private func second(_ number: Int64) -> NIODeadline { .uptimeNanoseconds(1_000_000_000) + .seconds(number) }

  @Test("a silent connection with a call is asked, and given up where it stays silent")
  func keepalive() {
    var clock = clock()
    #expect(clock.nextLook(lastReceived: second(0)) == nil)
    clock.hasCalls = true
    #expect(clock.nextLook(lastReceived: second(0)) == second(10))
    #expect(clock.nextLook(lastReceived: second(0)) == nil)
    #expect(clock.look(second(10), lastReceived: second(0)) == .ping)
    #expect(clock.nextLook(lastReceived: second(0)) == second(15))
    #expect(clock.look(second(15), lastReceived: second(0)) == .giveUp)
  }

  @Test("whatever comes in is a sign of life")
  func signOfLife() {
    var clock = clock(withoutCalls: true)
    #expect(clock.nextLook(lastReceived: second(0)) == second(10))
    #expect(clock.look(second(10), lastReceived: second(4)) == .wait)
    #expect(clock.nextLook(lastReceived: second(4)) == second(14))
    #expect(clock.look(second(14), lastReceived: second(4)) == .ping)
    #expect(clock.nextLook(lastReceived: second(16)) == second(19))
    #expect(clock.look(second(19), lastReceived: second(16)) == .wait)
    #expect(clock.nextLook(lastReceived: second(16)) == second(26))
  }

  // MARK: - Requests that may be sent again

  @Test("a replay buffer holds what was appended and not discarded", arguments: 0..<50)
  func replay(seed: UInt64) {
    var generator = SeededGenerator(seed)
    var buffer = ReplayBuffer()
    var model: [[UInt8]] = []
    var start = 0
    for _ in 0..<300 {
      if Int.random(in: 0..<3, using: &generator) > 0 {
        let frame = [UInt8](
          repeating: .random(in: 0...255, using: &generator), count: .random(in: 0..<9, using: &generator))
        buffer.append(frame)
        model.append(frame)
      } else {
        let index = Int.random(in: -2...model.count + 2, using: &generator)
        buffer.discard(before: index)
        start = min(max(start, index), model.count)
      }
      #expect(buffer.endIndex == model.count)
      #expect(buffer.bytes == model[start...].map(\.count).reduce(0, +))
      for index in -1...model.count {
        #expect(buffer[index] == (index >= start && index < model.count ? model[index] : nil))
        guard index >= start, index <= model.count else { continue }
        #expect(buffer.bytes(from: index) == model[index...].map(\.count).reduce(0, +))
      }
    }
  }
}
