// SPDX-License-Identifier: Apache-2.0

internal import SQLite
public import Schemas
internal import SwiftProtobuf

/// Something that happened, as every replica on the file hears of it.
public struct OutboxEntry: Equatable, Sendable {
  /// What happened.
  public enum Content: Equatable, Sendable {
    /// A user changed.
    case user(User_V1_UserEvent)
    /// Something was said.
    case chat(User_V1_ChatMessage)
    /// Something that this program does not understand: a later one wrote it to the same file.
    case unknown
  }

  /// Its place: each entry has the number after that of the entry before it.
  public let sequence: Int64
  /// What happened.
  public let content: Content
}

/// Which message an entry holds. The numbers are in files: they never change.
enum OutboxTopic: Int64 {
  case user = 1
  case chat = 2
}

/// The table of what happened. Writers append to it in the transaction of the change itself, so nothing is told that
/// did not happen, and nothing happens untold.
enum Outbox {
  static func append(_ event: User_V1_UserEvent, at time: Int64, to database: Database) throws(StoreError) {
    try append(.user, payload: event, at: time, to: database)
  }

  static func append(_ message: User_V1_ChatMessage, at time: Int64, to database: Database) throws(StoreError) {
    try append(.chat, payload: message, at: time, to: database)
  }

  private static func append(
    _ topic: OutboxTopic, payload: some Message, at time: Int64, to database: Database
  ) throws(StoreError) {
    let bytes: [UInt8]
    do { bytes = try payload.serializedBytes() } catch {
      throw .internalFailure(reason: "an event cannot be serialised")
    }
    _ = try translated { () throws(SQLiteError) in
      try database.execute("INSERT INTO outbox (time, topic, payload) VALUES (\(time), \(topic.rawValue), \(bytes))")
    }
  }

  /// The number of the last entry that was ever made; 0 where there was none.
  static func lastSequence(_ database: Database) throws(SQLiteError) -> Int64 {
    try database.first("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'") { $0.integer(0) } ?? 0
  }

  /// The number of the first entry that is kept; the next one to come where none is.
  static func oldestSequence(_ database: Database) throws(SQLiteError) -> Int64 {
    if let oldest = try database.first("SELECT sequence FROM outbox ORDER BY sequence LIMIT 1", { $0.integer(0) }) {
      return oldest
    }
    return try lastSequence(database) + 1
  }

  /// Entries behind a number, in order.
  static func entries(after sequence: Int64, limit: Int, in database: Database) throws(SQLiteError) -> [OutboxEntry] {
    try database.rows(
      "SELECT sequence, topic, payload FROM outbox WHERE sequence > \(sequence) ORDER BY sequence LIMIT \(limit)"
    ) { row in
      let sequence = row.integer(0)
      return OutboxEntry(
        sequence: sequence,
        content: content(topic: OutboxTopic(rawValue: row.integer(1)), payload: row.blob(2), sequence: sequence))
    }
  }

  private static func content(topic: OutboxTopic?, payload: [UInt8], sequence: Int64) -> OutboxEntry.Content {
    switch topic {
    case .user:
      guard var event = try? User_V1_UserEvent(serializedBytes: payload) else { return .unknown }
      event.sequence = sequence
      return .user(event)
    case .chat:
      guard let message = try? User_V1_ChatMessage(serializedBytes: payload) else { return .unknown }
      return .chat(message)
    case nil: return .unknown
    }
  }

  /// Removes the oldest entries, at most `limit`: those made before `time`, and those beyond the last `keeping`.
  static func prune(
    before time: Int64, keeping: Int, limit: Int, in database: Database
  ) throws(SQLiteError) -> Int {
    let spared = try lastSequence(database) - Int64(keeping)
    let oldest = try database.rows("SELECT sequence, time FROM outbox ORDER BY sequence LIMIT \(limit)") {
      (sequence: $0.integer(0), time: $0.integer(1))
    }
    // From the front and without a gap, whatever the clocks of the replicas said.
    let last = oldest.prefix { $0.time < time || $0.sequence <= spared }.last
    guard let last else { return 0 }
    return try database.execute("DELETE FROM outbox WHERE sequence <= \(last.sequence)")
  }
}
