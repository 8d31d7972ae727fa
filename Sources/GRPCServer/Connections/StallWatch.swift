// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// Notices bytes that wait for a client which takes none of them, as far as the connection's sweeps see.
struct StallWatch {
  private var last: (bytes: Int, since: NIODeadline)?

  /// How long so many bytes have waited without becoming other many; nil where none wait, or they have just changed.
  mutating func time(of bytes: Int, _ now: NIODeadline) -> TimeAmount? {
    guard bytes > 0 else {
      last = nil
      return nil
    }
    if let last, last.bytes == bytes { return now - last.since }
    last = (bytes, now)
    return nil
  }
}
