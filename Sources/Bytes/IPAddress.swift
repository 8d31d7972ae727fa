// SPDX-License-Identifier: Apache-2.0

/// An IPv4 or IPv6 address without a port.
public struct IPAddress: Hashable, Sendable {
  /// Whether it is an IPv6 address.
  public let isIPv6: Bool
  /// The bytes 0 to 7 of an IPv6 address, in the order of the wire; 0 for IPv4.
  private let high: UInt64
  /// The bytes 8 to 15 of an IPv6 address; an IPv4 address as a number.
  private let low: UInt64

  /// An address of 4 or 16 bytes in the order of the wire; nil for any other count.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    var (high, low): (UInt64, UInt64) = (0, 0)
    for byte in bytes {
      high = high << 8 | low >> 56
      low = low << 8 | UInt64(byte)
    }
    (isIPv6, self.high, self.low) = (bytes.count == 16, high, low)
  }

  private init(isIPv6: Bool, high: UInt64, low: UInt64) { (self.isIPv6, self.high, self.low) = (isIPv6, high, low) }

  /// `0.0.0.0`: every IPv4 address of a machine.
  public static let anyIPv4 = IPAddress(isIPv6: false, high: 0, low: 0)
  /// `::`: every address of a machine, IPv4 ones too unless its socket says otherwise.
  public static let anyIPv6 = IPAddress(isIPv6: true, high: 0, low: 0)
  /// `127.0.0.1`.
  public static let loopbackIPv4 = IPAddress(isIPv6: false, high: 0, low: 0x7F00_0001)
  /// `::1`.
  public static let loopbackIPv6 = IPAddress(isIPv6: true, high: 0, low: 1)

  /// The bytes in the order of the wire, 4 or 16.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(16)
    for index in isIPv6 ? 0..<16 : 12..<16 { bytes.append(byte(index)) }
    return bytes
  }

  /// Bits of the address.
  public var bitWidth: Int { isIPv6 ? 128 : 32 }

  /// Whether it stands for every address of the machine.
  public var isAny: Bool { high == 0 && low == 0 }

  /// Whether it is an IPv4 address in IPv6's form, `::ffff:1.2.3.4`.
  public var isMappedIPv4: Bool { isIPv6 && high == 0 && low >> 32 == 0xFFFF }

  /// The IPv4 address that a mapped one stands for; any other address itself.
  public var unmapped: IPAddress {
    isMappedIPv4 ? IPAddress(isIPv6: false, high: 0, low: low & 0xFFFF_FFFF) : self
  }

  /// Whether only the machine itself can reach it.
  public var isLoopback: Bool {
    let address = unmapped
    return address.isIPv6 ? address == .loopbackIPv6 : address.low >> 24 == 127
  }

  /// Whether it is valid on one link alone: 169.254.0.0/16, fe80::/10.
  public var isLinkLocal: Bool { isIPv6 ? high >> 54 == 0x3FA : low >> 16 == 0xA9FE }

  /// Whether the first `length` bits are those of the prefix. Addresses of different families never match.
  public func isIn(_ prefix: IPAddress, length: Int) -> Bool {
    guard isIPv6 == prefix.isIPv6, (0...bitWidth).contains(length) else { return false }
    guard isIPv6 else { return length == 0 || (low ^ prefix.low) >> UInt64(32 - length) == 0 }
    if length <= 64 { return length == 0 || (high ^ prefix.high) >> UInt64(64 - length) == 0 }
    return high == prefix.high && (low ^ prefix.low) >> UInt64(128 - length) == 0
  }

  /// The byte of the IPv6 form at an index from 0 to 15.
  private func byte(_ index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: index < 8 ? high >> UInt64(56 - 8 * index) : low >> UInt64(120 - 8 * index))
  }

  // MARK: - Text

  /// The address as RFC 5952 writes it: `10.0.0.1`, `fe80::1`, `::ffff:10.0.0.1`.
  public var text: String {
    var bytes: [UInt8] = []
    appendText(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends ``text`` to bytes.
  public func appendText(to bytes: inout [UInt8]) {
    guard isIPv6 else { return Self.appendDotted(low, to: &bytes) }
    if isMappedIPv4 {
      bytes += "::ffff:".utf8
      return Self.appendDotted(low, to: &bytes)
    }
    // The first of the longest runs of two or more zero groups is left out.
    var (gap, gapLength, index) = (8, 1, 0)
    while index < 8 {
      var end = index
      while end < 8, group(end) == 0 { end += 1 }
      if end - index > gapLength { (gap, gapLength) = (index, end - index) }
      index = max(end, index + 1)
    }
    index = 0
    while index < 8 {
      if index == gap {
        bytes += "::".utf8
        index += gapLength
        continue
      }
      if index > 0, index != gap + gapLength { bytes.append(0x3A) }
      bytes.append(number: UInt64(group(index)), radix: 16)
      index += 1
    }
  }

  /// The address with a port, as people write it: `10.0.0.1:80`, `[::1]:80`.
  public func text(port: UInt16) -> String { (isIPv6 ? "[" + text + "]" : text) + ":\(port)" }

  /// Reads an address, an IPv6 one without brackets and zone; nil for anything else.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count <= 45 else { return nil }
    if bytes.contains(0x3A) {
      guard let address = Self.parseIPv6(bytes) else { return nil }
      self = address
    } else {
      guard let value = Self.parseIPv4(bytes[...]) else { return nil }
      self.init(isIPv6: false, high: 0, low: UInt64(value))
    }
  }

  private static func appendDotted(_ value: UInt64, to bytes: inout [UInt8]) {
    var shift: UInt64 = 32
    while shift > 0 {
      shift -= 8
      bytes.append(number: value >> shift & 0xFF)
      if shift > 0 { bytes.append(0x2E) }
    }
  }

  /// The group of 16 bits at an index from 0 to 7.
  private func group(_ index: Int) -> UInt16 { UInt16(byte(2 * index)) << 8 | UInt16(byte(2 * index + 1)) }

  private static func parseIPv4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
    let parts = bytes.split(separator: 0x2E, omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.count), part.count == 1 || part.first != 0x30 else { return nil }
      guard let number = parseDecimal(part, atMost: 255) else { return nil }
      value = value << 8 | UInt32(number)
    }
    return value
  }

  private static func parseGroup(_ bytes: ArraySlice<UInt8>) -> UInt16? {
    guard (1...4).contains(bytes.count) else { return nil }
    var value: UInt16 = 0
    for byte in bytes {
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46, 0x61...0x66: digit = (byte | 0x20) - 0x57
      default: return nil
      }
      value = value << 4 | UInt16(digit)
    }
    return value
  }

  private static func parseIPv6(_ bytes: [UInt8]) -> IPAddress? {
    var (before, after): ([UInt16], [UInt16]?) = ([], nil)
    var index = 0
    if bytes.starts(with: [0x3A, 0x3A]) { (after, index) = ([], 2) } else if bytes.first == 0x3A { return nil }
    while index < bytes.count {
      let end = bytes[index...].firstIndex(of: 0x3A) ?? bytes.count
      let group = bytes[index..<end]
      if end == bytes.count, group.contains(0x2E) {
        guard let value = parseIPv4(group) else { return nil }
        for half in [UInt16(value >> 16), UInt16(truncatingIfNeeded: value)] {
          if after == nil { before.append(half) } else { after?.append(half) }
        }
        index = end
        break
      }
      guard let value = parseGroup(group) else { return nil }
      if after == nil { before.append(value) } else { after?.append(value) }
      guard end < bytes.count else { break }
      index = end + 1
      // A colon at the end is part of a gap or a mistake.
      guard index < bytes.count else { return nil }
      if bytes[index] == 0x3A {
        guard after == nil else { return nil }
        (after, index) = ([], index + 1)
      }
    }
    let count = before.count + (after?.count ?? 0)
    guard after == nil ? count == 8 : count <= 7 else { return nil }
    let groups = before + [UInt16](repeating: 0, count: 8 - count) + (after ?? [])
    return IPAddress(groups.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] })
  }
}
