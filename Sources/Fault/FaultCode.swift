// SPDX-License-Identifier: Apache-2.0

/// The steps on the way to an answer, in their order.
public enum FaultStep: String, CaseIterable, Sendable {
  /// Reading what the user asked for.
  case target
  /// Obtaining a client identity.
  case credentials
  /// Turning a name into addresses.
  case resolve
  /// Opening a connection.
  case connect
  /// Asking a proxy for the connection.
  case proxy
  /// Shaking hands over TLS, certificates and ALPN included.
  case tls
  /// Exchanging the first SETTINGS of HTTP/2.
  case http2
  /// Making the call.
  case call
  /// Judging the answer.
  case answer
}

/// What can fail. The raw value is the stable name in machine-readable output; names are added, never changed.
public enum FaultCode: String, CaseIterable, Sendable {
  case badTarget = "bad-target"

  case noIdentity = "no-identity"

  case nameNotFound = "name-not-found"
  case nameHasNoAddress = "name-has-no-address"
  case resolverFailed = "resolver-failed"
  case resolveTimeout = "resolve-timeout"

  case connectionRefused = "connection-refused"
  case connectTimeout = "connect-timeout"
  case noRoute = "no-route"
  case hostUnreachable = "host-unreachable"
  case socketNotFound = "socket-not-found"
  case connectForbidden = "connect-forbidden"
  case connectFailed = "connect-failed"

  case badProxy = "bad-proxy"
  case proxyUnreachable = "proxy-unreachable"
  case proxyRefused = "proxy-refused"
  case proxyFailed = "proxy-failed"
  case proxyTimeout = "proxy-timeout"

  case tlsTimeout = "tls-timeout"
  case tlsClosed = "tls-closed"
  case tlsFailed = "tls-failed"
  case tlsAlert = "tls-alert"
  case serverNotTLS = "server-not-tls"
  case certificateExpired = "certificate-expired"
  case certificateNotYetValid = "certificate-not-yet-valid"
  case certificateWrongHost = "certificate-wrong-host"
  case certificateNoNames = "certificate-no-names"
  case certificateUnknownIssuer = "certificate-unknown-issuer"
  case certificateSelfSigned = "certificate-self-signed"
  case certificateWeak = "certificate-weak"
  case certificateWrongUsage = "certificate-wrong-usage"
  case certificateInvalid = "certificate-invalid"
  case certificateExpiresSoon = "certificate-expires-soon"
  case clientCertificateWanted = "client-certificate-wanted"
  case alpnMissing = "alpn-missing"

  case serverSpeaksTLS = "server-speaks-tls"
  case serverSpeaksHTTP1 = "server-speaks-http1"
  case serverNotHTTP2 = "server-not-http2"
  case noSettings = "no-settings"
  case closedBeforeSettings = "closed-before-settings"
  case goAway = "goaway"
  case tooManyPings = "too-many-pings"
  case protocolViolation = "protocol-violation"
  case compressionFailed = "compression-failed"

  case callTimeout = "call-timeout"
  case connectionLost = "connection-lost"
  case streamReset = "stream-reset"
  case callFailed = "call-failed"
  case notImplemented = "not-implemented"

  case notServing = "not-serving"

  case cancelled = "cancelled"
  case systemFailure = "system-failure"
}

extension FaultCode {
  /// The step in which it fails.
  public var step: FaultStep {
    switch self {
    case .badTarget: .target
    case .noIdentity: .credentials
    case .nameNotFound, .nameHasNoAddress, .resolverFailed, .resolveTimeout: .resolve
    case .connectionRefused, .connectTimeout, .noRoute, .hostUnreachable, .socketNotFound, .connectForbidden,
      .connectFailed, .cancelled, .systemFailure:
      .connect
    case .badProxy, .proxyUnreachable, .proxyRefused, .proxyFailed, .proxyTimeout: .proxy
    case .tlsTimeout, .tlsClosed, .tlsFailed, .tlsAlert, .serverNotTLS, .certificateExpired, .certificateNotYetValid,
      .certificateWrongHost, .certificateNoNames, .certificateUnknownIssuer, .certificateSelfSigned, .certificateWeak,
      .certificateWrongUsage, .certificateInvalid, .certificateExpiresSoon, .clientCertificateWanted, .alpnMissing:
      .tls
    case .serverSpeaksTLS, .serverSpeaksHTTP1, .serverNotHTTP2, .noSettings, .closedBeforeSettings, .goAway,
      .tooManyPings, .protocolViolation, .compressionFailed:
      .http2
    case .callTimeout, .connectionLost, .streamReset, .callFailed, .notImplemented: .call
    case .notServing: .answer
    }
  }

