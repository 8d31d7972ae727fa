// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The rules of X.509-SVIDs, beyond a valid chain (SPIFFE X509-SVID sections 2, 4 and 5; SPIFFE-ID section 2).
enum SPIFFE {
  /// The trust domain of a leaf certificate that is a valid SVID; nil for any other certificate.
  static func trustDomain(of leaf: CertificateFacts) -> String? {
    guard !leaf.isCA, !leaf.maySignCertificates, leaf.uris.count == 1, let id = leaf.uris.first else { return nil }
    return trustDomain(ofID: id)
  }

  /// The trust domain of `spiffe://domain/path`; nil where the text is no SPIFFE ID.
  static func trustDomain(ofID id: String) -> String? {
    let scheme = "spiffe://"
    guard id.utf8.count <= maximumID, id.asciiLowercased.utf8.starts(with: scheme.utf8) else { return nil }
    let parts = String(Substring(id.utf8.dropFirst(scheme.utf8.count))).split(onASCII: 0x2F)
    guard let domain = parts.first, !domain.isEmpty, domain.utf8.count <= 255 else { return nil }
    guard domain.utf8.allSatisfy({ isNameByte($0) && $0.asciiLowercased == $0 }) else { return nil }
    for segment in parts.dropFirst() {
      guard !segment.isEmpty, segment != ".", segment != ".." else { return nil }
      guard segment.utf8.allSatisfy({ isNameByte($0) }) else { return nil }
    }
    return domain
  }

  /// The longest ID that every implementation must accept, and that this one accepts.
  static let maximumID = 2048

  private static func isNameByte(_ byte: UInt8) -> Bool {
    byte.isASCIILetter || byte.isASCIIDigit || byte == 0x2D || byte == 0x2E || byte == 0x5F
  }
}
