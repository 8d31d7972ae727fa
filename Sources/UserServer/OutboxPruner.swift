// SPDX-License-Identifier: Apache-2.0

internal import Logging
internal import UserStore

/// Removes old events. Every replica does, and finds nothing where another was there before.
struct OutboxPruner: Sendable {
  /// So many events are kept at most, however young they are: a few gigabytes.
  static let maxEvents = 1_000_000
  /// So many are removed in one transaction: others wait to write meanwhile.
  static let batchSize = 1_000

  /// What is longer is for ever.
  private static let maxRetention = Duration.seconds(1_000_000_000)

  let pool: DatabasePool
  let retention: Duration
  let logger: Logger

  /// How often it looks: events stay a tenth longer than promised, or a minute.
  private var interval: Duration { min(.seconds(60), max(.milliseconds(100), retention / 10)) }

  /// Prunes until the task is cancelled.
  func run() async {
    repeat {
      do throws(StoreError) {
        while try await prune() == Self.batchSize {}
      } catch .cancelled {
      } catch {
        logger.notice("old events stay: the outbox cannot be pruned", metadata: ["error": "\(error)"])
      }
    } while (try? await Task.sleep(for: interval)) != nil
  }

  /// Removes one batch, and says how many.
  func prune() async throws(StoreError) -> Int {
    let age = min(retention, Self.maxRetention).components
    let microseconds = age.seconds * 1_000_000 + age.attoseconds / 1_000_000_000_000
    return try await pool.write { (writer) throws(StoreError) in
      try writer.pruneEvents(olderThan: microseconds, keeping: Self.maxEvents, limit: Self.batchSize)
    }
  }
}
