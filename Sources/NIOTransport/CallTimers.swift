// SPDX-License-Identifier: Apache-2.0

public import NIOCore

/// What a ``CallTimers`` entry wakes.
public protocol CallTimerTarget: AnyObject {
  /// The entry's time has come. Called once, on the loop's thread.
  func timerFired()
  /// Whether the entry is no longer wanted: it is dropped without a call.
  var isTimerObsolete: Bool { get }
}

/// The deadlines of an event loop's calls: a heap with one timer of the loop for the earliest of them.
///
/// Calls come and go far more often than deadlines pass, so an entry is not taken out when its call ends: it is dropped
/// when it comes up, or when obsolete entries are the most. A timer of the loop for each call would cost more than the
/// call.
///
/// It belongs to the loop's thread.
public final class CallTimers: @unchecked Sendable {
  private struct Entry {
    let time: NIODeadline
    let target: any CallTimerTarget
  }

  private let loop: any EventLoop
  private var heap: [Entry] = []
  private var scheduled: (time: NIODeadline, timer: Scheduled<Void?>)?
  private var sweepSize = 1_024

  /// Timers of a loop.
  public init(_ loop: any EventLoop) { self.loop = loop }

  /// Entries held, obsolete ones included.
  public var count: Int { heap.count }

  /// Calls the target at a time, unless it is obsolete by then. The target is held until its entry is dropped.
  public func schedule(_ target: any CallTimerTarget, at time: NIODeadline) {
    if heap.count >= sweepSize { sweep() }
    heap.append(Entry(time: time, target: target))
    siftUp(heap.count - 1)
    arm()
  }

  private func arm() {
    guard let first = heap.first else { return }
    if let scheduled, scheduled.time <= first.time { return }
    scheduled?.timer.cancel()
    let timer = loop.scheduleTask(deadline: first.time) { [weak self] in self?.fire() }
    scheduled = (first.time, timer)
  }

  private func fire() {
    scheduled = nil
    let now = NIODeadline.now()
    while let first = heap.first, first.time <= now || first.target.isTimerObsolete {
      removeFirst()
      if !first.target.isTimerObsolete { first.target.timerFired() }
    }
    arm()
  }

  /// Drops obsolete entries, and looks again when twice as many as are left have come.
  private func sweep() {
    heap.removeAll { $0.target.isTimerObsolete }
    for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(index) }
    sweepSize = max(1_024, heap.count * 2)
  }

  private func removeFirst() {
    let last = heap.removeLast()
    guard !heap.isEmpty else { return }
    heap[0] = last
    siftDown(0)
  }

  private func siftUp(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].time < heap[parent].time else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private func siftDown(_ start: Int) {
    var parent = start
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].time < heap[least].time {
        least = child
      }
      guard least != parent else { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }

  deinit { scheduled?.timer.cancel() }
}
