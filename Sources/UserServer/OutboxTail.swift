// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import UserStore

/// Follows the outbox and publishes what it finds: one task for all of a replica's listeners.
///
/// It looks when this replica has written, which is at once, and every ``pollInterval`` for what others wrote.
struct OutboxTail: Sendable {
  /// How late this replica may hear of what others wrote.
  static let pollInterval = Duration.milliseconds(150)

  let pool: DatabasePool
  let feed: EventFeed
  let bell: Doorbell
  let logger: Logger

  /// Follows until the task is cancelled. To be called once.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        repeat { bell.ring() } while (try? await Task.sleep(for: Self.pollInterval)) != nil
      }
      var isFailing = false
      for await _ in bell.rings {
        let failure = await follow()
        if let failure, !isFailing {
          logger.warning("events wait: the outbox cannot be read", metadata: ["error": "\(failure)"])
        }
        isFailing = failure != nil
      }
    }
  }

  /// Publishes everything up to the end of the outbox. Returns what was in the way.
  func follow() async -> StoreError? {
    do throws(StoreError) {
      var isBehind = true
      while isBehind {
        guard feed.hasListeners, let head = feed.head else {
          let last = try await pool.read { (reader) throws(StoreError) in try reader.lastSequence() }
          if last != feed.head { feed.skip(to: last) }
          return nil
        }
        let entries = try await pool.read { (reader) throws(StoreError) in try reader.events(after: head) }
        feed.publish(entries)
        isBehind = entries.count == UserReader.maxBatchSize
      }
      return nil
    } catch .eventsPruned(let oldestSequence) {
      feed.skip(to: oldestSequence - 1)
      return nil
    } catch .cancelled {
      return nil
    } catch {
      return error
    }
  }
}

/// Wakes one task, however often it is rung before that has woken.
struct Doorbell: Sendable {
  /// An element for each time that it was rung since the last one. For one task.
  let rings: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() { (rings, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

  /// Rings; from any thread, without waiting.
  func ring() { continuation.yield() }
}
