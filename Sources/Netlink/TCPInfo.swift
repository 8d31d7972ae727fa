// SPDX-License-Identifier: Apache-2.0

/// What the kernel knows of a TCP connection: `tcp_info` of linux/tcp.h, as many bytes of it as this kernel tells.
public struct TCPInfo: Equatable, Sendable {
  /// One of the structure's fields.
  public struct Field: Sendable {
    /// The kernel's name without its prefix, such as `rtt`.
    public let name: String
    let offset: Int
    let size: Int
    /// The bits of the number that are the field's: how many are below them, and how many they are.
    let shift: UInt64
    let bits: UInt64

    init(_ name: String, _ offset: Int, _ size: Int, shift: UInt64 = 0, bits: UInt64 = 64) {
      (self.name, self.offset, self.size, self.shift, self.bits) = (name, offset, size, shift, bits)
    }
  }

  /// The most bytes that any kernel tells, as far as is known here.
  static let maxSize = 280

  private let bytes: [UInt8]

  /// Takes the attribute's bytes, however many there are.
  public init(_ bytes: Span<UInt8>) {
    self.bytes = bytes.extracting(first: Self.maxSize).bytes
  }

  /// The value of a field; nil where this kernel does not tell it.
  public func value(_ field: Field) -> UInt64? {
    guard field.offset + field.size <= bytes.count else { return nil }
    let bytes = bytes.span
    let number: UInt64 =
      switch field.size {
      case 1: UInt64(bytes.byte(at: field.offset))
      case 2: UInt64(bytes.uint16(at: field.offset))
      case 4: UInt64(bytes.uint32(at: field.offset))
      default: bytes.uint64(at: field.offset)
      }
    return field.bits == 64 ? number : number >> field.shift & (1 << field.bits - 1)
  }

  /// Segments that are on their way; 0 where that is not told, as the others here.
  public var unacknowledged: UInt32 { number(Self.unacked) }
  /// Segments retransmitted since the connection began.
  public var totalRetransmits: UInt32 { number(Self.totalRetrans) }
  /// Milliseconds since data last came.
  public var lastDataReceived: UInt32 { number(Self.lastDataRecv) }
  /// The path's largest packet, in bytes.
  public var pathMTU: UInt32 { number(Self.pmtu) }

  private func number(_ field: Field) -> UInt32 { UInt32(truncatingIfNeeded: value(field) ?? 0) }

  private static let unacked = Field("unacked", 24, 4)
  private static let totalRetrans = Field("total_retrans", 100, 4)
  private static let lastDataRecv = Field("last_data_recv", 52, 4)
  private static let pmtu = Field("pmtu", 60, 4)

  /// Every field, in the structure's order. Times are microseconds; those of `last_…` and `total_rto_time` are
  /// milliseconds.
  public static let fields: [Field] = [
    Field("state", 0, 1), Field("ca_state", 1, 1), Field("retransmits", 2, 1), Field("probes", 3, 1),
    Field("backoff", 4, 1), Field("options", 5, 1), Field("snd_wscale", 6, 1, shift: low, bits: 4),
    Field("rcv_wscale", 6, 1, shift: high, bits: 4), Field("delivery_rate_app_limited", 7, 1, shift: 0, bits: 1),
    Field("fastopen_client_fail", 7, 1, shift: 1, bits: 2),
    Field("rto", 8, 4), Field("ato", 12, 4), Field("snd_mss", 16, 4), Field("rcv_mss", 20, 4),
    unacked, Field("sacked", 28, 4), Field("lost", 32, 4), Field("retrans", 36, 4),
    Field("fackets", 40, 4), Field("last_data_sent", 44, 4), Field("last_ack_sent", 48, 4),
    lastDataRecv, Field("last_ack_recv", 56, 4), pmtu,
    Field("rcv_ssthresh", 64, 4), Field("rtt", 68, 4), Field("rttvar", 72, 4), Field("snd_ssthresh", 76, 4),
    Field("snd_cwnd", 80, 4), Field("advmss", 84, 4), Field("reordering", 88, 4), Field("rcv_rtt", 92, 4),
    Field("rcv_space", 96, 4), totalRetrans, Field("pacing_rate", 104, 8), Field("max_pacing_rate", 112, 8),
    Field("bytes_acked", 120, 8), Field("bytes_received", 128, 8), Field("segs_out", 136, 4), Field("segs_in", 140, 4),
    // Linux 4.6 to 4.10.
    Field("notsent_bytes", 144, 4), Field("min_rtt", 148, 4), Field("data_segs_in", 152, 4),
    Field("data_segs_out", 156, 4), Field("delivery_rate", 160, 8), Field("busy_time", 168, 8),
    Field("rwnd_limited", 176, 8), Field("sndbuf_limited", 184, 8),
    // Linux 4.18 to 5.4.
    Field("delivered", 192, 4), Field("delivered_ce", 196, 4), Field("bytes_sent", 200, 8),
    Field("bytes_retrans", 208, 8), Field("dsack_dups", 216, 4), Field("reord_seen", 220, 4),
    Field("rcv_ooopack", 224, 4), Field("snd_wnd", 228, 4),
    // Linux 6.2 to 6.8.
    Field("rcv_wnd", 232, 4), Field("rehash", 236, 4), Field("total_rto", 240, 2),
    Field("total_rto_recoveries", 242, 2), Field("total_rto_time", 244, 4),
    // Accurate ECN, Linux 6.18.
    Field("received_ce", 248, 4), Field("delivered_e1_bytes", 252, 4), Field("delivered_e0_bytes", 256, 4),
    Field("delivered_ce_bytes", 260, 4), Field("received_e1_bytes", 264, 4), Field("received_e0_bytes", 268, 4),
    Field("received_ce_bytes", 272, 4), Field("accecn_fail_mode", 276, 2), Field("accecn_opt_seen", 278, 2),
  ]

  // Where the two fields of four bits each are in the byte that they share: C lays the first one into the lower bits,
  // or on machines with the high byte first, into the upper ones.
  private static let low: UInt64 = UInt16(1).littleEndian == 1 ? 0 : 4
  private static let high: UInt64 = 4 - low
}
