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

  /// Where ``load(environment:)`` finds roots: a bundle, or the first directory with anything in it; nil where it finds
  /// none. No certificate is looked at.
  public static func place(environment: (String) -> String?) -> String? {
    let file = environment("SSL_CERT_FILE") ?? ""
    let directories = environment("SSL_CERT_DIR") ?? ""
    let bundles = file.isEmpty ? SystemRoots.bundlePaths : [file]
    if let bundle = bundles.first(where: { (try? Files.read($0))?.isEmpty == false }) { return bundle }
    let places = directories.isEmpty ? SystemRoots.directoryPaths : directories.split(onASCII: 0x3A)
    return places.first { !$0.isEmpty && (try? Files.list($0, limit: 1))?.isEmpty == false }
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
