// SPDX-License-Identifier: Apache-2.0

/// What the kernel knows of a TCP connection (`tcp_info` of linux/tcp.h). An older kernel says less: the rest is 0.
/// Times are microseconds unless their name says otherwise.
public struct TCPInfo: Equatable, Sendable {
  /// Bytes that the kernel has told; what lies beyond them is unknown.
  public let size: Int
  /// Retransmissions of the segment that waits, without an answer.
  public let retransmits: UInt8
  /// Probes without an answer.
  public let probes: UInt8
  /// How often the time of retransmission was doubled.
  public let backoff: UInt8
  /// The time of retransmission.
  public let retransmissionTimeout: UInt32
  /// The largest segment that is sent, in bytes.
  public let sendSegmentSize: UInt32
  /// Segments that are on their way.
  public let unacknowledged: UInt32
  /// Segments that are taken for lost.
  public let lost: UInt32
  /// Milliseconds since data was last sent.
  public let lastDataSent: UInt32
  /// Milliseconds since data last came.
  public let lastDataReceived: UInt32
  /// Milliseconds since an acknowledgement last came.
  public let lastAckReceived: UInt32
  /// The path's largest packet, in bytes.
  public let pathMTU: UInt32
  /// The smoothed round-trip time.
  public let roundTripTime: UInt32
  /// How much it varies.
  public let roundTripTimeVariance: UInt32
  /// The congestion window in segments.
  public let congestionWindow: UInt32
  /// Segments retransmitted since the connection began.
  public let totalRetransmits: UInt32
  /// Bytes that the peer has acknowledged.
  public let bytesAcknowledged: UInt64
  /// Bytes that came.
  public let bytesReceived: UInt64
  /// Bytes that were handed over and not yet sent.
  public let bytesNotSent: UInt32
  /// The least round-trip time.
  public let leastRoundTripTime: UInt32
  /// Bytes a second that were delivered of late.
  public let deliveryRate: UInt64
  /// Time in which something was being sent.
  public let busyTime: UInt64
  /// Time in which the peer's window held us back.
  public let receiveWindowLimitedTime: UInt64
  /// Time in which the own buffer held us back.
  public let sendBufferLimitedTime: UInt64
  /// Bytes sent, again or not.
  public let bytesSent: UInt64
  /// Bytes sent again.
  public let bytesRetransmitted: UInt64
  /// How often the time of retransmission ran out.
  public let totalTimeouts: UInt16

  /// Decodes the attribute's bytes, however many there are.
  public init(_ bytes: Span<UInt8>) {
    size = bytes.count
    retransmits = bytes.byte(at: 2)
    probes = bytes.byte(at: 3)
    backoff = bytes.byte(at: 4)
    retransmissionTimeout = bytes.uint32(at: 8)
    sendSegmentSize = bytes.uint32(at: 16)
    unacknowledged = bytes.uint32(at: 24)
    lost = bytes.uint32(at: 32)
    lastDataSent = bytes.uint32(at: 44)
    lastDataReceived = bytes.uint32(at: 52)
    lastAckReceived = bytes.uint32(at: 56)
    pathMTU = bytes.uint32(at: 60)
    roundTripTime = bytes.uint32(at: 68)
    roundTripTimeVariance = bytes.uint32(at: 72)
    congestionWindow = bytes.uint32(at: 80)
    totalRetransmits = bytes.uint32(at: 100)
    bytesAcknowledged = bytes.uint64(at: 120)
    bytesReceived = bytes.uint64(at: 128)
    bytesNotSent = bytes.uint32(at: 144)
    leastRoundTripTime = bytes.uint32(at: 148)
    deliveryRate = bytes.uint64(at: 160)
    busyTime = bytes.uint64(at: 168)
    receiveWindowLimitedTime = bytes.uint64(at: 176)
    sendBufferLimitedTime = bytes.uint64(at: 184)
    bytesSent = bytes.uint64(at: 200)
    bytesRetransmitted = bytes.uint64(at: 208)
    totalTimeouts = bytes.uint16(at: 240)
  }
}
