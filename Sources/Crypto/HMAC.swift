// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Message authentication with SHA-256 (RFC 2104, RFC 4231).
public enum HMACSHA256 {
  /// The code of a message under a key of any length. Compare codes by ``constantTimeEquals(_:_:)`` alone.
  public static func code(for message: Span<UInt8>, key: Span<UInt8>) throws(CryptoError) -> [UInt8] {
    CryptoLibrary.start()
    // An Int32 counts a key's bytes; no key is so long.
    guard let keyCount = Int32(exactly: key.count) else { throw .library }
    var code = [UInt8](repeating: 0, count: SHA256.digestSize)
    let done = unsafe key.withUnsafeBufferPointer { key in
      unsafe message.withUnsafeBufferPointer { message in
        // OpenSSL takes a missing key for the key of an earlier call: an empty one needs an address.
        unsafe withUnsafePointer(to: UInt8(0)) { empty in
          unsafe HMAC(
            EVP_sha256(), key.baseAddress ?? empty, keyCount, message.baseAddress ?? empty, message.count, &code, nil)
            != nil
        }
      }
    }
    guard done else { throw .library }
    return code
  }
}

/// Whether two texts of bytes are equal, in a time that depends on their lengths alone.
public func constantTimeEquals(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
  guard left.count == right.count else { return false }
  return unsafe left.withUnsafeBufferPointer { left in
    unsafe right.withUnsafeBufferPointer { right in
      guard let first = left.baseAddress, let second = right.baseAddress else { return true }
      return unsafe CRYPTO_memcmp(first, second, left.count) == 0
    }
  }
}
