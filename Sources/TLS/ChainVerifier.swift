// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// The rules for a peer's chain, applied twice: by the handshake, which ends at the first fault, and offline, where
/// every fault is collected for the report. The second never has a say in the first.
@safe final class ChainVerifier: @unchecked Sendable {
  enum Rule: Sendable {
    case server(ServerName)
    case anyServer
    case client
    case workload
  }

  let rule: Rule
  let store: RootStore
  /// The roots of each SPIFFE trust domain, as stacks of `X509`.
  private var domains: [(name: String, roots: OpaquePointer)] = unsafe []

  /// A verifier of a client's or, with ``Rule/anyServer``, a server's chain.
  init(_ rule: Rule, roots: TrustRoots) throws(TLSConfigurationError) {
    self.rule = rule
    store = try RootStore(roots)
  }

  /// What a client's configuration demands; a client that does not verify gets the rules that a full verification has.
  convenience init(_ configuration: TLSClientConfiguration) throws(TLSConfigurationError) {
    var name: ServerName?
    if let text = configuration.serverName {
      guard let parsed = ServerName(text) else { throw .invalidServerName(text) }
      name = parsed
    }
    switch configuration.verification {
    case .chainOnly: try self.init(.anyServer, roots: configuration.roots)
    case .none:
      if let name {
        try self.init(.server(name), roots: configuration.roots)
      } else {
        try self.init(.anyServer, roots: configuration.roots)
      }
    case .full:
      guard let name else { throw .missingServerName }
      try self.init(.server(name), roots: configuration.roots)
    case .spiffe(let bundles):
      try self.init(.workload, roots: .none)
      for bundle in bundles {
        guard let stack = unsafe sonde_sk_X509_new() else { throw .library(TLSLibrary.takeErrorText()) }
        unsafe domains.append((name: bundle.trustDomain, roots: stack))
        let parsed = unsafe X509Handle.forEach(concatenated: bundle.certificates) { certificate in
          guard unsafe X509_up_ref(certificate) == 1 else { return false }
          if unsafe sonde_sk_X509_push(stack, certificate) > 0 { return true }
          unsafe X509_free(certificate)
          return false
        }
        guard parsed else { throw .unusableCertificate }
      }
    }
  }

  deinit { unsafe domains.forEach { unsafe sonde_sk_X509_pop_free($0.roots) } }

  /// Writes the rules into a verification's parameters, a context's or an offline one's.
  func apply(to parameters: OpaquePointer?) throws(TLSConfigurationError) {
    // Whatever is given as trusted is trusted, root or not.
    _ = unsafe X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    switch rule {
    case .anyServer, .client: break
    case .workload:
      // SVIDs need no extended key usage; the chain itself is checked all the same.
      _ = unsafe X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY)
    case .server(.dns(let name)):
      unsafe X509_VERIFY_PARAM_set_hostflags(
        parameters, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
      guard unsafe X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1 else { throw .invalidServerName(name) }
    case .server(.address(let address)):
      guard unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, address) == 1 else { throw .invalidServerName(address) }
    }
  }

  /// Runs a verification: 1 where the chain is good.
  ///
  /// For workloads the roots of the leaf's own trust domain are the only ones; a leaf that is no SVID, or of a domain
  /// without roots, is refused at once.
  func verify(_ context: OpaquePointer) -> Int32 {
    guard case .workload = rule else { return unsafe X509_verify_cert(context) }
    let leaf = unsafe X509_STORE_CTX_get0_cert(context).flatMap { unsafe CertificateFacts(der: X509Handle.der($0)) }
    let domain = leaf.flatMap { SPIFFE.trustDomain(of: $0) }
    guard let domain, let match = unsafe domains.first(where: { unsafe $0.name == domain }) else {
      unsafe X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION)
      return 0
    }
    unsafe X509_STORE_CTX_set0_trusted_stack(context, match.roots)
    return unsafe X509_verify_cert(context)
  }

  /// What speaks against a leaf as a workload's, before its chain is looked at.
  private func workloadFault(_ leaf: CertificateFacts?) -> CertificateFault? {
    guard case .workload = rule else { return nil }
    let domain = leaf.flatMap { SPIFFE.trustDomain(of: $0) }
    let isKnown = unsafe domains.contains { unsafe $0.name == domain }
    return isKnown ? nil : CertificateFault(code: .notSVID, depth: 0, certificate: leaf)
  }

  private func accepts(_ parameters: OpaquePointer) -> Bool {
    do {
      try unsafe apply(to: parameters)
      return true
    } catch {
      return false
    }
  }

  /// All that is wrong with a chain, in the order in which OpenSSL finds it; empty where nothing is.
  ///
  /// - Parameters:
  ///   - chain: the certificates in DER as the peer sent them, its own first.
  ///   - time: the moment to judge for, in seconds since 1970; now where nil.
  func faults(of chain: [[UInt8]], at time: Int64? = nil) -> [CertificateFault] {
    TLSLibrary.clearErrors()
    defer { TLSLibrary.clearErrors() }
    guard let first = chain.first else { return [CertificateFault(code: .missing, depth: 0)] }
    let facts = CertificateFacts(der: first)
    if let fault = workloadFault(facts) { return [fault] }
    guard let leaf = unsafe X509Handle.parse(first), let others = unsafe sonde_sk_X509_new(),
      let context = unsafe X509_STORE_CTX_new()
    else { return [CertificateFault(code: .other(Int(X509_V_ERR_UNSPECIFIED)), depth: 0)] }
    defer {
      unsafe X509_STORE_CTX_free(context)
      unsafe sonde_sk_X509_pop_free(others)
      unsafe X509_free(leaf)
    }
    for der in chain.dropFirst() {
      guard let certificate = unsafe X509Handle.parse(der) else { continue }
      if unsafe sonde_sk_X509_push(others, certificate) <= 0 { unsafe X509_free(certificate) }
    }
    let collector = FaultCollector(leaf: facts, rule: rule)
    let isClient: Bool
    if case .client = rule { isClient = true } else { isClient = false }
    guard unsafe X509_STORE_CTX_init(context, store.handle, leaf, others) == 1,
      unsafe X509_STORE_CTX_set_default(context, isClient ? "ssl_client" : "ssl_server") == 1,
      let parameters = unsafe X509_STORE_CTX_get0_param(context), unsafe accepts(parameters)
    else { return [CertificateFault(code: .other(Int(X509_V_ERR_UNSPECIFIED)), depth: 0)] }
    unsafe X509_VERIFY_PARAM_set_auth_level(parameters, TLSContext.securityLevel)
    if let time { unsafe X509_VERIFY_PARAM_set_time(parameters, Int(time)) }
    // The collector lives until the end of this function, longer than the context.
    _ = unsafe X509_STORE_CTX_set_ex_data(context, 0, Unmanaged.passUnretained(collector).toOpaque())
    unsafe X509_STORE_CTX_set_verify_cb(context, FaultCollector.callback)
    if unsafe verify(context) != 1 {
      unsafe collector.add(X509_STORE_CTX_get_error(context), depth: 0, certificate: leaf)
    }
    return withExtendedLifetime(collector) { collector.faults }
  }
}

