// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Bytes that nobody can guess, from OpenSSL's generator, which the kernel seeds.
///
/// - Throws: ``CryptoError/noRandomness`` where the kernel gives none.
public func randomBytes(count: Int) throws(CryptoError) -> [UInt8] {
  guard count > 0 else { return [] }
  CryptoLibrary.start()
  guard let length = Int32(exactly: count) else { throw .library }
  var bytes = [UInt8](repeating: 0, count: count)
  guard unsafe RAND_bytes(&bytes, length) == 1 else { throw .noRandomness }
  return bytes
}
