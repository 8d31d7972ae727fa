// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// What all sessions of one configuration share. Making one takes a millisecond or two; a session costs far less.
///
/// Sessions of any threads may share a context: it does not change after its `init`, and OpenSSL locks what it counts.
@safe public final class TLSContext: @unchecked Sendable {
  /// An `SSL_CTX`.
  let handle: OpaquePointer
  let role: Role
  /// Verifies the peer's chain; nil where a server asks clients for none.
  let verifier: ChainVerifier?
  /// The protocols of ALPN as they stand on the wire, each after its length.
  let protocols: [UInt8]

  enum Role: Sendable {
    case client(TLSClientConfiguration)
    case server(TLSServerConfiguration)
  }

  /// OpenSSL's level 2: at least 112 bits of security, no SHA-1. It is Debian's default, set here so that it holds
  /// anywhere.
  static let securityLevel: Int32 = 2

  /// A context for clients.
  ///
  /// - Throws: what is wrong with the configuration.
  public init(client configuration: TLSClientConfiguration) throws(TLSConfigurationError) {
    TLSLibrary.start()
    let verifier = try ChainVerifier(configuration)
    let protocols = try Self.wireFormat(configuration.alpn)
    TLSLibrary.clearErrors()
    guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { throw .library(TLSLibrary.takeErrorText()) }
    unsafe handle = context
    role = .client(configuration)
    self.verifier = verifier
    self.protocols = protocols
    // From here on the deinit frees what a throw leaves behind.
    try prepare(configuration.minimumVersion, configuration.maximumVersion, Self.securityLevel)
    try unsafe configuration.identity?.handle.install(in: context)
    unsafe TLSCallbacks.installClient(in: context)
    guard unsafe protocols.isEmpty || SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count)) == 0 else {
      throw .library(TLSLibrary.takeErrorText())
    }
    unsafe sonde_SSL_CTX_set_session_cache_mode(
      context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
    switch configuration.verification {
    case .none:
      unsafe SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
      // Even then OpenSSL would build the chain, only to ignore the verdict.
      unsafe SSL_CTX_set_cert_verify_callback(context, TLSCallbacks.acceptUnverified, nil)
    case .full, .chainOnly, .spiffe:
      try unsafe install(verifier, mode: SSL_VERIFY_PEER, in: context)
    }
  }

  /// A context for servers.
  ///
  /// - Throws: what is wrong with the configuration.
  public init(server configuration: TLSServerConfiguration) throws(TLSConfigurationError) {
    TLSLibrary.start()
    var roots: TrustRoots?
    var mode = SSL_VERIFY_NONE
    switch configuration.clientVerification {
    case .none: break
    case .request(let given): (roots, mode) = (given, SSL_VERIFY_PEER)
    case .require(let given): (roots, mode) = (given, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT)
    }
    var verifier: ChainVerifier?
    if let roots { verifier = try ChainVerifier(.client, roots: roots) }
    let protocols = try Self.wireFormat(configuration.alpn)
    TLSLibrary.clearErrors()
    guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { throw .library(TLSLibrary.takeErrorText()) }
    unsafe handle = context
    role = .server(configuration)
    self.verifier = verifier
    self.protocols = protocols
    // From here on the deinit frees what a throw leaves behind.
    try prepare(configuration.minimumVersion, configuration.maximumVersion, configuration.securityLevel)
    try unsafe configuration.identity.handle.install(in: context)
    // Tickets carry all of the state: no cache here. A server that asks for certificates must name its sessions.
    unsafe sonde_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
    _ = unsafe SSL_CTX_set_session_id_context(context, [0x73], 1)
    // The context outlives its callbacks' use of it: sessions hold it.
    unsafe TLSCallbacks.installServer(in: context, for: Unmanaged.passUnretained(self).toOpaque())
    if let verifier, let roots {
      try unsafe install(verifier, mode: mode, in: context)
      unsafe nameAuthorities(roots, in: context)
    }
  }

  deinit { unsafe SSL_CTX_free(handle) }

  /// All that is wrong with a chain by this context's rules, first cause first; a client that does not verify judges as
  /// if it did. `time` is the moment to judge for, in seconds since 1970; now where nil.
  public func faults(of chain: [[UInt8]], at time: Int64? = nil) -> [CertificateFault] {
    verifier?.faults(of: chain, at: time) ?? []
  }

  private func prepare(
    _ minimum: TLSVersion, _ maximum: TLSVersion, _ securityLevel: Int32
  ) throws(TLSConfigurationError) {
    unsafe SSL_CTX_set_security_level(handle, securityLevel)
    _ = unsafe SSL_CTX_set_options(handle, sonde_SSL_OP_NO_RENEGOTIATION)
    // Idle sessions hold no buffers; what is sent as our chain is what was given, not what the peer's roots could add.
    unsafe sonde_SSL_CTX_set_mode(handle, Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN))
    guard unsafe sonde_SSL_CTX_set_min_proto_version(handle, Int32(minimum.number)) == 1,
      unsafe sonde_SSL_CTX_set_max_proto_version(handle, Int32(maximum.number)) == 1
    else { throw .library(TLSLibrary.takeErrorText()) }
  }

  /// Makes the handshake verify the peer's chain, without any say of the offline verification.
  private func install(
    _ verifier: ChainVerifier, mode: Int32, in context: OpaquePointer
  ) throws(TLSConfigurationError) {
    unsafe SSL_CTX_set_verify(context, mode, nil)
    unsafe SSL_CTX_set1_cert_store(context, verifier.store.handle)
    try unsafe verifier.apply(to: SSL_CTX_get0_param(context))
    // The verifier lives as long as this context, and sessions hold the context.
    unsafe SSL_CTX_set_cert_verify_callback(
      context, TLSCallbacks.verifyPeer, Unmanaged.passUnretained(verifier).toOpaque())
  }

  /// Tells clients which authorities' certificates are wanted (RFC 8446 section 4.2.4), as far as that stays short.
  private func nameAuthorities(_ roots: TrustRoots, in context: OpaquePointer) {
    var named = 0
    func add(_ certificate: OpaquePointer) -> Bool {
      named += 1
      return unsafe named <= Self.maximumAuthorities && SSL_CTX_add_client_CA(context, certificate) == 1
    }
    switch roots {
    case .none: return
    case .der(let certificates):
      for der in certificates { _ = unsafe X509Handle.forEach(concatenated: der) { unsafe add($0) } }
    case .bundles(let bundles):
      for bundle in bundles {
        for der in PEM.certificates(in: bundle) { _ = unsafe X509Handle.forEach(concatenated: der) { unsafe add($0) } }
      }
    }
    TLSLibrary.clearErrors()
  }

  /// A list of authorities must fit into a handshake message that clients accept.
  private static let maximumAuthorities = 100

  private static func wireFormat(_ protocols: [String]) throws(TLSConfigurationError) -> [UInt8] {
    var bytes: [UInt8] = []
    for name in protocols {
      guard (1...255).contains(name.utf8.count) else { throw .invalidALPN(name) }
      bytes.append(UInt8(name.utf8.count))
      bytes += name.utf8
    }
    return bytes
  }
}
