// SPDX-License-Identifier: Apache-2.0

/// Whom to believe: the certificates that end a chain.
///
/// An intermediate or a server's own certificate given here is believed as well; it needs no root above it.
public enum TrustRoots: Sendable {
  /// Texts with certificates in PEM, such as the system's bundle. Nothing is parsed until a chain asks for a name.
  case bundles([[UInt8]])
  /// Certificates in DER, one after another in each element.
  case der([[UInt8]])
  /// Nobody: every chain ends at an unknown issuer.
  case none
}

/// Where Linux distributions keep the certificates of the authorities that they trust.
///
/// The caller reads the files. OpenSSL itself knows only the place that it was configured with, which is wrong for a
/// static file that runs in another distribution's image.
public enum SystemRoots {
  /// One file with all certificates; the first that exists is the system's.
  public static let bundlePaths = [
    "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Alpine, Arch, distroless
    "/etc/pki/tls/certs/ca-bundle.crt",  // Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  // SUSE
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // RHEL 7 and later
    "/etc/ssl/cert.pem",  // Alpine, BSDs
    "/var/lib/ca-certificates/ca-bundle.pem",  // SUSE, what the other name there links to
    "/etc/pki/tls/cacert.pem",  // appliances
    "/etc/ca-certificates/extracted/tls-ca-bundle.pem",  // Arch
  ]

  /// Directories with one certificate a file, for systems that have no bundle.
  public static let directoryPaths = [
    "/etc/ssl/certs",  // Debian, SUSE
    "/etc/pki/tls/certs",  // Fedora, RHEL
  ]
}
