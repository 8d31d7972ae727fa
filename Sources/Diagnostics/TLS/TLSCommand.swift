// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Fault
internal import Flags
internal import Sys
internal import TLS

/// `netdiag tls HOST:PORT`.
let tlsCommand = Netdiag.Command(
  "tls", summary: "shakes hands over TLS and tells everything that is wrong with it", operands: "HOST:PORT",
  groups: [
    FlagGroup(
      "The handshake",
      [
        Flag(
          "timeout", .duration, "DURATION", default: "10s", summary: "time for everything", hasEnvironment: false),
        Flag(
          "servername", .string, "NAME", summary: "name to ask for and to look for in the certificate",
          details: "The target's host where it is not given.", hasEnvironment: false),
        Flag(
          "cacert", .string, "FILE", summary: "PEM file of the authorities to trust instead of the system's",
          hasEnvironment: false),
        Flag(
          "cert", .string, "FILE", summary: "PEM file of the client certificate, with its chain",
          hasEnvironment: false),
        Flag("key", .string, "FILE", summary: "PEM file of the client certificate's key", hasEnvironment: false),
        Flag(
          "min-days", .integer(0...36_500), "DAYS", default: "14",
          summary: "how many days the certificate must still be valid", hasEnvironment: false),
        Flag(
          "no-http2", .bool, summary: "do not mind a server that does not choose h2 by ALPN", hasEnvironment: false),
      ])
  ]
) { (invocation) throws(UsageError) in
  let flags = invocation.flags
  let endpoint = try Endpoint(flags.operands)
  let timeout = flags.duration("timeout")
  guard timeout > 0 else { throw UsageError(line: "--timeout must be greater than zero") }
  let given = flags.string("servername")
  let serverName = given.isEmpty ? endpoint.host : given
  let configuration = try TLSClientConfiguration(invocation, serverName: serverName)
  let outcome: Result<TLSFindings, Fault>
  do throws(Fault) {
    outcome = .success(
      try TLSProbe(
        endpoint: endpoint, configuration: configuration, waiter: try Waiter(),
        deadline: Deadline(nanoseconds: timeout)
      ).run())
  } catch {
    outcome = .failure(error)
  }
  let report = TLSReport(
    endpoint: endpoint, serverName: serverName, outcome: outcome, minimumDays: flags.integer("min-days"),
    needsHTTP2: !flags.bool("no-http2"), now: secondsSince1970())
  return invocation.finish(report)
}

extension TLSClientConfiguration {
  /// TLS as the flags ask for it: `--cacert`, `--cert`, `--key`.
  init(_ invocation: Invocation, serverName: String) throws(UsageError) {
    let flags = invocation.flags
    let roots: TrustRoots
    if flags.string("cacert").isEmpty {
      roots = SystemTrust.load(environment: invocation.environment)
    } else {
      let text = try Self.read(flags.string("cacert"))
      guard PEM.holdsCertificate(text) else {
        throw UsageError(line: "\(flags.string("cacert").quoted) holds no certificate in PEM")
      }
      roots = .bundles([text])
    }
    self.init(verification: .full, roots: roots, serverName: serverName)
    alpn = ["h2", "http/1.1"]
    guard flags.string("cert").isEmpty == flags.string("key").isEmpty else {
      throw UsageError(line: "--cert and --key go together")
    }
    guard !flags.string("cert").isEmpty else { return }
    let (chain, key) = (try Self.read(flags.string("cert")), try Self.read(flags.string("key")))
    do throws(TLSConfigurationError) {
      identity = try TLSIdentity(certificateChainPEM: chain, privateKeyPEM: key)
    } catch {
      throw UsageError(
        line: "\(flags.string("cert").quoted) and \(flags.string("key").quoted) cannot be used: \(error.words)")
    }
  }

  private static func read(_ path: String) throws(UsageError) -> [UInt8] {
    do throws(SystemError) { return try Files.read(path) } catch {
      throw UsageError(line: "cannot read \(path.quoted): \(error.text)")
    }
  }
}

extension TLSConfigurationError {
  /// What is wrong, in a few words.
  fileprivate var words: String {
    switch self {
    case .noCertificateBlock: "there is no certificate in PEM"
    case .noKeyBlock: "there is no private key in PEM"
    case .encryptedKey: "the key is encrypted; decrypt it with openssl pkey"
    case .unusableKey: "the key cannot be read"
    case .unusableCertificate: "the certificate cannot be read"
    case .keyMismatch: "the key is not the certificate's"
    case .weakIdentity: "the certificate's key or signature is too weak"
    case .invalidServerName(let name): "\(name.quoted) is neither a DNS name nor an IP address"
    case .invalidALPN(let name): "\(name.quoted) is no ALPN protocol"
    case .missingServerName: "there is no server name to verify"
    case .library(let text): text
    }
  }
}
