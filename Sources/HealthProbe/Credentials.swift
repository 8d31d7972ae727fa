// SPDX-License-Identifier: Apache-2.0

internal import BlockingClient
internal import Bytes
internal import Sys
internal import TLS

/// TLS as the flags and the environment ask for it.
struct Credentials {
  /// Reads the files and makes the context. Every failure is a line and exit code 1, as scripts know it.
  static func tls(_ options: ProbeOptions, hostName: String, environment: (String) -> String?) throws(UsageError)
    -> TLSOptions
  {
    let name = options.serverName.isEmpty ? hostName : options.serverName
    var configuration = TLSClientConfiguration(
      verification: options.skipsVerification ? .none : .full,
      roots: options.skipsVerification ? .none : try roots(options.caFile, environment: environment), serverName: name)
    if !options.certificateFile.isEmpty {
      configuration.identity = try identity(options.certificateFile, options.keyFile)
    }
    return try make(configuration, options, environment: environment)
  }

  /// The options around a configuration.
  static func make(
    _ configuration: TLSClientConfiguration, _ options: ProbeOptions, environment: (String) -> String?
  ) throws(UsageError) -> TLSOptions {
    var configuration = configuration
    configuration.alpn = ["h2"]
    do throws(TLSConfigurationError) {
      var result = TLSOptions(context: try TLSContext(client: configuration))
      result.requiresALPN = environment("GRPC_ENFORCE_ALPN_ENABLED")?.asciiLowercased != "false"
      result.minimumValidity = Int64(options.minimumDays) * 86_400
      return result
    } catch { throw failure(error.words) }
  }

  private static func roots(_ path: String, environment: (String) -> String?) throws(UsageError) -> TrustRoots {
    if path.isEmpty { return SystemTrust.load(environment: environment) }
    let text: [UInt8]
    do throws(SystemError) { text = try Files.read(path) } catch {
      throw failure(
        "failed to load root CA certificates from file (\(path.safeForDisplay)) error=\(words(error, path))")
    }
    guard PEM.holdsCertificate(text) else {
      throw failure("no root CA certs parsed from file \(path.safeForDisplay)")
    }
    return .bundles([text])
  }

  private static func identity(_ certificate: String, _ key: String) throws(UsageError) -> TLSIdentity {
    func read(_ path: String) throws(UsageError) -> [UInt8] {
      do throws(SystemError) { return try Files.read(path) } catch { throw pairFailure(words(error, path)) }
    }
    let chainText = try read(certificate)
    let keyText = try read(key)
    do throws(TLSConfigurationError) {
      return try TLSIdentity(certificateChainPEM: chainText, privateKeyPEM: keyText)
    } catch { throw pairFailure(error.words) }
  }

  private static func words(_ error: SystemError, _ path: String) -> String {
    "\(error.operation) \(path.safeForDisplay): \(error.text)"
  }

  private static func failure(_ text: String) -> UsageError {
    UsageError(line: "failed to initialize tls credentials. error=" + text)
  }

  private static func pairFailure(_ text: String) -> UsageError {
    failure("failed to load tls client cert/key pair. error=" + text)
  }
}

extension TLSConfigurationError {
  /// The error in the words that users of Go's TLS know.
  fileprivate var words: String {
    func missing(_ kind: String, _ input: String, _ found: [String]) -> String {
      if found.isEmpty { return "tls: failed to find any PEM data in \(input) input" }
      return "tls: failed to find \(kind) in \(input) input after skipping PEM blocks of the following types: ["
        + found.joined(separator: " ").safeForDisplay.shortened(toUTF8Count: 200) + "]"
    }
    return switch self {
    case .noCertificateBlock(let found): missing("\"CERTIFICATE\" PEM block", "certificate", found)
    case .noKeyBlock(let found):
      missing("PEM block with type ending in \"PRIVATE KEY\"", "key", found)
    case .encryptedKey: "tls: failed to parse private key: it is encrypted; decrypt it with openssl pkey"
    case .unusableKey: "tls: failed to parse private key"
    case .unusableCertificate: "x509: malformed certificate"
    case .keyMismatch: "tls: private key does not match public key"
    case .weakIdentity: "tls: the certificate's key or signature is too weak"
    case .invalidServerName(let name): "tls: \(name.quoted) is neither a DNS name nor an IP address"
    case .invalidALPN(let name): "tls: invalid ALPN protocol \(name.quoted)"
    case .missingServerName: "tls: no server name to verify"
    case .library(let text): "tls: \(text)"
    }
  }
}
