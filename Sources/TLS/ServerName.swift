// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// A server's name as TLS sees it: a DNS name, which is sent and verified, or an address, which is verified alone.
enum ServerName: Equatable, Sendable {
  case dns(String)
  case address(String)

  /// Reads a host as it stands in a target: no brackets, no port; a zone and the dot of a rooted name are left off.
  init?(_ host: String) {
    if host.utf8.contains(0x3A) {
      // IPv6. OpenSSL parses it when it becomes part of a verification, and refuses it there.
      let bare = host.split(onASCII: 0x25).first ?? ""
      guard bare.utf8.allSatisfy({ $0.hexDigitValue != nil || $0 == 0x3A || $0 == 0x2E }) else { return nil }
      self = .address(bare)
      return
    }
    let labels = host.split(onASCII: 0x2E)
    if labels.count == 4, labels.allSatisfy({ parseDecimal($0.utf8, atMost: 255) != nil }) {
      self = .address(host)
      return
    }
    let name = labels.count > 1 && labels.last == "" ? labels.dropLast() : labels[...]
    guard host.utf8.count <= 254 else { return nil }  // RFC 1035 section 2.3.4
    // A leading dot would make OpenSSL accept every subdomain: empty labels are refused.
    for label in name {
      guard !label.isEmpty, label.utf8.count <= 63 else { return nil }
      guard label.utf8.allSatisfy({ $0.isASCIILetter || $0.isASCIIDigit || $0 == 0x2D || $0 == 0x5F }) else {
        return nil
      }
    }
    self = .dns(name.joined(separator: "."))
  }

  /// The name in text.
  var text: String {
    switch self {
    case .dns(let name): name
    case .address(let address): address
    }
  }
}
