// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Finds a root by its subject in PEM bundles without parsing the others.
///
/// Parsing all of a system's 140 roots takes OpenSSL tens of milliseconds, most of a short program's life. The first
/// search decodes the head of each block as far as the subject and keeps a hash of it; a certificate is decoded in full
/// only where its subject is the one that a chain asks for. A lock guards the index, since sessions of many threads
/// share it.
@safe final class RootIndex: @unchecked Sendable {
  private struct Entry {
    var bundle: Int
    var block: PEM.Block
    var subjectHash: UInt64
  }

  private let bundles: [[UInt8]]
  private let lock: UnsafeMutableRawPointer?
  private var entries: [Entry]?

  /// The subject stands within the first bytes of nearly every certificate; where it does not, the rest is decoded too.
  private static let headSize = 480
  /// No bundle has so many roots; more are not looked at.
  private static let maximumEntries = 20_000

  init(bundles: [[UInt8]]) {
    self.bundles = bundles
    unsafe lock = CRYPTO_THREAD_lock_new()
  }

  deinit { unsafe CRYPTO_THREAD_lock_free(lock) }

  /// The certificates whose subject is this name, in DER.
  ///
  /// Names compare byte by byte at first; if none is equal so, as RFC 5280 section 7.1 wants, regardless of case and
  /// encoding.
  func certificates(subject name: OpaquePointer) -> [[UInt8]] {
    guard unsafe CRYPTO_THREAD_write_lock(lock) == 1 else { return [] }
    defer { _ = unsafe CRYPTO_THREAD_unlock(lock) }
    let entries = self.entries ?? makeEntries()
    self.entries = entries
    let wanted = unsafe X509Handle.der(name: name)
    let hash = Self.hash(wanted[...])
    let exact = matches(entries.filter { $0.subjectHash == hash }) { $0.elementsEqual(wanted) }
    guard exact.isEmpty else { return exact }
    return matches(entries) { candidate in
      let bytes = Array(candidate)
      let parsed: OpaquePointer? = unsafe bytes.withUnsafeBufferPointer { buffer in
        var cursor = buffer.baseAddress
        return unsafe d2i_X509_NAME(nil, &cursor, buffer.count)
      }
      guard let parsed = unsafe parsed else { return false }
      defer { unsafe X509_NAME_free(parsed) }
      return unsafe X509_NAME_cmp(parsed, name) == 0
    }
  }

  private func matches(_ candidates: [Entry], _ isWanted: (ArraySlice<UInt8>) -> Bool) -> [[UInt8]] {
    var found: [[UInt8]] = []
    for entry in candidates {
      guard let head = head(of: entry), isWanted(head.bytes[head.subject]) else { continue }
      if let der = PEM(bundles[entry.bundle]).decode(entry.block) { found.append(der) }
    }
    return found
  }

  private func makeEntries() -> [Entry] {
    var entries: [Entry] = []
    for bundle in bundles.indices {
      var scan = PEM(bundles[bundle])
      while entries.count < Self.maximumEntries, let block = scan.next() {
        guard block.label == PEM.certificate else { continue }
        var entry = Entry(bundle: bundle, block: block, subjectHash: 0)
        guard let head = head(of: entry) else { continue }
        entry.subjectHash = Self.hash(head.bytes[head.subject])
        entries.append(entry)
      }
    }
    return entries
  }

  private func head(of entry: Entry) -> (bytes: [UInt8], subject: Range<Int>)? {
    let text = PEM(bundles[entry.bundle])
    for size in [Self.headSize, Int.max] {
      guard let bytes = text.decode(entry.block, atLeast: size) else { return nil }
      if let subject = CertificateFacts.subject(ofHead: bytes) { return (bytes, subject) }
    }
    return nil
  }

  /// FNV-1a: quick, and nothing is trusted by it, since equal hashes are compared in full.
  private static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash
  }
}
