// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Certificates on their way into OpenSSL and out of it.
enum X509Handle {
  /// Parses one certificate that fills the bytes. The caller owns the result and frees it.
  static func parse(_ der: [UInt8]) -> OpaquePointer? {
    unsafe der.withUnsafeBufferPointer { buffer in
      guard var cursor = buffer.baseAddress else { return nil }
      let end = unsafe cursor + buffer.count
      let certificate: OpaquePointer? = unsafe withUnsafeMutablePointer(to: &cursor) { place in
        // d2i moves a pointer that it declares optional; the memory is the same.
        unsafe place.withMemoryRebound(to: UnsafePointer<UInt8>?.self, capacity: 1) {
          unsafe d2i_X509(nil, $0, buffer.count)
        }
      }
      guard let certificate = unsafe certificate else { return nil }
      guard unsafe cursor == end else {
        unsafe X509_free(certificate)
        return nil
      }
      return unsafe certificate
    }
  }

  /// Calls `body` with each certificate of a text of several in DER, and frees it afterwards; false where one is
  /// damaged.
  static func forEach(concatenated der: [UInt8], _ body: (OpaquePointer) -> Bool) -> Bool {
    var reader = DERReader(der)
    while let element = reader.next() {
      guard let certificate = unsafe parse(Array(der[element.whole])) else { return false }
      defer { unsafe X509_free(certificate) }
      guard unsafe body(certificate) else { return false }
    }
    return reader.isAtEnd
  }

  /// The DER of a certificate; empty where OpenSSL runs out of memory.
  static func der(_ certificate: OpaquePointer) -> [UInt8] {
    let count = unsafe i2d_X509(certificate, nil)
    guard count > 0 else { return [] }
    return unsafe [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
      var cursor = buffer.baseAddress
      initialized = Int(unsafe i2d_X509(certificate, &cursor))
    }
  }

  /// The DER of all certificates on a stack; none where there is no stack.
  static func chain(_ stack: OpaquePointer?) -> [[UInt8]] {
    guard let stack = unsafe stack else { return [] }
    var chain: [[UInt8]] = []
    for index in 0..<max(0, unsafe sonde_sk_X509_num(stack)) {
      if let certificate = unsafe sonde_sk_X509_value(stack, index) { chain.append(unsafe der(certificate)) }
    }
    return chain
  }

  /// The DER of a distinguished name.
  static func der(name: OpaquePointer?) -> [UInt8] {
    var bytes: UnsafePointer<UInt8>?
    var count = 0
    guard unsafe X509_NAME_get0_der(name, &bytes, &count) == 1, let bytes = unsafe bytes, count > 0 else { return [] }
    return unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
  }
}

/// The SHA-256 of bytes, for fingerprints.
func sha256(_ bytes: Span<UInt8>) -> [UInt8] {
  unsafe [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { digest, initialized in
    unsafe bytes.withUnsafeBufferPointer { _ = unsafe SHA256($0.baseAddress, $0.count, digest.baseAddress) }
    initialized = digest.count
  }
}
