// SPDX-License-Identifier: Apache-2.0

internal import Bytes
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
  /// As RFC 5280 section 7.1 wants, case, white space and the type of a string make no difference.
  func certificates(subject name: OpaquePointer) -> [[UInt8]] {
    guard unsafe CRYPTO_THREAD_write_lock(lock) == 1 else { return [] }
    defer { _ = unsafe CRYPTO_THREAD_unlock(lock) }
    let entries = self.entries ?? makeEntries()
    self.entries = entries
    let wanted = unsafe X509Handle.der(name: name)
    let hash = Self.hash(ofName: 0..<wanted.count, in: wanted)
    var found: [[UInt8]] = []
    for entry in entries where entry.subjectHash == hash {
      guard let head = head(of: entry) else { continue }
      let subject = Array(head.bytes[head.subject])
      guard unsafe subject == wanted || Self.isSame(subject, name) else { continue }
      if let der = PEM(bundles[entry.bundle]).decode(entry.block) { found.append(der) }
    }
    return found
  }

  /// OpenSSL's comparison of names.
  private static func isSame(_ der: [UInt8], _ name: OpaquePointer) -> Bool {
    let parsed: OpaquePointer? = unsafe der.withUnsafeBufferPointer { buffer in
      var cursor = buffer.baseAddress
      return unsafe d2i_X509_NAME(nil, &cursor, buffer.count)
    }
    guard let parsed = unsafe parsed else { return false }
    defer { unsafe X509_NAME_free(parsed) }
    return unsafe X509_NAME_cmp(parsed, name) == 0
  }

  private func makeEntries() -> [Entry] {
    var entries: [Entry] = []
    for bundle in bundles.indices {
      var scan = PEM(bundles[bundle])
      while entries.count < Self.maximumEntries, let block = scan.next() {
        guard block.label == PEM.certificate else { continue }
        var entry = Entry(bundle: bundle, block: block, subjectHash: 0)
        guard let head = head(of: entry) else { continue }
        entry.subjectHash = Self.hash(ofName: head.subject, in: head.bytes)
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

  /// A hash that names which compare as equal have in common: of the letters, digits and signs of ASCII in the values,
  /// in lower case, whatever the type of the string. Nothing is trusted by it: names with equal hashes are compared.
  private static func hash(ofName range: Range<Int>, in bytes: [UInt8]) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325  // FNV-1a
    var name = DERReader(bytes, range)
    guard let sequence = name.next(DERReader.Tag.sequence) else { return hash }
    var sets = name.inside(sequence)
    while let set = sets.next(DERReader.Tag.set) {
      var attributes = sets.inside(set)
      while let attribute = attributes.next(DERReader.Tag.sequence) {
        var pair = attributes.inside(attribute)
        guard pair.next(DERReader.Tag.objectIdentifier) != nil, let value = pair.next() else { continue }
        let width = value.tag == DERReader.Tag.bmpString ? 2 : value.tag == DERReader.Tag.universalString ? 4 : 1
        var index = value.content.lowerBound
        while index + width <= value.content.upperBound {
          // Of a wide character the last byte counts, where the others are zero.
          let byte = bytes[index + width - 1]
          if byte > 0x20, byte < 0x7F, bytes[index..<index + width - 1].allSatisfy({ $0 == 0 }) {
            hash = (hash ^ UInt64(byte.asciiLowercased)) &* 0x100_0000_01B3
          }
          index += width
        }
      }
    }
    return hash
  }
}
