// SPDX-License-Identifier: Apache-2.0

internal import Bytes

extension String {
  /// One URL or target, however it is written, without its user and password: all between the scheme and the last `@`,
  /// as a password may have one itself.
  var withoutCredentials: String {
    let bytes = Array(utf8)
    guard let at = bytes.lastIndex(of: 0x40) else { return self }
    let slashes = bytes.indices.first { bytes[$0...].starts(with: [0x3A, 0x2F, 0x2F]) }
    // A `://` inside a password begins no host.
    let scheme = slashes.map { $0 < at ? String(decoding: bytes[...($0 + 2)], as: UTF8.self) : "" } ?? ""
    let isScheme = scheme.utf8.dropLast(3).allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || $0 == 0x2B }
    return (isScheme ? scheme : "") + "…" + String(decoding: bytes[at...], as: UTF8.self)
  }

  /// A text of a peer's with whatever URLs are in it, each without the user and password of its authority (RFC 3986
  /// section 3.2). What else has an `@` stays.
  var withoutCredentialsInURLs: String {
    let bytes = Array(utf8)
    var shown: [UInt8] = []
    var index = 0
    while index < bytes.count {
      guard bytes[index...].starts(with: [0x2F, 0x2F]) else {
        shown.append(bytes[index])
        index += 1
        continue
      }
      let authority = bytes[(index + 2)...].prefix { !Self.endsAuthority($0) }
      shown += [0x2F, 0x2F]
      if let at = authority.lastIndex(of: 0x40) {
        shown += Array("…".utf8) + authority[at...]
      } else {
        shown += authority
      }
      index = authority.endIndex
    }
    return String(decoding: shown, as: UTF8.self)
  }

  private static func endsAuthority(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x2F, 0x3F, 0x23, 0x20, 0x09, 0x22, 0x3C, 0x3E: true  // / ? # and what may stand around a URL
    default: false
    }
  }
}

/// The value of a header field as it may be shown: those of some names are secret.
func shownValue(of name: String, _ value: String) -> String {
  switch name.asciiLowercased {
  case "authorization", "cookie", "proxy-authorization", "set-cookie": "<hidden>"
  default: value.withoutCredentialsInURLs.safeForDisplay
  }
}