  /// Whether trying again cannot help: somebody has to change something first.
  ///
  /// A server that starts refuses, resets and stays silent, and its name appears late: all that may pass by itself.
  public var isPermanent: Bool {
    switch self {
    case .badTarget, .badProxy, .proxyRefused, .connectForbidden, .tlsFailed, .tlsAlert, .serverNotTLS,
      .certificateExpired, .certificateNotYetValid, .certificateWrongHost, .certificateNoNames,
      .certificateUnknownIssuer, .certificateSelfSigned, .certificateWeak, .certificateWrongUsage, .certificateInvalid,
      .certificateExpiresSoon, .clientCertificateWanted, .alpnMissing, .serverSpeaksTLS, .serverSpeaksHTTP1,
      .serverNotHTTP2, .protocolViolation, .compressionFailed, .notImplemented, .cancelled, .systemFailure:
      true
    case .noIdentity, .nameNotFound, .nameHasNoAddress, .resolverFailed, .resolveTimeout, .connectionRefused,
      .connectTimeout, .noRoute, .hostUnreachable, .socketNotFound, .connectFailed, .proxyUnreachable, .proxyFailed,
      .proxyTimeout, .tlsTimeout, .tlsClosed, .noSettings, .closedBeforeSettings, .goAway,
      .tooManyPings, .callTimeout, .connectionLost, .streamReset, .callFailed, .notServing:
      false
    }
  }

  /// What went wrong, as the beginning of a sentence that goes on with where it did.
  public var phrase: String {
    switch self {
    case .badTarget: "not a target"
    case .noIdentity: "no identity from"
    case .nameNotFound: "no such name:"
    case .nameHasNoAddress: "the name has no address:"
    case .resolverFailed: "the resolver failed on"
    case .resolveTimeout: "the resolver did not answer in time for"
    case .connectionRefused: "connection refused by"
    case .connectTimeout: "timed out connecting to"
    case .noRoute: "no route to"
    case .hostUnreachable: "host unreachable:"
    case .socketNotFound: "no such socket:"
    case .connectForbidden: "not permitted to connect to"
    case .connectFailed: "connecting failed to"
    case .badProxy: "not a usable proxy:"
    case .proxyUnreachable: "cannot reach the proxy"
    case .proxyRefused: "connection refused by the proxy"
    case .proxyFailed: "no tunnel from the proxy"
    case .proxyTimeout: "timed out waiting for the proxy"
    case .tlsTimeout: "timed out in the TLS handshake with"
    case .tlsClosed: "connection closed in the TLS handshake by"
    case .tlsFailed: "TLS handshake failed with"
    case .tlsAlert: "TLS handshake refused by"
    case .serverNotTLS: "server speaks no TLS:"
    case .certificateExpired: "certificate expired:"
    case .certificateNotYetValid: "certificate not yet valid:"
    case .certificateWrongHost: "certificate is for another name:"
    case .certificateNoNames: "certificate names no host (no subject alternative name):"
    case .certificateUnknownIssuer: "certificate issuer unknown:"
    case .certificateSelfSigned: "certificate is self-signed:"
    case .certificateWeak: "certificate too weak:"
    case .certificateWrongUsage: "certificate is not for a server:"
    case .certificateInvalid: "certificate invalid:"
    case .certificateExpiresSoon: "certificate expires soon:"
    case .clientCertificateWanted: "client certificate wanted by"
    case .alpnMissing: "ALPN: no h2 from"
    case .serverSpeaksTLS: "server speaks TLS:"
    case .serverSpeaksHTTP1: "server speaks HTTP/1.1, not HTTP/2:"
    case .serverNotHTTP2: "server speaks no HTTP/2:"
    case .noSettings: "connected, but no HTTP/2 SETTINGS came in time from"
    case .closedBeforeSettings: "connected, then closed before HTTP/2 began by"
    case .goAway: "connection ended with GOAWAY by"
    case .tooManyPings: "connection ended for too many PINGs by"
    case .protocolViolation: "HTTP/2 violated by"
    case .compressionFailed: "header compression failed with"
    case .callTimeout: "no answer to the call in time from"
    case .connectionLost: "connection lost to"
    case .streamReset: "stream cut off by"
    case .callFailed: "the call failed at"
    case .notImplemented: "no such method at"
    case .notServing: "reachable, but not serving:"
    case .cancelled: "stopped by a signal on the way to"
    case .systemFailure: "the system refused a call for"
    }
  }

