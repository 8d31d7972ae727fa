// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import Synchronization

/// The connections that are open, up to a limit.
final class AdminConnections: Sendable {
  private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// Takes a connection until it closes; false where there are enough.
  func add(_ channel: any Channel) -> Bool {
    let id = ObjectIdentifier(channel)
    let isTaken = channels.withLock { channels in
      guard channels.count < limit else { return false }
      channels[id] = channel
      return true
    }
    if isTaken {
      channel.closeFuture.whenComplete { [self] _ in channels.withLock { _ = $0.removeValue(forKey: id) } }
    }
    return isTaken
  }

  /// Closes every connection.
  func closeAll() {
    for channel in channels.withLock({ Array($0.values) }) { channel.close(promise: nil) }
  }
}
