// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import GRPC
public import GRPCClient
internal import Sys
internal import TLS

/// What a service reads from files about the servers that it calls.
public enum UpstreamFiles {
  /// TLS to servers whose certificates come from the authorities of a file in PEM, with a certificate of the caller's
  /// own where one is given. Throws what is wrong with the files.
  public static func security(
    authorities: String, certificate: String? = nil, key: String? = nil
  ) throws(ConfigurationError) -> ClientSecurity {
    let bundle = try read(authorities)
    guard PEM.holdsCertificate(bundle) else { throw ConfigurationError("\(authorities) holds no certificate in PEM") }
    var configuration = TLSClientConfiguration(roots: .bundles([bundle]))
    if let certificate, let key {
      let chain = try read(certificate)
      let secret = try read(key)
      do throws(TLSConfigurationError) {
        configuration.identity = try TLSIdentity(certificateChainPEM: chain, privateKeyPEM: secret)
      } catch { throw ConfigurationError("\(certificate) and \(key) cannot be used: \(error.advice)") }
    }
    return .tls(configuration)
  }

  /// A service config in gRPC's JSON: balancing, timeouts, retries. Throws where the file cannot be read or means
  /// nothing.
  public static func serviceConfig(_ path: String) throws(ConfigurationError) -> ServiceConfig {
    let text = String(decoding: try read(path), as: UTF8.self)
    do throws(ServiceConfigError) { return try ServiceConfig(parsing: text) } catch {
      throw ConfigurationError("\(path): \(error.message)")
    }
  }

  private static func read(_ path: String) throws(ConfigurationError) -> [UInt8] {
    do { return try Files.read(path) } catch { throw ConfigurationError("\(path) cannot be read: \(error.text)") }
  }
}
