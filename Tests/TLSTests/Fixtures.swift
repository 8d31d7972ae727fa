// SPDX-License-Identifier: Apache-2.0

import TestSupport

@testable import TLS

/// What the tests' certificates are used for.
enum Fixtures {
  /// The chain of a file `name.pem` in DER.
  static func chain(_ name: String) throws -> [[UInt8]] { PEM.certificates(in: try Certificates.read(name + ".pem")) }

  static func identity(_ name: String) throws -> TLSIdentity {
    try TLSIdentity(
      certificateChainPEM: Certificates.read(name + ".pem"), privateKeyPEM: Certificates.read(name + ".key"))
  }

  static func roots(_ name: String = "ca") throws -> TrustRoots { .bundles([try Certificates.read(name + ".pem")]) }

  /// A client that trusts the tests' authority and asks for localhost.
  static func client(
    _ verification: ServerVerification = .full, roots: String = "ca", name: String? = "localhost",
    alpn: [String] = ["h2"], identity: String? = nil, versions: ClosedRange<TLSVersion> = .tls12 ... .tls13
  ) throws -> TLSClientConfiguration {
    var configuration = TLSClientConfiguration(
      verification: verification, roots: try self.roots(roots), serverName: name)
    configuration.alpn = alpn
    configuration.identity = try identity.map { try Fixtures.identity($0) }
    configuration.minimumVersion = versions.lowerBound
    configuration.maximumVersion = versions.upperBound
    return configuration
  }

  /// A server that plays its part whatever its certificate is like.
  static func server(
    _ name: String = "server", alpn: [String] = ["h2"], clients: ClientVerification = .none
  ) throws -> TLSServerConfiguration {
    var configuration = TLSServerConfiguration(identity: try identity(name))
    configuration.alpn = alpn
    configuration.clientVerification = clients
    configuration.securityLevel = 0
    return configuration
  }
}
