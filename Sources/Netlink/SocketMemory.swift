// SPDX-License-Identifier: Apache-2.0

/// The memory of a socket in bytes (`SK_MEMINFO_…` of linux/sock_diag.h).
public struct SocketMemory: Equatable, Sendable {
  /// What came and was not yet read.
  public let received: UInt32
  /// The most that may wait to be read.
  public let receiveBuffer: UInt32
  /// What is on its way out.
  public let sent: UInt32
  /// The most that may.
  public let sendBuffer: UInt32
  /// What is set aside for what comes next.
  public let reserved: UInt32
  /// What waits to be sent or to be acknowledged.
  public let queued: UInt32
  /// What options take.
  public let options: UInt32
  /// What came while the socket was in use.
  public let backlog: UInt32
  /// Packets that were dropped, as there was no room for them.
  public let drops: UInt32

  /// Decodes the attribute's bytes; an older kernel tells fewer numbers, and the rest is 0.
  init(_ bytes: Span<UInt8>) {
    received = bytes.uint32(at: 0)
    receiveBuffer = bytes.uint32(at: 4)
    sent = bytes.uint32(at: 8)
    sendBuffer = bytes.uint32(at: 12)
    reserved = bytes.uint32(at: 16)
    queued = bytes.uint32(at: 20)
    options = bytes.uint32(at: 24)
    backlog = bytes.uint32(at: 28)
    drops = bytes.uint32(at: 32)
  }
}
