// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import COpenSSL

/// Who we are: a certificate, the intermediates that lead up from it, and its private key.
public struct TLSIdentity: Sendable {
  let handle: Handle

  /// Reads a certificate with its chain and its key from two texts in PEM; other blocks in them are skipped.
  ///
  /// - Throws: what is wrong, as the texts stand: no block of the kind, an encrypted or damaged key, a damaged
  ///   certificate, or
  ///   a key that belongs to another certificate.
  public init(certificateChainPEM: [UInt8], privateKeyPEM: [UInt8]) throws(TLSConfigurationError) {
    var scan = PEM(certificateChainPEM)
    var found: [String] = []
    var chain: [[UInt8]] = []
    while let block = scan.next() {
      guard block.label == PEM.certificate else {
        found.append(block.label)
        continue
      }
      guard let der = scan.decode(block) else { throw .unusableCertificate }
      chain.append(der)
    }
    guard !chain.isEmpty else { throw .noCertificateBlock(found: found) }
    try self.init(chain: chain, privateKey: try Self.key(in: privateKeyPEM))
  }

  /// Takes a chain in DER, certificates one after another, and a key in PKCS #8, as the SPIFFE Workload API hands them
  /// out.
  public init(certificateChainDER: [UInt8], privateKeyDER: [UInt8]) throws(TLSConfigurationError) {
    var reader = DERReader(certificateChainDER)
    var chain: [[UInt8]] = []
    while let element = reader.next() { chain.append(Array(certificateChainDER[element.whole])) }
    guard reader.isAtEnd, !chain.isEmpty else { throw .unusableCertificate }
    try self.init(chain: chain, privateKey: privateKeyDER)
  }

  /// The first certificate and those that follow it, in DER.
  public var chain: [[UInt8]] { handle.chain }

  private init(chain: [[UInt8]], privateKey: [UInt8]) throws(TLSConfigurationError) {
    TLSLibrary.start()
    handle = try Handle(chain: chain, privateKey: privateKey)
  }

  /// The DER of the first private key in a text: `PRIVATE KEY`, `RSA PRIVATE KEY` or `EC PRIVATE KEY`.
  private static func key(in text: [UInt8]) throws(TLSConfigurationError) -> [UInt8] {
    var scan = PEM(text)
    var found: [String] = []
    while let block = scan.next() {
      guard block.label.utf8.reversed().starts(with: "PRIVATE KEY".utf8.reversed()) else {
        found.append(block.label)
        continue
      }
      if scan.isEncrypted(block) { throw .encryptedKey }
      guard let der = scan.decode(block) else { throw .unusableKey }
      return der
    }
    throw .noKeyBlock(found: found)
  }

  /// OpenSSL's objects, freed with the last copy of the identity. They are never changed, so that threads may share
  /// them.
  @safe final class Handle: @unchecked Sendable {
    let chain: [[UInt8]]
    private let certificates: [OpaquePointer]
    private let privateKey: OpaquePointer

    init(chain: [[UInt8]], privateKey der: [UInt8]) throws(TLSConfigurationError) {
      TLSLibrary.clearErrors()
      defer { TLSLibrary.clearErrors() }
      let key: OpaquePointer? = unsafe der.withUnsafeBufferPointer { buffer in
        var cursor = buffer.baseAddress
        return unsafe d2i_AutoPrivateKey(nil, &cursor, buffer.count)
      }
      guard let key = unsafe key else { throw .unusableKey }
      var certificates: [OpaquePointer] = unsafe []
      for der in chain {
        guard let certificate = unsafe X509Handle.parse(der) else {
          unsafe certificates.forEach { unsafe X509_free($0) }
          unsafe EVP_PKEY_free(key)
          throw .unusableCertificate
        }
        unsafe certificates.append(certificate)
      }
      let matches: Bool
      if let leaf = unsafe certificates.first {
        matches = unsafe X509_check_private_key(leaf, key) == 1
      } else {
        matches = false
      }
      self.chain = chain
      unsafe self.certificates = certificates
      unsafe privateKey = key
      // From here on the deinit frees what a throw leaves behind.
      guard matches else { throw .keyMismatch }
    }

    deinit {
      unsafe certificates.forEach { unsafe X509_free($0) }
      unsafe EVP_PKEY_free(privateKey)
    }

    /// Gives a context, which takes references of its own, the certificate to show.
    func install(in context: OpaquePointer) throws(TLSConfigurationError) {
      TLSLibrary.clearErrors()
      defer { TLSLibrary.clearErrors() }
      guard let leaf = unsafe certificates.first, unsafe SSL_CTX_use_certificate(context, leaf) == 1 else {
        throw Self.refusal()
      }
      guard unsafe SSL_CTX_use_PrivateKey(context, privateKey) == 1 else { throw Self.refusal() }
      let added = unsafe certificates.dropFirst().allSatisfy {
        unsafe sonde_SSL_CTX_add1_chain_cert(context, $0) == 1
      }
      guard added else { throw Self.refusal() }
    }

    private static func refusal() -> TLSConfigurationError {
      guard let error = TLSLibrary.takeError() else { return .library("no reason given") }
      let weak = [SSL_R_EE_KEY_TOO_SMALL, SSL_R_CA_KEY_TOO_SMALL, SSL_R_CA_MD_TOO_WEAK]
      return error.library == ERR_LIB_SSL && weak.contains(error.reason) ? .weakIdentity : .library(error.text)
    }
  }
}
