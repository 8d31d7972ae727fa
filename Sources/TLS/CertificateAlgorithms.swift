// SPDX-License-Identifier: Apache-2.0

/// Object identifiers in dotted decimal.
enum ObjectIdentifier {
  /// The dotted text of an identifier's content (X.690 section 8.19); a part beyond 28 bits, or a cut-off one, ends it.
  static func text(_ content: ArraySlice<UInt8>) -> String {
    var text = ""
    var value = 0
    for byte in content.prefix(64) {
      guard value < 1 << 28 else { return text }
      value = value << 7 | Int(byte & 0x7F)
      guard byte & 0x80 == 0 else { continue }
      if text.isEmpty {
        let first = min(value / 40, 2)
        text = String(first) + "." + String(value - first * 40)
      } else {
        text += "." + String(value)
      }
      value = 0
    }
    return text
  }
}

/// Names of the keys, signatures and usages that certificates of today have.
enum CertificateAlgorithms {
  /// The kind and size of a `SubjectPublicKeyInfo`.
  static func key(_ element: DERElement, in bytes: [UInt8]) -> String {
    var parts = DERReader(bytes, element.content)
    guard let algorithm = parts.next(DERReader.Tag.sequence), let bits = parts.next(DERReader.Tag.bitString) else {
      return "unknown"
    }
    var inner = parts.inside(algorithm)
    guard let identifier = inner.next(DERReader.Tag.objectIdentifier) else { return "unknown" }
    switch ObjectIdentifier.text(bytes[identifier.content]) {
    case "1.2.840.113549.1.1.1": return "RSA" + modulusSize(bits, in: bytes)
    case "1.2.840.113549.1.1.10": return "RSA-PSS" + modulusSize(bits, in: bytes)
    case "1.2.840.10045.2.1":
      guard let curve = inner.next(DERReader.Tag.objectIdentifier) else { return "EC" }
      return "EC " + curveName(ObjectIdentifier.text(bytes[curve.content]))
    case "1.2.840.10040.4.1": return "DSA"
    case "1.3.101.112": return "Ed25519"
    case "1.3.101.113": return "Ed448"
    case let other: return other
    }
  }

  /// The name of a signature's `AlgorithmIdentifier`.
  static func signature(_ element: DERElement, in bytes: [UInt8]) -> String {
    var parts = DERReader(bytes, element.content)
    guard let identifier = parts.next(DERReader.Tag.objectIdentifier) else { return "unknown" }
    switch ObjectIdentifier.text(bytes[identifier.content]) {
    case "1.2.840.113549.1.1.4": return "MD5 with RSA"
    case "1.2.840.113549.1.1.5": return "SHA-1 with RSA"
    case "1.2.840.113549.1.1.10": return "RSA-PSS"
    case "1.2.840.113549.1.1.11": return "SHA-256 with RSA"
    case "1.2.840.113549.1.1.12": return "SHA-384 with RSA"
    case "1.2.840.113549.1.1.13": return "SHA-512 with RSA"
    case "1.2.840.10045.4.1": return "SHA-1 with ECDSA"
    case "1.2.840.10045.4.3.2": return "SHA-256 with ECDSA"
    case "1.2.840.10045.4.3.3": return "SHA-384 with ECDSA"
    case "1.2.840.10045.4.3.4": return "SHA-512 with ECDSA"
    case "1.3.101.112": return "Ed25519"
    case "1.3.101.113": return "Ed448"
    case let other: return other
    }
  }

  /// The name of an extended key usage.
  static func usage(_ identifier: String) -> String {
    switch identifier {
    case "1.3.6.1.5.5.7.3.1": "serverAuth"
    case "1.3.6.1.5.5.7.3.2": "clientAuth"
    case "1.3.6.1.5.5.7.3.3": "codeSigning"
    case "1.3.6.1.5.5.7.3.4": "emailProtection"
    case "1.3.6.1.5.5.7.3.9": "OCSPSigning"
    case "2.5.29.37.0": "any"
    default: identifier
    }
  }

  private static func curveName(_ identifier: String) -> String {
    switch identifier {
    case "1.2.840.10045.3.1.1": "P-192"
    case "1.3.132.0.33": "P-224"
    case "1.2.840.10045.3.1.7": "P-256"
    case "1.3.132.0.34": "P-384"
    case "1.3.132.0.35": "P-521"
    case "1.3.132.0.10": "secp256k1"
    default: identifier
    }
  }

  /// A space and the bits of an RSA key's modulus, the first integer of the key.
  private static func modulusSize(_ bits: DERElement, in bytes: [UInt8]) -> String {
    guard bits.content.count > 1 else { return "" }
    var outer = DERReader(bytes, bits.content.lowerBound + 1..<bits.content.upperBound)
    guard let key = outer.next(DERReader.Tag.sequence) else { return "" }
    var inner = outer.inside(key)
    guard let modulus = inner.next(DERReader.Tag.integer) else { return "" }
    let digits = bytes[modulus.content].drop { $0 == 0 }
    guard let first = digits.first else { return "" }
    return " " + String(digits.count * 8 - first.leadingZeroBitCount)
  }
}