/// Takes down what OpenSSL finds during an offline verification.
private final class FaultCollector {
  private(set) var faults: [CertificateFault] = []
  private let leaf: CertificateFacts?
  private let rule: ChainVerifier.Rule
  /// No chain has more to say; a bound on what a hostile one can make us keep.
  private static let maximumFaults = 64

  init(leaf: CertificateFacts?, rule: ChainVerifier.Rule) {
    self.leaf = leaf
    self.rule = rule
  }

  /// The context's first slot for extra data holds the collector. A return value of 1 lets the verification go on.
  static let callback: X509_STORE_CTX_verify_cb = { verdict, context in
    guard verdict != 1, let data = unsafe X509_STORE_CTX_get_ex_data(context, 0) else { return 1 }
    let collector = unsafe Unmanaged<FaultCollector>.fromOpaque(data).takeUnretainedValue()
    unsafe collector.add(
      X509_STORE_CTX_get_error(context), depth: Int(X509_STORE_CTX_get_error_depth(context)),
      certificate: X509_STORE_CTX_get_current_cert(context))
    return 1
  }

  func add(_ verifyCode: Int32, depth: Int, certificate: OpaquePointer?) {
    guard verifyCode != X509_V_OK, faults.count < Self.maximumFaults else { return }
    let hasHostNames = leaf.map { !$0.hostNames.isEmpty } ?? false
    let code = CertificateFault.Code(verifyCode: verifyCode, leafHasHostNames: hasHostNames)
    // OpenSSL can say the same twice: no issuer, hence no verified signature.
    guard !faults.contains(where: { $0.code == code && $0.depth == depth }) else { return }
    var fault = CertificateFault(code: code, depth: depth)
    fault.certificate = unsafe certificate.flatMap { unsafe CertificateFacts(der: X509Handle.der($0)) }
    if code == .wrongHost || code == .noAlternativeName, case .server(let name) = rule {
      fault.expectedName = name.text
    }
    faults.append(fault)
  }
}

/// The second look at a chain, apart from any connection.
public struct OfflineVerification {
  /// All that is wrong with a chain, first cause first; empty where a client of this configuration would accept it.
  ///
  /// A configuration that does not verify is read as one that does. `time` is the moment to judge for, in seconds since
  /// 1970; now where nil.
  ///
  /// - Throws: what is wrong with the configuration.
  public static func faults(
    chain: [[UInt8]], configuration: TLSClientConfiguration, at time: Int64? = nil
  ) throws(TLSConfigurationError) -> [CertificateFault] {
    TLSLibrary.start()
    return try ChainVerifier(configuration).faults(of: chain, at: time)
  }
}
