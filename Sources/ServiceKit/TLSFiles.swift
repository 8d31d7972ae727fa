// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Sys
internal import TLS

/// A server's certificate, key and client authorities as files.
struct TLSFiles: Sendable {
  let certificate: String
  let key: String
  let clientAuthorities: String?
  /// The protocols that ALPN may agree on, best first.
  let protocols: [String]

  var paths: [String] { [certificate, key] + (clientAuthorities.map { [$0] } ?? []) }

  /// A context of what the files hold now.
  func load() throws(ConfigurationError) -> TLSContext {
    let chain = try read(certificate)
    let key = try read(self.key)
    var authorities: [UInt8]?
    if let clientAuthorities {
      let text = try read(clientAuthorities)
      guard PEM.holdsCertificate(text) else {
        throw ConfigurationError("\(clientAuthorities) holds no certificate in PEM")
      }
      authorities = text
    }
    do throws(TLSConfigurationError) {
      let identity = try TLSIdentity(certificateChainPEM: chain, privateKeyPEM: key)
      var configuration = TLSServerConfiguration(identity: identity)
      configuration.alpn = protocols
      if let authorities {
        configuration.clientVerification = .require(.bundles([authorities]))
      }
      return try TLSContext(server: configuration)
    } catch {
      throw ConfigurationError("\(certificate) and \(self.key) cannot be used: \(error.advice)")
    }
  }

  private func read(_ path: String) throws(ConfigurationError) -> [UInt8] {
    do { return try Files.read(path) } catch {
      throw ConfigurationError("\(path) cannot be read: \(error.text)")
    }
  }
}

extension TLSConfigurationError {
  /// What is wrong with a server's files, and what to do about it.
  var advice: String {
    switch self {
    case .noCertificateBlock: "the first holds no certificate in PEM"
    case .noKeyBlock: "the second holds no private key in PEM"
    case .encryptedKey: "the key is behind a pass phrase; decrypt it with openssl pkey"
    case .unusableKey: "the key is damaged, or of a kind that is not known"
    case .unusableCertificate: "a certificate is damaged"
    case .keyMismatch: "the key belongs to another certificate"
    case .weakIdentity: "the key or the signature is too weak; use RSA of 2048 bits or an elliptic curve, and SHA-256"
    case .invalidServerName(let name), .invalidALPN(let name): "\(name.quoted) is no name"
    case .missingServerName: "a name is missing"
    case .library(let text): text
    }
  }
}
