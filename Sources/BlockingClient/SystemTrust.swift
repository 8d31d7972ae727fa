// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Sys
public import TLS

/// The authorities that the system, or the user by SSL_CERT_FILE and SSL_CERT_DIR, trusts.
public enum SystemTrust {
  /// Reads the roots: the first bundle that exists, and the directories that SSL_CERT_DIR names or, where there is no
  /// bundle, the usual ones. Files that cannot be read are passed over: a missing root shows as an unknown issuer.
  public static func load(environment: (String) -> String?) -> TrustRoots {
    let file = environment("SSL_CERT_FILE") ?? ""
    let directories = environment("SSL_CERT_DIR") ?? ""
    var bundles: [[UInt8]] = []
    for path in file.isEmpty ? SystemRoots.bundlePaths : [file] {
      guard let bytes = try? Files.read(path) else { continue }
      bundles.append(bytes)
      break
    }
    if !directories.isEmpty {
      bundles += read(directories.split(onASCII: 0x3A))
    } else if bundles.isEmpty {
      bundles += read(SystemRoots.directoryPaths)
    }
    return .bundles(bundles)
  }

  private static func read(_ directories: [String]) -> [[UInt8]] {
    var texts: [[UInt8]] = []
    for directory in directories where !directory.isEmpty {
      for name in (try? Files.list(directory)) ?? [] {
        if let bytes = try? Files.read(directory + "/" + name) { texts.append(bytes) }
      }
    }
    return texts
  }
}
