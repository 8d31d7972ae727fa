// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import TLS

/// The certificates of scripts/make-certificates, made once for the whole run.
enum Fixtures {
  private static let directory: Result<URL, any Error> = Result {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("sonde-tls-\(getpid())")
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let script = Process()
    script.executableURL = root.appendingPathComponent("scripts/make-certificates")
    script.arguments = [directory.path]
    try script.run()
    script.waitUntilExit()
    guard script.terminationStatus == 0 else { throw CocoaError(.fileReadUnknown) }
    atexit { if let made = try? Fixtures.directory.get() { try? FileManager.default.removeItem(at: made) } }
    return directory
  }

  static func read(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: directory.get().appendingPathComponent(name)))
  }

  /// The chain of a file `name.pem` in DER.
  static func chain(_ name: String) throws -> [[UInt8]] { PEM.certificates(in: try read(name + ".pem")) }

  static func identity(_ name: String) throws -> TLSIdentity {
    try TLSIdentity(certificateChainPEM: try read(name + ".pem"), privateKeyPEM: try read(name + ".key"))
  }

  static func roots(_ name: String = "ca") throws -> TrustRoots { .bundles([try read(name + ".pem")]) }

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
    var configuration = TLSServerConfiguration(identity: try weakIdentity(name))
    configuration.alpn = alpn
    configuration.clientVerification = clients
    configuration.securityLevel = 0
    return configuration
  }

  private static func weakIdentity(_ name: String) throws -> TLSIdentity { try identity(name) }
}

/// A fixed-seed generator (SplitMix64), so that a failure can be seen again.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
