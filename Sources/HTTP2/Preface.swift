// SPDX-License-Identifier: Apache-2.0

/// Looks at the first bytes of a connection, before the library does, so that a peer of another protocol is recognised
/// as one (RFC 9113 section 3.4: a client opens with 24 fixed bytes, and each end's first frame is SETTINGS).
///
///     waiting ──▶ accepted      the bytes begin as HTTP/2 does; what was held back goes on to the library
///        │
///        └─────▶ refused        they do not; what was held back tells what they are
struct Preface {
  enum Verdict {
    case waiting, accepted, refused
  }

  /// The bytes held back until the verdict. After a refusal at most ``HTTP2Limits/maxFirstBytes``.
  private(set) var held: [UInt8] = []

  private let magic: [UInt8]
  private var isForeign = false

  init(expectedBy role: HTTP2Role) {
    magic = role == .server ? Preface.clientMagic : []
  }

  /// Takes as many of the bytes as it has room for, and says what they are. A clean refusal waits for a few bytes more
  /// than it needs, so that whoever names the protocol has something to go by.
  mutating func take(_ bytes: Span<UInt8>) -> (verdict: Verdict, taken: Int) {
    let taken = min(bytes.count, HTTP2Limits.maxFirstBytes - held.count)
    let start = held.count
    for index in 0..<taken { held.append(bytes[index]) }
    if !isForeign {
      for index in start..<held.count where !isPlausible(held[index], at: index) {
        isForeign = true
        break
      }
    }
    if isForeign { return (held.count >= Preface.shortestName ? .refused : .waiting, taken) }
    return (held.count >= magic.count + Preface.frameHeader ? .accepted : .waiting, taken)
  }

  /// Whether the byte can stand at the index: first the magic, then the header of a SETTINGS frame without ACK.
  private func isPlausible(_ byte: UInt8, at index: Int) -> Bool {
    if index < magic.count { return byte == magic[index] }
    switch index - magic.count {
    case 0: return byte == 0  // a length below 65,536
    case 3: return byte == 0x4  // SETTINGS
    case 4: return byte & 0x1 == 0  // no ACK
    case 5: return byte & 0x7F == 0  // the connection; the first bit is reserved
    case 6, 7, 8: return byte == 0
    default: return true
    }
  }

  private static let frameHeader = 9

  /// A TLS alert has seven bytes, and nothing shorter has a name.
  private static let shortestName = 7

  /// `PRI * HTTP/2.0`, two line ends, `SM`, two line ends.
  private static let clientMagic: [UInt8] = [
    0x50, 0x52, 0x49, 0x20, 0x2A, 0x20, 0x48, 0x54, 0x54, 0x50, 0x2F, 0x32,
    0x2E, 0x30, 0x0D, 0x0A, 0x0D, 0x0A, 0x53, 0x4D, 0x0D, 0x0A, 0x0D, 0x0A,
  ]
}
