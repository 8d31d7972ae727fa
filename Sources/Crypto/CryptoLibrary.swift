// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// The library as a whole.
enum CryptoLibrary {
  /// Starts OpenSSL, once, without the machine's openssl.cnf; every entry point of this module calls it first.
  static func start() { _ = OPENSSL_init_crypto(sonde_OPENSSL_INIT_LEAN, nil) }
}
