// SPDX-License-Identifier: Apache-2.0

internal import Fault
internal import HealthProbe

extension Fault {
  /// The stable code under which netdiag reports the fault. A call that fails has a status, which may say more than
  /// that it failed.
  var diagnosis: String {
    guard code == .callFailed else { return code.diagnosis }
    if detail.hasPrefix("DEADLINE_EXCEEDED") { return "DEADLINE_EXPIRED" }
    let isTooLarge = ErrorText.find(in: Array(detail.utf8)).first?.code == "MESSAGE_TOO_LARGE"
    return detail.hasPrefix("RESOURCE_EXHAUSTED") && isTooLarge ? "MESSAGE_TOO_LARGE" : code.diagnosis
  }
}

extension HealthCheck.Service {
  /// The stable code of a service that is not well; `OK` for one that is.
  var diagnosis: String {
    guard let fault else { return "OK" }
    guard fault.code == .notImplemented else { return fault.diagnosis }
    // The server says whether it is the service that it does not know, or the method alone.
    let said = ErrorText.find(in: Array(line.utf8)).first?.phrase
    return said == "unknown method" ? "METHOD_UNIMPLEMENTED" : fault.diagnosis
  }
}

extension FaultCode {
  /// The stable code under which netdiag reports a fault; see docs/diagnoses.md.
  var diagnosis: String {
    switch self {
    case .badTarget: "BAD_TARGET"
    case .noIdentity: "NO_IDENTITY"
    case .nameNotFound: "DNS_NXDOMAIN"
    case .nameHasNoAddress: "DNS_NO_ADDRESS"
    case .resolverFailed: "DNS_UNREACHABLE"
    case .resolveTimeout: "DNS_TIMEOUT"
    case .connectionRefused: "TCP_REFUSED"
    case .connectTimeout: "TCP_TIMEOUT"
    case .noRoute: "NO_ROUTE"
    case .hostUnreachable: "HOST_DOWN"
    case .socketNotFound: "NOT_LISTENING"
    case .connectForbidden: "FORBIDDEN_LOCALLY"
    case .connectFailed: "TCP_FAILED"
    case .badProxy, .proxyUnreachable, .proxyRefused, .proxyFailed, .proxyTimeout: "PROXY_IN_THE_WAY"
    case .tlsTimeout: "TLS_TIMEOUT"
    case .tlsClosed: "TLS_CLOSED"
    case .tlsFailed, .tlsAlert: "TLS_HANDSHAKE"
    case .serverNotTLS: "TLS_TO_PLAINTEXT"
    case .certificateExpired: "CERT_EXPIRED"
    case .certificateNotYetValid: "CERT_NOT_YET_VALID"
    case .certificateWrongHost, .certificateNoNames: "CERT_HOSTNAME"
    case .certificateUnknownIssuer, .certificateSelfSigned: "CERT_UNTRUSTED"
    case .certificateWeak: "CERT_WEAK"
    case .certificateWrongUsage, .certificateInvalid: "CERT_INVALID"
    case .certificateExpiresSoon: "CERT_EXPIRES_SOON"
    case .clientCertificateWanted: "CLIENT_CERT_REQUIRED"
    case .alpnMissing: "ALPN_MISSING"
    case .serverSpeaksTLS: "PLAINTEXT_TO_TLS"
    case .serverSpeaksHTTP1, .serverNotHTTP2: "NOT_HTTP2"
    case .noSettings: "NO_SETTINGS"
    case .closedBeforeSettings: "ACCEPTED_THEN_CLOSED"
    case .goAway: "H2_GOAWAY"
    case .tooManyPings: "TOO_MANY_PINGS"
    case .protocolViolation: "H2_PROTOCOL_ERROR"
    case .compressionFailed: "H2_COMPRESSION_ERROR"
    case .callTimeout: "DEADLINE_EXPIRED"
    case .connectionLost: "CONNECTION_LOST"
    case .streamReset: "H2_RST_STREAM"
    case .callFailed: "GRPC_FAILED"
    case .notImplemented: "GRPC_UNIMPLEMENTED"
    case .notServing: "NOT_SERVING"
    case .cancelled: "CANCELLED"
    case .systemFailure: "SYSTEM_FAILURE"
    }
  }
}
