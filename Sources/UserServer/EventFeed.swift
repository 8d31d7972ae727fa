// SPDX-License-Identifier: Apache-2.0

internal import Schemas
internal import Synchronization
internal import UserStore

/// What happened lately, for every call of this replica that listens.
///
/// The latest entries of the outbox are kept once for all, and each listener has nothing but a position among them:
/// thousands of slow ones cost no more memory than one. One that falls behind the entries that are kept reads on in the
/// database, as fast as its client takes them.
///
/// ```
///                  floor                          head
///   in the database  │ kept here, at most twice the │
///   ─────────────────┤ capacity                     ├─► published next
///      ▲ behind             ▲ has news                ▲ waits
/// ```
final class EventFeed: Sendable {
  /// What a listener wants to hear of.
  enum Topic: Hashable, Sendable {
    /// Changes of users.
    case users
    /// What is said in a room.
    case room(String)
  }

  /// What a listener gets.
  enum News: Equatable, Sendable {
    /// Entries of the topic, in order; the listener has then heard all up to a sequence.
    case entries([OutboxEntry], through: Int64)
    /// Entries behind the listener's position are not here any more: it has to ask the database.
    case behind
  }

  /// So many entries are kept at least. An entry has 5 KB at most.
  static let defaultCapacity = 1_024

  private let capacity: Int
  private let state = Mutex(FeedState())

  /// A feed that nothing was published to.
  init(capacity: Int = defaultCapacity) { self.capacity = max(1, capacity) }

  /// How many listeners wait.
  var waiterCount: Int { state.withLock { $0.waiterCount } }

  // MARK: - Publishing

  /// The sequence up to which everything was published; nil in the beginning.
  var head: Int64? { state.withLock { $0.floor == nil ? nil : $0.head } }

  /// Whether anybody would hear of what is published.
  var hasListeners: Bool { state.withLock { $0.listeners > 0 } }

  /// Publishes what stands behind the head, in order, without a gap.
  func publish(_ entries: [OutboxEntry]) {
    let woken = state.withLock { $0.publish(entries, capacity: capacity) }
    wake(woken)
  }

  /// Goes on behind a sequence without what came before it: listeners that miss it ask the database.
  func skip(to sequence: Int64) {
    let woken = state.withLock { $0.skip(to: sequence) }
    wake(woken)
  }

  private func wake(_ woken: [FeedState.Woken]) {
    for (waiter, news) in woken { waiter.continuation.resume(returning: news) }
  }

  // MARK: - Listening

  /// Runs the body of a call that listens: what happens from now on is published.
  func listening(_ body: () async throws -> Void) async rethrows {
    state.withLock { $0.listeners += 1 }
    defer { state.withLock { $0.listeners -= 1 } }
    try await body()
  }

  /// What concerns the topic behind a position, waited for. Throws once the task is cancelled.
  func news(of topic: Topic, after position: Int64) async throws(CancellationError) -> News {
    let id = state.withLock { state in
      state.lastWaiter += 1
      return state.lastWaiter
    }
    let news = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: FeedState.Waiter.Continuation) in
        let ready = state.withLock { state -> News?? in
          // Whoever cancels finds the waiter in its place, or is found out here.
          if Task.isCancelled { return .some(nil) }
          if let news = state.news(of: topic, after: position) { return news }
          state.wait(id, for: topic, behind: position, continuation)
          return nil
        }
        if let ready { continuation.resume(returning: ready) }
      }
    } onCancel: {
      let waiter = state.withLock { $0.take(waiter: id, of: topic) }
      waiter?.continuation.resume(returning: nil)
    }
    guard let news else { throw CancellationError() }
    return news
  }
}

extension EventFeed.Topic {
  /// The topic of an entry; nil where no listener would understand it.
  init?(_ entry: OutboxEntry) {
    switch entry.content {
    case .user: self = .users
    case .chat(let message): self = .room(message.room)
    case .unknown: return nil
    }
  }
}
