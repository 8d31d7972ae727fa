// SPDX-License-Identifier: Apache-2.0

internal import UserStore

/// What an ``EventFeed`` keeps under its lock. Its methods decide who is woken; the feed wakes them, without the lock.
struct FeedState {
  typealias Woken = (waiter: Waiter, news: EventFeed.News)

  struct Waiter {
    typealias Continuation = CheckedContinuation<EventFeed.News?, Never>

    let position: Int64
    let continuation: Continuation
  }

  var listeners = 0
  var lastWaiter = 0
  /// Everything up to it was published, or skipped.
  private(set) var head: Int64 = 0
  /// Everything behind it is in `recent`; nil until somebody has looked into the outbox.
  private(set) var floor: Int64?
  private var recent: [(topic: EventFeed.Topic?, entry: OutboxEntry)] = []
  private var waiters: [EventFeed.Topic: [Int: Waiter]] = [:]

  var waiterCount: Int { waiters.values.reduce(0) { $0 + $1.count } }

  // MARK: - Publishing

  /// Appends entries, forgets old ones beyond twice the capacity, and takes out the waiters that they are news for.
  mutating func publish(_ entries: [OutboxEntry], capacity: Int) -> [Woken] {
    guard let last = entries.last else { return [] }
    for entry in entries { recent.append((EventFeed.Topic(entry), entry)) }
    head = last.sequence
    if recent.count > 2 * capacity {
      let excess = recent.count - capacity
      floor = recent[excess - 1].entry.sequence
      recent.removeFirst(excess)
    }
    var woken: [Woken] = []
    for (topic, entries) in Dictionary(grouping: entries, by: EventFeed.Topic.init) {
      guard let topic, let waiting = waiters[topic] else { continue }
      for (id, waiter) in waiting {
        // Nearly always all: a waiter stands at the head, unless it has read further in the database by itself.
        let news = entries.filter { $0.sequence > waiter.position }
        guard !news.isEmpty else { continue }
        take(waiter: id, of: topic)
        woken.append((waiter, .entries(news, through: head)))
      }
    }
    return woken
  }

  /// Forgets everything up to a sequence, and takes out the waiters that miss it.
  mutating func skip(to sequence: Int64) -> [Woken] {
    recent = []
    floor = sequence
    head = sequence
    var woken: [Woken] = []
    for (topic, waiting) in waiters {
      for (id, waiter) in waiting where waiter.position < sequence {
        take(waiter: id, of: topic)
        woken.append((waiter, .behind))
      }
    }
    return woken
  }

  // MARK: - Listening

  /// What there is at once; nil where the listener has to wait.
  func news(of topic: EventFeed.Topic, after position: Int64) -> EventFeed.News? {
    guard let floor else { return nil }
    guard position >= floor else { return .behind }
    let first = recent.lastIndex { $0.entry.sequence <= position }.map { $0 + 1 } ?? 0
    let entries = recent[first...].filter { $0.topic == topic }.map(\.entry)
    return entries.isEmpty ? nil : .entries(entries, through: head)
  }

  /// Puts a waiter in its place. One that was told that there is nothing has heard all up to the head.
  mutating func wait(
    _ id: Int, for topic: EventFeed.Topic, behind position: Int64, _ continuation: Waiter.Continuation
  ) {
    let position = floor == nil ? position : max(position, head)
    waiters[topic, default: [:]][id] = Waiter(position: position, continuation: continuation)
  }

  /// Takes a waiter out; nil where it was woken before.
  @discardableResult
  mutating func take(waiter id: Int, of topic: EventFeed.Topic) -> Waiter? {
    guard let waiter = waiters[topic]?.removeValue(forKey: id) else { return nil }
    if waiters[topic]?.isEmpty == true { waiters[topic] = nil }
    return waiter
  }
}
