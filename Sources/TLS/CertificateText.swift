// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Names inside certificates as text for one line: every string type decoded, nothing unprintable left, length bounded.
enum CertificateText {
  /// A distinguished name, most specific part first, parts joined by commas (RFC 4514).
  static func name(_ element: DERElement, in bytes: [UInt8]) -> String {
    var sets = DERReader(bytes, element.content)
    var parts: [String] = []
    while let set = sets.next(DERReader.Tag.set), parts.count < 32 {
      var attributes = sets.inside(set)
      var joined = ""
      while let attribute = attributes.next(DERReader.Tag.sequence), joined.utf8.count < CertificateFacts.maximumText {
        var pair = attributes.inside(attribute)
        guard let kind = pair.next(DERReader.Tag.objectIdentifier), let value = pair.next() else { continue }
        if !joined.isEmpty { joined += "+" }
        joined += keyword(ObjectIdentifier.text(bytes[kind.content])) + "="
        joined += escaped(text(value, in: bytes))
      }
      parts.append(joined)
    }
    return parts.reversed().joined(separator: ",").shortened(toUTF8Count: CertificateFacts.maximumText)
  }

  /// The text of an `IA5String` without a tag of its own.
  static func plain(_ content: ArraySlice<UInt8>, limit: Int = CertificateFacts.maximumText) -> String {
    // One byte more than the limit lets the shortening see that something is missing.
    String(decoding: content.prefix(limit + 1), as: UTF8.self).safeForDisplay.shortened(toUTF8Count: limit)
  }

  /// The text of a directory string; types without a rule here read as UTF-8.
  private static func text(_ element: DERElement, in bytes: [UInt8]) -> String {
    let content = bytes[element.content].prefix(4 * CertificateFacts.maximumText)
    switch element.tag {
    case DERReader.Tag.teletexString: return wide(content, width: 1).safeForDisplay
    case DERReader.Tag.bmpString: return wide(content, width: 2).safeForDisplay
    case DERReader.Tag.universalString: return wide(content, width: 4).safeForDisplay
    default: return String(decoding: content, as: UTF8.self).safeForDisplay
    }
  }

  /// Big-endian code points of one, two or four bytes; what is no scalar becomes the replacement character.
  private static func wide(_ content: ArraySlice<UInt8>, width: Int) -> String {
    var text = ""
    var index = content.startIndex
    while index + width <= content.endIndex {
      var value: UInt32 = 0
      for byte in content[index..<index + width] { value = value << 8 | UInt32(byte) }
      text.unicodeScalars.append(Unicode.Scalar(value) ?? "\u{FFFD}")
      index += width
    }
    return text
  }

  /// A value with the characters escaped that have a meaning between values (RFC 4514 section 2.4).
  private static func escaped(_ value: String) -> String {
    var text = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case ",", "+", "\"", "<", ">", ";": text += "\\"
      default: break
      }
      text.unicodeScalars.append(scalar)
    }
    return text
  }

  /// The short names that RFC 4514 section 3 and common use give to attribute types.
  private static func keyword(_ identifier: String) -> String {
    switch identifier {
    case "2.5.4.3": "CN"
    case "2.5.4.5": "serialNumber"
    case "2.5.4.6": "C"
    case "2.5.4.7": "L"
    case "2.5.4.8": "ST"
    case "2.5.4.9": "STREET"
    case "2.5.4.10": "O"
    case "2.5.4.11": "OU"
    case "2.5.4.97": "organizationIdentifier"
    case "0.9.2342.19200300.100.1.1": "UID"
    case "0.9.2342.19200300.100.1.25": "DC"
    case "1.2.840.113549.1.9.1": "emailAddress"
    default: identifier
    }
  }
}

/// IP addresses of certificates as text.
enum AddressText {
  /// Four bytes in dotted decimal, sixteen as IPv6 in the form of RFC 5952; any other count in hexadecimal.
  static func text(_ bytes: ArraySlice<UInt8>) -> String {
    switch bytes.count {
    case 4: return bytes.map { String($0) }.joined(separator: ".")
    case 16: return ipv6(Array(bytes))
    default: return hexadecimal(bytes.prefix(32))
    }
  }

  private static func ipv6(_ bytes: [UInt8]) -> String {
    let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    // The longest run of zero groups, the first of equals, at least two long, is written as "::".
    var best = 0..<0
    var start = 0
    while start < 8 {
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start > max(best.count, 1) { best = start..<end }
      start = max(end, start + 1)
    }
    let words = groups.map { String($0, radix: 16) }
    guard !best.isEmpty else { return words.joined(separator: ":") }
    return words[..<best.lowerBound].joined(separator: ":") + "::" + words[best.upperBound...].joined(separator: ":")
  }
}
