// SPDX-License-Identifier: Apache-2.0

// Crypto: the few primitives that the rest of the house needs besides TLS, from the same OpenSSL.

internal import COpenSSL

/// Why a primitive could not do its work.
public enum CryptoError: Error, Equatable, Sendable {
  /// The system has no randomness to give; nothing that needs it may go on.
  case noRandomness
  /// OpenSSL refused, which happens for lack of memory alone.
  case library
}

/// SHA-256 (FIPS 180-4), all at once or in parts.
@safe public struct SHA256: ~Copyable {
  /// A digest has so many bytes.
  public static let digestSize = 32

  /// An `EVP_MD_CTX`, freed by the deinit.
  private let context: OpaquePointer
  private var failed = false

  /// An empty message.
  public init() throws(CryptoError) {
    CryptoLibrary.start()
    guard let context = unsafe EVP_MD_CTX_new() else { throw .library }
    guard unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      unsafe EVP_MD_CTX_free(context)
      throw .library
    }
    unsafe self.context = context
  }

  deinit { unsafe EVP_MD_CTX_free(context) }

  /// Adds a part of the message.
  public mutating func update(_ bytes: Span<UInt8>) {
    let result = unsafe bytes.withUnsafeBufferPointer { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    if result != 1 { failed = true }
  }

  /// The digest of all parts.
  public consuming func finish() throws(CryptoError) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Self.digestSize)
    guard !failed, unsafe EVP_DigestFinal_ex(context, &digest, nil) == 1 else { throw .library }
    return digest
  }

  /// The digest of one message.
  public static func digest(of bytes: Span<UInt8>) throws(CryptoError) -> [UInt8] {
    var hash = try SHA256()
    hash.update(bytes)
    return try hash.finish()
  }
}
