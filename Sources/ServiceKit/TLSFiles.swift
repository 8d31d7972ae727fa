// SPDX-License-Identifier: Apache-2.0

internal import NIOTransport
internal import Sys
internal import TLS

/// A server's certificate, key and client authorities as files.
struct TLSFiles: Sendable {
  let certificate: String
  let key: String
  let clientAuthorities: String?

  var paths: [String] { [certificate, key] + (clientAuthorities.map { [$0] } ?? []) }

  /// A context of what the files hold now.
  func load() throws(ConfigurationError) -> TLSContext {
    let chain = try read(certificate)
    let key = try read(self.key)
    let authorities = try clientAuthorities.map { path throws(ConfigurationError) in (path, try read(path)) }
    do {
      let identity = try TLSIdentity(certificateChainPEM: chain, privateKeyPEM: key)
      var configuration = TLSServerConfiguration(identity: identity)
      configuration.alpn = ["h2"]
      if let (path, bytes) = authorities {
        configuration.clientVerification = .require(.bundles([TrustBundle(name: path, pem: bytes)]))
      }
      return try TLSContext(server: configuration)
    } catch {
      throw ConfigurationError("\(certificate) and \(self.key) cannot be used: \(error.reason)")
    }
  }

  private func read(_ path: String) throws(ConfigurationError) -> [UInt8] {
    do { return try Files.read(path) } catch {
      throw ConfigurationError("\(path) cannot be read: \(error.message)")
    }
  }
}
