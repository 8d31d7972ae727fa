// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Flags
internal import Sys
internal import TLS

/// How TLS is asked for: the same flags for every command that speaks it.
enum TLSFlags {
  /// Whom to expect, whom to trust, and who to be.
  static let names = [
    Flag(
      "servername", .string, "NAME", summary: "name to ask for and to look for in the certificate",
      details: "The target's host where it is not given.", hasEnvironment: false),
    Flag(
      "cacert", .string, "FILE", summary: "PEM file of the authorities to trust instead of the system's",
      hasEnvironment: false),
    Flag(
      "cert", .string, "FILE", summary: "PEM file of the client certificate, with its chain", hasEnvironment: false),
    Flag("key", .string, "FILE", summary: "PEM file of the client certificate's key", hasEnvironment: false),
  ]

  /// The same, for commands that verify the server unless they are told not to.
  static let verified = FlagGroup(
    "TLS",
    [Flag("insecure", .bool, summary: "do not verify the server's certificate", hasEnvironment: false)] + names)

  /// The same, for commands that speak in the clear unless they are told not to.
  static let optional = FlagGroup(
    "TLS", [Flag("tls", .bool, summary: "use TLS", hasEnvironment: false)] + verified.flags)
}

extension Invocation {
  /// TLS for a client of HTTP/2, as the flags of ``TLSFlags/optional`` ask for it; nil for plaintext.
  func tlsOptions(host: String) throws(UsageError) -> TLSOptions? {
    guard flags.bool("tls") else {
      for flag in TLSFlags.verified.flags where flags.isGiven(flag.name) {
        throw UsageError(line: "--\(flag.name) needs --tls")
      }
      return nil
    }
    return try http2TLS(host: host)
  }

  /// TLS for a client of HTTP/2, as the flags of ``TLSFlags/verified`` ask for it.
  func http2TLS(host: String) throws(UsageError) -> TLSOptions {
    let configuration = try TLSClientConfiguration(self, host: host, alpn: ["h2"])
    var options = TLSOptions(context: try configuration.makeContext())
    options.requiresALPN = environment("GRPC_ENFORCE_ALPN_ENABLED")?.asciiLowercased != "false"
    return options
  }
}

extension TLSClientConfiguration {
  /// TLS as the flags ask for it, with a host whose name counts where they give none.
  init(_ invocation: Invocation, host: String, alpn: [String]) throws(UsageError) {
    let flags = invocation.flags
    guard !flags.bool("insecure") || flags.string("cacert").isEmpty else {
      throw UsageError(line: "--insecure verifies nothing, and --cacert says by what")
    }
    guard flags.string("cert").isEmpty == flags.string("key").isEmpty else {
      throw UsageError(line: "--cert and --key go together")
    }
    let roots: TrustRoots
    if flags.bool("insecure") {
      roots = .none
    } else if flags.string("cacert").isEmpty {
      roots = SystemTrust.load(environment: invocation.environment)
    } else {
      let text = try Self.read(flags.string("cacert"))
      guard PEM.holdsCertificate(text) else {
        throw UsageError(line: "\(flags.string("cacert").quoted) holds no certificate in PEM")
      }
      roots = .bundles([text])
    }
    let name = flags.string("servername")
    self.init(
      verification: flags.bool("insecure") ? .none : .full, roots: roots, serverName: name.isEmpty ? host : name)
    self.alpn = alpn
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

extension TLSClientConfiguration {
  /// What sessions are made from.
  func makeContext() throws(UsageError) -> TLSContext {
    do throws(TLSConfigurationError) { return try TLSContext(client: self) } catch {
      throw UsageError(line: "TLS cannot be used so: \(error.words)")
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
