// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
internal import GRPCServer
internal import Schemas
internal import ServiceMethods
internal import UserStore

/// Answers WatchUsers: every change of a user from now on, or behind an event that the caller knows.
///
/// A client that reads slowly hears everything all the same: it falls behind the feed and is served from the outbox,
/// until it comes near the present again. Only one that falls behind what the outbox keeps is sent away, with
/// OUT_OF_RANGE, as one that comes back too late is.
struct UserWatch {
  let pool: DatabasePool
  let feed: EventFeed

  var handler: MethodHandler {
    handle(UserService.watchUsers, options: MethodOptions(endsOnDrain: true)) { [pool, feed] request, writer, _ in
      guard request.afterSequence >= 0 else {
        throw StoreError.invalidArgument([FieldViolation("after_sequence", "is not negative")])
      }
      try await feed.listening {
        let last = try await pool.read { (reader) throws(StoreError) in try reader.lastSequence() }
        guard request.afterSequence <= last else { throw UserErrors.noSuchEvent(request.afterSequence, last: last) }
        let listener = Listener(topic: .users, pool: pool, feed: feed)
        // The watch stands: whoever waits for the leading metadata misses nothing that happens behind it.
        try await writer.sendHeaders()
        var position = request.afterSequence > 0 ? request.afterSequence : last
        while true {
          let (entries, through) = try await listener.next(after: position)
          for entry in entries {
            if case .user(let event) = entry.content { try await writer.write(event) }
          }
          position = through
        }
      }
    }
  }
}

/// A call that listens to a topic, wherever it finds what is new.
struct Listener {
  /// Entries of the outbox that are read at once.
  private static let batchSize = 500

  let topic: EventFeed.Topic
  let pool: DatabasePool
  let feed: EventFeed

  /// The entries of the topic behind a position, waited for, and the position behind them. There may be none, where
  /// those of the outbox are for others.
  func next(after position: Int64) async throws -> (entries: [OutboxEntry], through: Int64) {
    switch try await feed.news(of: topic, after: position) {
    case .entries(let entries, let through): return (entries, through)
    case .behind:
      let entries = try await pool.read { (reader) throws(StoreError) in
        try reader.events(after: position, limit: Self.batchSize)
      }
      guard let through = entries.last?.sequence else {
        throw StoreError.unavailable(reason: "the outbox ends before what was read from it: the file was replaced")
      }
      return (entries.filter { EventFeed.Topic($0) == topic }, through)
    }
  }
}
