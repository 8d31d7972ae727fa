// SPDX-License-Identifier: Apache-2.0

public import GRPC
public import GRPCMethods
public import NIOCore
internal import Synchronization

/// A value that interceptors leave with a call for those after them, by its type.
public protocol ClientContextKey {
  /// What is left.
  associatedtype Value: Sendable
}

/// One time that a call was sent, or tried to be.
public struct AttemptFacts: Sendable {
  /// Its number, from 0.
  public let number: Int
  /// The server's address; nil where none was picked.
  public let address: String?
  /// When it began.
  public let start: NIODeadline
  /// When it ended.
  public let end: NIODeadline
  /// How it ended. One that another attempt made superfluous ends with CANCELLED.
  public let status: Status
  /// Whether nothing of it reached a server's application, so that it does not count against a retry policy.
  public let isUnprocessed: Bool
  /// Bytes of request messages that it sent, as the wire carried them, without their frames.
  public let sentBytes: Int
  /// Bytes of response messages that the caller read of it, without their frames.
  public let receivedBytes: Int
}

/// What is known of a call beside its messages, for interceptors before and after it. It may be used from any thread.
public final class ClientContext: Sendable {
  /// The method.
  public let method: MethodInfo
  /// When the call was made.
  public let start: NIODeadline

  private struct Values {
    var metadata: Metadata
    var deadline: NIODeadline?
    var waitsForReady: Bool
    var compressesRequests: Bool
    var authority: String
    var headers: Metadata?
    var trailers = Metadata()
    var status: Status?
    var peer: String?
    var attempts: [AttemptFacts] = []
    var others = KeyedValues()
  }

  private let values: Mutex<Values>
  let counts = CallCounts()

  init(
    method: MethodInfo, start: NIODeadline, metadata: Metadata, deadline: NIODeadline?, waitsForReady: Bool,
    compressesRequests: Bool, authority: String
  ) {
    self.method = method
    self.start = start
    values = Mutex(
      Values(
        metadata: metadata, deadline: deadline, waitsForReady: waitsForReady, compressesRequests: compressesRequests,
        authority: authority))
  }

  // MARK: - Before the call

  /// The entries that go out with the call.
  public var metadata: Metadata {
    get { values.withLock { $0.metadata } }
    set { values.withLock { $0.metadata = newValue } }
  }

  /// When the call ends, finished or not; nil for never.
  public var deadline: NIODeadline? {
    get { values.withLock { $0.deadline } }
    set { values.withLock { $0.deadline = newValue } }
  }

  /// Whether the call waits while no server can be reached.
  public var waitsForReady: Bool {
    get { values.withLock { $0.waitsForReady } }
    set { values.withLock { $0.waitsForReady = newValue } }
  }

  /// Whether request messages are compressed.
  public var compressesRequests: Bool {
    get { values.withLock { $0.compressesRequests } }
    set { values.withLock { $0.compressesRequests = newValue } }
  }

  /// The name that the request calls the server by.
  public var authority: String {
    get { values.withLock { $0.authority } }
    set { values.withLock { $0.authority = newValue } }
  }

  /// What an interceptor left under a key; nil where none did.
  public subscript<Key: ClientContextKey>(key: Key.Type) -> Key.Value? {
    get { values.withLock { $0.others[key, as: Key.Value.self] } }
    set { values.withLock { $0.others[key, as: Key.Value.self] = newValue } }
  }

  // MARK: - After it

  /// The server's leading metadata; nil until it came, and in a call that failed before.
  public var responseHeaders: Metadata? { values.withLock { $0.headers } }

  /// The server's trailing metadata, once the call is over.
  public var responseTrailers: Metadata { values.withLock { $0.trailers } }

  /// How the call ended; nil while it goes on. A caller that stops reading before the end cancels the call.
  public var status: Status? { values.withLock { $0.status } }

  /// The address of the server whose answer counts, as logs write it; nil until there is an answer.
  public var peer: String? { values.withLock { $0.peer } }

  /// The times that the call was sent and that are over, in the order of their ends.
  public var attempts: [AttemptFacts] { values.withLock { $0.attempts } }

  /// Whether the response message that was read last came compressed.
  public var responseWasCompressed: Bool { counts.wasCompressed.load(ordering: .relaxed) }
  /// Bytes of request messages sent up to now, without their frames and without those that were sent again.
  public var sentBytes: Int { counts.sentBytes.load(ordering: .relaxed) }
  /// Bytes of response messages received up to now, without their frames.
  public var receivedBytes: Int { counts.receivedBytes.load(ordering: .relaxed) }
  /// Request messages sent up to now.
  public var sentMessages: Int { counts.sentMessages.load(ordering: .relaxed) }
  /// Response messages received up to now.
  public var receivedMessages: Int { counts.receivedMessages.load(ordering: .relaxed) }

  // MARK: - From the call

  /// Takes note of the answer's beginning.
  func began(_ headers: Metadata, from peer: String?) {
    values.withLock { values in
      values.headers = headers
      values.peer = peer
    }
  }

  /// Takes note of the call's end; the first one counts.
  func ended(_ end: CallEnd, from peer: String?) {
    values.withLock { values in
      guard values.status == nil else { return }
      values.status = end.status
      values.trailers = end.trailers
      if let peer { values.peer = peer }
    }
  }

  /// Takes note of an attempt that is over.
  func ended(_ attempt: AttemptFacts) { values.withLock { $0.attempts.append(attempt) } }

  /// Forgets how an earlier run of the call ended: an interceptor makes it once more.
  func beginAgain() {
    values.withLock { values in
      values.headers = nil
      values.trailers = Metadata()
      values.status = nil
      values.peer = nil
    }
  }
}

/// What is counted of a call while it runs.
struct CallCounts: ~Copyable, Sendable {
  let receivedBytes = Atomic(0)
  let sentBytes = Atomic(0)
  let receivedMessages = Atomic(0)
  let sentMessages = Atomic(0)
  let wasCompressed = Atomic(false)

  /// Takes note of a message; on the loop's thread alone, so that no atomic addition is needed.
  func received(_ bytes: Int, compressed: Bool) {
    if compressed != wasCompressed.load(ordering: .relaxed) { wasCompressed.store(compressed, ordering: .relaxed) }
    receivedBytes.store(receivedBytes.load(ordering: .relaxed) &+ bytes, ordering: .relaxed)
    receivedMessages.store(receivedMessages.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
  }

  /// Takes note of a message; on the loop's thread alone.
  func sent(_ bytes: Int) {
    sentBytes.store(sentBytes.load(ordering: .relaxed) &+ bytes, ordering: .relaxed)
    sentMessages.store(sentMessages.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
  }
}
