// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// What a certificate says (RFC 5280), read for people: texts are safe to print and bounded.
///
/// This is for reports. Whether a certificate is trusted is OpenSSL's decision alone; the only exception that reads a
/// fact from here is the rule for SPIFFE IDs, which can only refuse more.
public struct CertificateFacts: Equatable, Sendable {
  /// Whom the certificate names, most specific part first, as in `CN=localhost,O=Example` (RFC 4514).
  public var subject: String
  /// Who signed it, written like ``subject``.
  public var issuer: String
  /// The serial number in lower-case hexadecimal.
  public var serialNumber: String
  /// When it becomes valid, in seconds since 1970.
  public var notBefore: Int64
  /// When it expires, in seconds since 1970.
  public var notAfter: Int64
  /// The DNS names of the subject alternative name, wildcards as they stand.
  public var dnsNames: [String] = []
  /// Its IP addresses as text.
  public var ipAddresses: [String] = []
  /// Its URIs; a SPIFFE ID is one.
  public var uris: [String] = []
  /// Its mail addresses.
  public var emails: [String] = []
  /// Whether it has a subject alternative name with any entry at all.
  public var hasAlternativeNames = false
  /// The public key's kind and size: `RSA 2048`, `EC P-256`, `Ed25519`.
  public var key: String
  /// The algorithm of the issuer's signature: `SHA-256 with RSA`, or the dotted object identifier of a rare one.
  public var signatureAlgorithm: String
  /// Whether it may issue certificates (basic constraints).
  public var isCA = false
  /// Whether its key usage allows it to sign certificates or revocation lists.
  public var maySignCertificates = false
  /// What the key may be used for (extended key usage): `serverAuth`, `clientAuth`, or dotted; nil where it does not
  /// say.
  public var extendedKeyUsages: [String]?
  /// Whether issuer and subject are the same name, as in a root.
  public var isSelfIssued: Bool
  /// Whether it asks clients to insist on a stapled OCSP response (RFC 7633).
  public var mustStaple = false
  /// The SHA-256 of the whole certificate in lower-case hexadecimal.
  public var sha256Fingerprint: String

  /// When it becomes valid, as `2026-05-04T03:02:01Z`.
  public var notBeforeText: String { CertificateTime.text(notBefore) }
  /// When it expires, as `2026-05-04T03:02:01Z`.
  public var notAfterText: String { CertificateTime.text(notAfter) }
  /// All names that a client could have asked for: DNS names, then addresses.
  public var hostNames: [String] { dnsNames + ipAddresses }

  /// So many names of each kind are kept: enough for every report, and a bound on what a peer can make us hold.
  static let maximumNames = 100
  /// Names and distinguished names are cut to so many bytes.
  static let maximumText = 512

  /// Reads one certificate; nil where the bytes are none.
  public init?(der: [UInt8]) {
    var outer = DERReader(der)
    guard let certificate = outer.next(DERReader.Tag.sequence) else { return nil }
    var parts = outer.inside(certificate)
    guard let signed = parts.next(DERReader.Tag.sequence), let algorithm = parts.next(DERReader.Tag.sequence) else {
      return nil
    }
    var fields = parts.inside(signed)
    _ = fields.next(DERReader.Tag.context(0))  // the version
    guard let serial = fields.next(DERReader.Tag.integer), fields.next(DERReader.Tag.sequence) != nil,
      let issuer = fields.next(DERReader.Tag.sequence), let validity = fields.next(DERReader.Tag.sequence),
      let subject = fields.next(DERReader.Tag.sequence), let key = fields.next(DERReader.Tag.sequence)
    else { return nil }
    var times = fields.inside(validity)
    guard let from = times.next(), let until = times.next(),
      let notBefore = CertificateTime.seconds(of: from, in: der),
      let notAfter = CertificateTime.seconds(of: until, in: der)
    else { return nil }

    self.subject = CertificateText.name(subject, in: der)
    self.issuer = CertificateText.name(issuer, in: der)
    self.notBefore = notBefore
    self.notAfter = notAfter
    serialNumber = hexadecimal(der[serial.content].drop { $0 == 0 }.prefix(32))
    isSelfIssued = der[issuer.whole].elementsEqual(der[subject.whole])
    signatureAlgorithm = CertificateAlgorithms.signature(algorithm, in: der)
    self.key = CertificateAlgorithms.key(key, in: der)
    sha256Fingerprint = hexadecimal(sha256(der.span)[...])

    while let field = fields.next() {
      guard field.tag == DERReader.Tag.context(3) else { continue }
      var wrapper = fields.inside(field)
      guard let list = wrapper.next(DERReader.Tag.sequence) else { continue }
      var extensions = wrapper.inside(list)
      while let item = extensions.next(DERReader.Tag.sequence) { readExtension(extensions.inside(item)) }
    }
  }

