// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOEmbedded
import Testing

@testable import NIOTransport

/// A target that notes when it was called.
private final class Target: CallTimerTarget {
  let number: Int
  let fired: (Int) -> Void
  var isTimerObsolete = false

  init(_ number: Int, fired: @escaping (Int) -> Void) {
    self.number = number
    self.fired = fired
  }

  func timerFired() { fired(number) }
}

@Suite struct CallTimersTests {
  @Test("timers fire in the order of their times and not before, whatever the order in which they were set")
  func order() {
    let loop = EmbeddedEventLoop()
    let timers = CallTimers(loop)
    let now = NIODeadline.now()
    var fired: [Int] = []
    // In the past, so that the wall clock is beyond them when the loop's own clock is.
    for number in (0..<500).shuffled() {
      timers.schedule(Target(number) { fired.append($0) }, at: now - .seconds(Int64(1_000 - number)))
    }
    loop.advanceTime(to: now)
    #expect(fired == Array(0..<500))
    #expect(timers.count == 0)
  }

  @Test("a timer whose time has not come does not fire, and an obsolete one never does")
  func obsolete() {
    let loop = EmbeddedEventLoop()
    let timers = CallTimers(loop)
    let now = NIODeadline.now()
    var fired: [Int] = []
    let gone = Target(1) { fired.append($0) }
    timers.schedule(gone, at: now - .seconds(2))
    timers.schedule(Target(2) { fired.append($0) }, at: now - .seconds(1))
    timers.schedule(Target(3) { fired.append($0) }, at: now + .hours(1))
    gone.isTimerObsolete = true
    loop.advanceTime(to: now)
    #expect(fired == [2])
    #expect(timers.count == 1)
  }

  @Test("obsolete entries are dropped before they are the most, so that calls leave no memory behind")
  func bounded() {
    let timers = CallTimers(EmbeddedEventLoop())
    let later = NIODeadline.now() + .hours(1)
    for number in 0..<100_000 {
      let target = Target(number) { _ in }
      timers.schedule(target, at: later)
      target.isTimerObsolete = true
    }
    #expect(timers.count <= 2_048)
  }
}
