// SPDX-License-Identifier: Apache-2.0

/// What the kernel says at the end of its answers, or instead of one: an error number, and since Linux 4.12 perhaps a
/// text (`nlmsgerr` of linux/netlink.h).
struct NetlinkVerdict: Equatable {
  /// The error number; 0 where all is well.
  let errno: Int32
  /// The kernel's own words for it.
  let message: String?

  /// `NLM_F_CAPPED`: the request is quoted without its payload.
  private static let capped: UInt16 = 0x100
  /// `NLM_F_ACK_TLVS`: attributes follow.
  private static let hasAttributes: UInt16 = 0x200
  /// What is kept of the kernel's words.
  private static let messageLimit = 200

  /// Decodes the payload of `NLMSG_ERROR` or `NLMSG_DONE` with the message's flags.
  init(_ payload: Span<UInt8>, flags: UInt16, isError: Bool) {
    let number = Int32(bitPattern: payload.uint32(at: 0))
    // The most negative number has no positive twin, and is no error of the kernel's.
    errno = number < 0 ? (number == .min ? .max : -number) : 0
    guard errno != 0, flags & Self.hasAttributes != 0 else {
      message = nil
      return
    }
    // An error quotes the request: its header of 16 bytes and, unless capped, the rest of it.
    var offset = 4
    if isError {
      let quoted = flags & Self.capped != 0 ? 16 : (Int(payload.uint32(at: 4)) + 3) & ~3
      offset += max(16, quoted)
    }
    var text: String?
    var attributes = NetlinkAttributes(from: offset)
    while let (type, range) = attributes.next(in: payload) {
      guard type == 1 else { continue }
      text = String(decoding: payload.extracting(range).text.prefix(Self.messageLimit), as: UTF8.self)
    }
    message = text
  }
}
