// SPDX-License-Identifier: Apache-2.0

extension FaultCode {
  /// What to do about it, for those who read it from a program that is configured in code, and has no flags of the
  /// probe's.
  public var programAdvice: String {
    switch self {
    case .serverNotTLS: "connect without TLS, or use the port that speaks TLS"
    case .serverSpeaksTLS: "connect with TLS"
    case .certificateWrongHost: "use one of its names as the target or as the TLS server name"
    case .certificateUnknownIssuer: "trust its issuer, or let the server send its intermediate certificates"
    case .certificateSelfSigned: "add that certificate to the roots, if it is to be trusted"
    case .clientCertificateWanted: "show one that the server trusts"
    case .alpnMissing: "the server must offer h2 by ALPN"
    case .callTimeout: "the server is overloaded or hangs; a later deadline gives it longer"
    case .badProxy, .proxyUnreachable, .proxyRefused, .proxyFailed, .proxyTimeout: "check the proxy"
    default: advice
    }
  }
}

extension Fault {
  /// The summary and what to do about it, for those who read it from a program: one line without a full stop.
  public var programReason: String {
    let advice = hint.isEmpty ? code.programAdvice : hint
    return advice.isEmpty ? summary : summary + "; " + advice
  }
}
