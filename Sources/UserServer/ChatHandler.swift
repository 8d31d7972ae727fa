// SPDX-License-Identifier: Apache-2.0

internal import GRPC
internal import GRPCMethods
internal import GRPCServer
internal import Schemas
internal import ServiceMethods
internal import Synchronization
internal import UserStore

/// Answers Chat: everybody in a room hears all that is said in it, in one order, on whatever replica he is.
///
/// Who speaks hears himself too, at the message's place in that order and with the server's time: that is how he knows
/// that it was kept. A participant who sends no more leaves, once he has heard his own last message.
///
/// ```
/// first message ─► joined ─┬─ talk: requests ─► outbox
///                          └─ hear: outbox ─► tail ─► feed ─► responses
/// ```
struct ChatHandler {
  let pool: DatabasePool
  let feed: EventFeed

  var handler: MethodHandler {
    handle(UserService.chat, options: MethodOptions(endsOnDrain: true)) { [pool, feed] requests, writer, _ in
      guard let first = try await requests.next() else { return }
      let participant = try ChatParticipant(first)
      try await feed.listening {
        let start = try await pool.read { (reader) throws(StoreError) in try reader.lastSequence() }
        // Joined: whoever waits for the leading metadata hears all that is said behind it.
        try await writer.sendHeaders()
        let progress = ChatProgress()
        let listener = Listener(topic: .room(participant.room), pool: pool, feed: feed)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            var position = start
            while !progress.heard(position) {
              let (entries, through) = try await listener.next(after: position)
              for entry in entries {
                if case .chat(let message) = entry.content { try await writer.write(message) }
              }
              position = through
            }
          }
          group.addTask {
            var last = start
            var next = first.text.isEmpty ? try await requests.next() : first
            while let said = next {
              let message = try participant.message(said)
              last = try await pool.write { (writer) throws(StoreError) in try writer.say(message) }.sequence
              next = try await requests.next()
            }
            // Who has heard himself already waits for nothing.
            if progress.said(last) { throw ChatIsOver() }
          }
          do {
            for try await () in group {}
          } catch is ChatIsOver {
            group.cancelAll()
          }
        }
      }
    }
  }

  private struct ChatIsOver: Error {}
}

/// Who takes part in a room, as the first message said.
struct ChatParticipant: Equatable {
  let room: String
  let sender: String

  /// - Throws: the violations of a first message that names no room or no sender.
  init(_ first: User_V1_ChatMessage) throws(StoreError) {
    // A silent message is checked as if something were said.
    var message = first
    if message.text.isEmpty { message.text = "-" }
    let violations = ChatRules.violations(in: message)
    guard violations.isEmpty else { throw .invalidArgument(violations) }
    room = first.room
    sender = first.sender
  }

  /// A message of the participant's, complete: room and sender are given once.
  ///
  /// - Throws: the violations of one that names another room or sender.
  func message(_ said: User_V1_ChatMessage) throws(StoreError) -> User_V1_ChatMessage {
    var violations: [FieldViolation] = []
    for (field, given, own) in [("room", said.room, room), ("sender", said.sender, sender)]
    where !given.isEmpty && given != own {
      violations.append(FieldViolation(field, "is that of the first message"))
    }
    guard violations.isEmpty else { throw .invalidArgument(violations) }
    var message = said
    message.room = room
    message.sender = sender
    return message
  }
}

/// How far a participant has heard, and how far he wants to.
final class ChatProgress: Sendable {
  private let state = Mutex<(heard: Int64, last: Int64?)>((0, nil))

  /// He has heard all up to a sequence. Returns whether that was all that he waits for.
  func heard(_ sequence: Int64) -> Bool {
    state.withLock { state in
      state.heard = sequence
      return state.last.map { sequence >= $0 } ?? false
    }
  }

  /// He says no more behind his message of a sequence. Returns whether he has heard it.
  func said(_ sequence: Int64) -> Bool {
    state.withLock { state in
      state.last = sequence
      return state.heard >= sequence
    }
  }
}
