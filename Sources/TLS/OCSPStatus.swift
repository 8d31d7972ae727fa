// SPDX-License-Identifier: Apache-2.0

/// What an OCSP response says about its first certificate (RFC 6960 section 4.2.1). It is read, not verified: a fact to
/// show, never a reason to trust.
public struct OCSPStatus: Equatable, Sendable {
  /// The three answers.
  public enum Answer: Equatable, Sendable {
    /// Not revoked.
    case good
    /// Revoked.
    case revoked
    /// The responder does not know the certificate.
    case unknown
  }

  /// The answer.
  public var answer: Answer
  /// From when on it holds, in seconds since 1970.
  public var thisUpdate: Int64
  /// When a newer one is available; nil where the responder always has a newer one.
  public var nextUpdate: Int64?

  /// Reads a response in DER; nil where it is none, or the responder refused to answer.
  public init?(response: [UInt8]) {
    var reader = DERReader(response)
    guard let outer = reader.next(DERReader.Tag.sequence) else { return nil }
    var parts = reader.inside(outer)
    guard let status = parts.next(DERReader.Tag.enumerated), response[status.content].elementsEqual([0]),
      let wrapper = parts.next(DERReader.Tag.context(0))
    else { return nil }
    var wrapped = parts.inside(wrapper)
    guard let basic = wrapped.next(DERReader.Tag.sequence) else { return nil }
    var typed = wrapped.inside(basic)
    guard let type = typed.next(DERReader.Tag.objectIdentifier),
      ObjectIdentifier.text(response[type.content]) == "1.3.6.1.5.5.7.48.1.1",
      let octets = typed.next(DERReader.Tag.octetString)
    else { return nil }
    var body = typed.inside(octets)
    guard body.enter(DERReader.Tag.sequence), body.enter(DERReader.Tag.sequence) else { return nil }
    _ = body.next(DERReader.Tag.context(0))  // the version
    guard body.next() != nil, body.next(DERReader.Tag.generalizedTime) != nil,  // the responder, the time
      let list = body.next(DERReader.Tag.sequence)
    else { return nil }
    var responses = body.inside(list)
    guard let first = responses.next(DERReader.Tag.sequence) else { return nil }
    var single = responses.inside(first)
    guard single.next(DERReader.Tag.sequence) != nil, let answer = single.next(), let from = single.next(),
      let thisUpdate = CertificateTime.seconds(of: from, in: response)
    else { return nil }
    switch answer.tag {
    case DERReader.Tag.primitiveContext(0): self.answer = .good
    case DERReader.Tag.context(1): self.answer = .revoked
    case DERReader.Tag.primitiveContext(2): self.answer = .unknown
    default: return nil
    }
    self.thisUpdate = thisUpdate
    if let next = single.next(DERReader.Tag.context(0)) {
      var inner = single.inside(next)
      nextUpdate = inner.next().flatMap { CertificateTime.seconds(of: $0, in: response) }
    }
  }
}