  /// What to do about it; empty where nothing general can be said.
  public var advice: String {
    switch self {
    case .badTarget: ""
    case .noIdentity: "check that the workload API's socket is mounted and this workload is registered"
    case .nameNotFound: "check the spelling and that both containers share a network"
    case .nameHasNoAddress: "check the name's A and AAAA records"
    case .resolverFailed: "check the name servers in /etc/resolv.conf"
    case .resolveTimeout: "check that the name servers in /etc/resolv.conf can be reached"
    case .connectionRefused: "nothing listens there: check the port, and that the server has started on this address"
    case .connectTimeout: "the host is down, or a firewall drops the packets"
    case .noRoute: "check the address and the network's routes"
    case .hostUnreachable: "no host with this address answers on its network"
    case .socketNotFound: "check the path, that the server has started, and that the volume is mounted"
    case .connectForbidden: "check the socket's permissions, the user id, or the firewall's rules"
    case .connectFailed: ""
    case .badProxy: "HTTPS_PROXY takes http://[USER:PASSWORD@]HOST:PORT; NO_PROXY or -no-proxy goes without"
    case .proxyUnreachable: "check HTTPS_PROXY, or go without a proxy by NO_PROXY or -no-proxy"
    case .proxyRefused: "check the proxy's rules and credentials, or go without it by NO_PROXY or -no-proxy"
    case .proxyFailed: "the proxy cannot reach the target, or is none: check HTTPS_PROXY"
    case .proxyTimeout: "the proxy cannot reach the target in time, or is none: check HTTPS_PROXY"
    case .tlsTimeout: "the server may not speak TLS, or be overloaded"
    case .tlsClosed: "the server may not speak TLS, or refuse this client"
    case .tlsFailed: ""
    case .tlsAlert: "the server's log says why"
    case .serverNotTLS: "leave -tls out, or use the port that speaks TLS"
    case .certificateExpired: "renew the server's certificate"
    case .certificateNotYetValid: "check both machines' clocks"
    case .certificateWrongHost: "use one of its names, or -tls-server-name"
    case .certificateNoNames: "issue a certificate with a subject alternative name"
    case .certificateUnknownIssuer:
      "give the issuer with -tls-ca-cert, or let the server send its intermediate certificates"
    case .certificateSelfSigned: "give that certificate with -tls-ca-cert, if it is to be trusted"
    case .certificateWeak: "issue a certificate with a stronger key and signature"
    case .certificateWrongUsage: "issue a certificate whose extended key usage has serverAuth"
    case .certificateInvalid: ""
    case .certificateExpiresSoon: "renew the server's certificate"
    case .clientCertificateWanted: "give one that the server trusts with -tls-client-cert and -tls-client-key"
    case .alpnMissing: "the server must offer h2 by ALPN; GRPC_ENFORCE_ALPN_ENABLED=false does without"
    case .serverSpeaksTLS: "add -tls"
    case .serverSpeaksHTTP1: "use the port that speaks gRPC, or switch HTTP/2 on"
    case .serverNotHTTP2: "check the port: something else listens there"
    case .noSettings: "the server hangs, or waits for something else, such as TLS"
    case .closedBeforeSettings: "the server refuses this client, is going down, or speaks something else, such as TLS"
    case .goAway: "the server is going down or asks to be left alone"
    case .tooManyPings: "send keepalives less often, or let the server permit them"
    case .protocolViolation: "the server, or a proxy before it, is faulty"
    case .compressionFailed: "the two ends lost each other's header tables: the server, or a proxy before it, is faulty"
    case .callTimeout: "the server is overloaded or hangs; -rpc-timeout gives it longer"
    case .connectionLost: "the server went down during the call"
    case .streamReset: "the server, or a proxy before it, gave the call up: its log says why"
    case .callFailed: ""
    case .notImplemented: "the server must register the service grpc.health.v1.Health"
    case .notServing: "the server's own checks, or its log, say why"
    case .cancelled: ""
    case .systemFailure: "check the limits on descriptors, memory and processes"
    }
  }
}