  private mutating func readExtension(_ item: DERReader) {
    var item = item
    let der = item.bytes
    guard let identifier = item.next(DERReader.Tag.objectIdentifier) else { return }
    _ = item.next(DERReader.Tag.boolean)  // whether it is critical
    guard let wrapped = item.next(DERReader.Tag.octetString) else { return }
    var value = item.inside(wrapped)
    switch ObjectIdentifier.text(der[identifier.content]) {
    case "2.5.29.15":  // key usage: bit 5 signs certificates, bit 6 signs revocation lists
      guard let bits = value.next(DERReader.Tag.bitString), bits.content.count >= 2 else { return }
      maySignCertificates = der[bits.content.lowerBound + 1] & 0x06 != 0
    case "2.5.29.17":
      guard let names = value.next(DERReader.Tag.sequence) else { return }
      readAlternativeNames(value.inside(names))
    case "2.5.29.19":
      guard let constraints = value.next(DERReader.Tag.sequence) else { return }
      var inner = value.inside(constraints)
      guard let flag = inner.next(DERReader.Tag.boolean) else { return }
      isCA = der[flag.content].contains { $0 != 0 }
    case "2.5.29.37":
      guard let list = value.next(DERReader.Tag.sequence) else { return }
      var usages = value.inside(list)
      var texts: [String] = []
      while let usage = usages.next(DERReader.Tag.objectIdentifier), texts.count < Self.maximumNames {
        texts.append(CertificateAlgorithms.usage(ObjectIdentifier.text(der[usage.content])))
      }
      extendedKeyUsages = texts
    case "1.3.6.1.5.5.7.1.24":
      mustStaple = true
    default: return
    }
  }

  /// GeneralNames (RFC 5280 section 4.2.1.6).
  private mutating func readAlternativeNames(_ names: DERReader) {
    var names = names
    while let name = names.next() {
      hasAlternativeNames = true
      let content = names.bytes[name.content]
      switch name.tag {
      case DERReader.Tag.primitiveContext(1): add(CertificateText.plain(content), to: &emails)
      case DERReader.Tag.primitiveContext(2): add(CertificateText.plain(content), to: &dnsNames)
      case DERReader.Tag.primitiveContext(6): add(CertificateText.plain(content, limit: SPIFFE.maximumID), to: &uris)
      case DERReader.Tag.primitiveContext(7): add(AddressText.text(content), to: &ipAddresses)
      default: continue
      }
    }
  }

  private func add(_ text: String, to list: inout [String]) {
    if list.count < Self.maximumNames { list.append(text) }
  }

  /// The DER of the subject's name, found at the head of a certificate; nil where it is not within these bytes.
  static func subject(ofHead bytes: [UInt8]) -> Range<Int>? {
    var reader = DERReader(bytes)
    guard reader.enter(DERReader.Tag.sequence), reader.enter(DERReader.Tag.sequence) else { return nil }
    _ = reader.next(DERReader.Tag.context(0))
    guard reader.next(DERReader.Tag.integer) != nil, reader.next(DERReader.Tag.sequence) != nil,
      reader.next(DERReader.Tag.sequence) != nil, reader.next(DERReader.Tag.sequence) != nil
    else { return nil }
    return reader.next(DERReader.Tag.sequence)?.whole
  }
}

/// Bytes as lower-case hexadecimal digits.
func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
  var digits: [UInt8] = []
  digits.reserveCapacity(bytes.count * 2)
  for byte in bytes {
    for nibble in [byte >> 4, byte & 0x0F] { digits.append(nibble < 10 ? 0x30 + nibble : 0x57 + nibble) }
  }
  return String(decoding: digits, as: UTF8.self)
}
