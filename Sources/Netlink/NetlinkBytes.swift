// SPDX-License-Identifier: Apache-2.0

internal import Bytes

// Netlink: what the kernel says of sockets, interfaces, addresses, routes and neighbours. Decoding is pure; one driver
// asks.

/// Numbers in the kernel's own order of bytes. Beyond the end everything is 0: structures of the kernel only ever grow
/// at their end, and what an older one does not say yet is unknown, which 0 stands for.
extension Span<UInt8> {
  func byte(at offset: Int) -> UInt8 { offset >= 0 && offset < count ? self[offset] : 0 }

  func uint16(at offset: Int) -> UInt16 { number(at: offset) }

  func uint32(at offset: Int) -> UInt32 { number(at: offset) }

  func uint64(at offset: Int) -> UInt64 { number(at: offset) }

  private func number<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Number {
    let size = Number.bitWidth / 8
    // Within the bytes, any bits are a number.
    if offset >= 0, offset <= count - size {
      return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self)
    }
    var value: Number = 0
    for index in 0..<size { value |= Number(byte(at: offset + index)) << (8 * index) }
    return Number(littleEndian: value)
  }

  /// A number in the order of the wire, as ports are.
  func wireUInt16(at offset: Int) -> UInt16 { UInt16(byte(at: offset)) << 8 | UInt16(byte(at: offset + 1)) }

  /// An address at an offset; all zero beyond the end.
  func address(at offset: Int, isIPv6: Bool) -> IPAddress {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(16)
    for index in 0..<(isIPv6 ? 16 : 4) { bytes.append(byte(at: offset + index)) }
    return IPAddress(bytes) ?? .anyIPv4
  }

  /// An address that is all there is; nil where there are more or fewer bytes.
  func wholeAddress(isIPv6: Bool) -> IPAddress? {
    count == (isIPv6 ? 16 : 4) ? address(at: 0, isIPv6: isIPv6) : nil
  }

  /// Whether the message, which begins with its family, is of IPv6; nil where it is of neither.
  var isIPv6: Bool? {
    switch UInt16(byte(at: 0)) {
    case familyIPv4: false
    case familyIPv6: true
    default: nil
    }
  }

  /// A copy.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    for index in indices { bytes.append(self[index]) }
    return bytes
  }

  /// A text of C: the bytes before the first zero.
  var text: [UInt8] { Array(bytes.prefix { $0 != 0 }) }
}

/// `AF_INET`.
let familyIPv4: UInt16 = 2
/// `AF_INET6`.
let familyIPv6: UInt16 = 10

/// Where the attributes of a message are, from an offset on: each has a length, a type, and a payload padded to four
/// bytes. It ends where what follows is no attribute.
struct NetlinkAttributes {
  private var offset: Int

  init(from offset: Int) { self.offset = offset }

  /// The next attribute's type, without the flags in its upper bits, and where its payload is; nil at the end.
  mutating func next(in bytes: Span<UInt8>) -> (type: UInt16, payload: Range<Int>)? {
    guard offset >= 0, bytes.count - offset >= 4 else { return nil }
    let length = Int(bytes.uint16(at: offset))
    guard length >= 4, length <= bytes.count - offset else { return nil }
    let payload = offset + 4..<offset + length
    let type = bytes.uint16(at: offset + 2) & 0x3FFF
    offset += (length + 3) & ~3
    return (type, payload)
  }
}

extension [UInt8] {
  /// Appends a number in the machine's own order of bytes.
  mutating func append(native number: some FixedWidthInteger) {
    // The machine's own number, read with the low byte first, is the kernel's whatever the machine's order is.
    for shift in 0..<(number.bitWidth / 8) {
      append(UInt8(truncatingIfNeeded: number.littleEndian >> (8 * Int(shift))))
    }
  }
}
