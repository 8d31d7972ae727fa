// SPDX-License-Identifier: Apache-2.0

public import Bytes

extension DNSName {
  /// The name whose PTR record names an address: `1.2.0.192.in-addr.arpa` (RFC 1035 section 3.5), or 32 hexadecimal
  /// digits under `ip6.arpa` (RFC 3596 section 2.5).
  public init(reverseOf address: IPAddress) {
    var wire: [UInt8] = []
    func append(_ label: some Collection<UInt8>) {
      wire.append(UInt8(truncatingIfNeeded: label.count))
      wire.append(contentsOf: label)
    }
    for byte in address.bytes.reversed() {
      if address.isIPv6 {
        append(String(byte & 0x0F, radix: 16).utf8)
        append(String(byte >> 4, radix: 16).utf8)
      } else {
        append(String(byte).utf8)
      }
    }
    append((address.isIPv6 ? "ip6" : "in-addr").utf8)
    append("arpa".utf8)
    self.init(checkedWire: wire + [0])
  }

  /// The address that the name stands for as ``init(reverseOf:)`` makes it, in either case; nil for any other name.
  public var reverseAddress: IPAddress? {
    let labels = labels
    switch labels.count {
    case 6: return Self.ipv4(labels)
    case 34: return Self.ipv6(labels)
    default: return nil
    }
  }

  private static func ipv4(_ labels: [ArraySlice<UInt8>]) -> IPAddress? {
    let text = labels[..<4].reversed().map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    guard let address = IPAddress(text) else { return nil }
    return verified(address, labels)
  }

  private static func ipv6(_ labels: [ArraySlice<UInt8>]) -> IPAddress? {
    var bytes: [UInt8] = []
    for index in stride(from: 30, through: 0, by: -2) {
      guard labels[index].count == 1, let low = labels[index].first?.hexDigitValue,
        labels[index + 1].count == 1, let high = labels[index + 1].first?.hexDigitValue
      else { return nil }
      bytes.append(high << 4 | low)
    }
    guard let address = IPAddress(bytes) else { return nil }
    return verified(address, labels)
  }

  private static func verified(_ address: IPAddress, _ labels: [ArraySlice<UInt8>]) -> IPAddress? {
    let name = DNSName(reverseOf: address)
    return name.labels.elementsEqual(labels) { $0.elementsEqual($1) { $0.asciiLowercased == $1.asciiLowercased } }
      ? address : nil
  }
}
