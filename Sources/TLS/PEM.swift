// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Textual encodings of certificates and keys (RFC 7468): finds the blocks in a text and decodes only those asked for.
///
/// Whatever stands between blocks is skipped, as bundles carry comments there. A block that is broken — no end, another
/// end than its beginning, a foreign character — costs itself alone; the scan goes on with the next line that begins
/// one.
public struct PEM {
  /// The text of certificates.
  public static let certificate = "CERTIFICATE"

  /// A block's base64 text may be so long, and no longer: a chain of certificates with large keys stays far below.
  static let maximumBody = 1 << 20

  /// One block: its label and where its text stands.
  public struct Block: Equatable, Sendable {
    /// The words after `BEGIN`, such as `CERTIFICATE` or `PRIVATE KEY`.
    public var label: String
    /// What stands between the two lines.
    public var body: Range<Int>
  }

  private let text: [UInt8]
  private var position = 0

  /// A scan that starts at the beginning of a text.
  public init(_ text: [UInt8]) { self.text = text }

  /// The next well-formed block, or nil where none follows.
  public mutating func next() -> Block? {
    while let begin = findDashes() {
      guard let label = label(after: Self.begin, at: begin) else {
        position = begin + Self.dashes.count
        continue
      }
      let start = label.upperBound + Self.dashes.count
      position = start
      guard let stop = findDashes() else { return nil }
      // Another beginning instead of the end: the block is broken, and the scan resumes right there.
      position = stop
      guard let ending = self.label(after: Self.end, at: stop) else { continue }
      position = ending.upperBound + Self.dashes.count
      guard text[label].elementsEqual(text[ending]), stop - start <= Self.maximumBody else { continue }
      return Block(label: String(decoding: text[label], as: UTF8.self), body: start..<stop)
    }
    return nil
  }

  /// The bytes of a block that this scan found; nil where its text is not base64.
  public func decode(_ block: Block) -> [UInt8]? { decode(block, atLeast: .max) }

  /// Whether a key's block says in its header that it is encrypted (RFC 1421 section 4.6.1.1).
  public func isEncrypted(_ block: Block) -> Bool {
    if block.label == "ENCRYPTED PRIVATE KEY" { return true }
    let start = base64Start(block.body)
    let header = String(decoding: text[block.body.lowerBound..<start], as: UTF8.self)
    return header.split(onASCII: 0x0A).contains {
      $0.utf8.starts(with: "Proc-Type:".utf8) && $0.asciiTrimmed.utf8.suffix(9).elementsEqual("ENCRYPTED".utf8)
    }
  }

  /// The certificates in a text, in order; blocks that are not base64 are left out.
  public static func certificates(in text: [UInt8]) -> [[UInt8]] {
    var certificates: [[UInt8]] = []
    var scan = PEM(text)
    while let block = scan.next() {
      if block.label == certificate, let der = scan.decode(block) { certificates.append(der) }
    }
    return certificates
  }

  /// Whether a text holds a certificate that can be parsed, which says that a file is a bundle at all.
  public static func holdsCertificate(_ text: [UInt8]) -> Bool {
    var scan = PEM(text)
    while let block = scan.next() {
      if block.label == certificate, let der = scan.decode(block), CertificateFacts(der: der) != nil { return true }
    }
    return false
  }

  /// The first bytes of a block, at least `count` where it has so many: enough to look at its head.
  ///
  /// A loop of its own beside ``Base64``, which takes symbol after symbol: a system's bundle has two hundred thousand
  /// of them, and this is an order of magnitude faster.
  func decode(_ block: Block, atLeast count: Int) -> [UInt8]? {
    let body = block.body
    guard body.lowerBound >= 0, body.upperBound <= text.count else { return nil }
    let input = text.span
    let wanted = min(count, body.count)
    var bytes = [UInt8](repeating: 0, count: min(wanted, body.count / 4 * 3) + 3)
    var output = bytes.mutableSpan
    var written = 0
    var group: UInt32 = 0
    var symbols = 0
    var padding = 0
    var index = base64Start(body)
    while index < body.upperBound {
      let symbol = input[index]
      index += 1
      let value = Self.value(symbol)
      if value < 64 {
        guard padding == 0 else { return nil }
        group = group << 6 | UInt32(value)
        symbols += 1
        guard symbols == 4 else { continue }
        output[written] = UInt8(truncatingIfNeeded: group >> 16)
        output[written + 1] = UInt8(truncatingIfNeeded: group >> 8)
        output[written + 2] = UInt8(truncatingIfNeeded: group)
        written += 3
        symbols = 0
        if written >= wanted { break }
      } else if symbol == 0x3D {
        padding += 1
      } else if symbol != 0x0A, symbol != 0x0D, symbol != 0x20, symbol != 0x09 {
        return nil
      }
    }
    // What is left of a group: two symbols make a byte, three make two; padding is optional, but complete.
    guard symbols != 1, padding == 0 || (symbols > 0 && symbols + padding == 4) else { return nil }
    if symbols == 2 { group <<= 12 } else { group <<= 6 }
    if symbols >= 2 {
      output[written] = UInt8(truncatingIfNeeded: group >> 16)
      output[written + 1] = UInt8(truncatingIfNeeded: group >> 8)
      written += symbols - 1
    }
    bytes.removeLast(bytes.count - written)
    return bytes
  }

  /// The value of a base64 symbol (RFC 4648 section 4), or 255.
  private static func value(_ symbol: UInt8) -> UInt8 {
    switch symbol {
    case 0x61...0x7A: symbol &- 71
    case 0x41...0x5A: symbol &- 65
    case 0x30...0x39: symbol &+ 4
    case 0x2B: 62
    case 0x2F: 63
    default: 255
    }
  }

  private static let dashes = Array("-----".utf8)
  private static let begin = Array("-----BEGIN ".utf8)
  private static let end = Array("-----END ".utf8)

  /// The next line from the current position on that starts with five dashes.
  private func findDashes() -> Int? {
    var index = position
    while index + Self.dashes.count <= text.count {
      if text[index] != 0x2D {
        index += 1
      } else if index == 0 || text[index - 1] == 0x0A || text[index - 1] == 0x0D, starts(with: Self.dashes, at: index) {
        return index
      } else {
        index += 1
      }
    }
    return nil
  }

  /// The words between a keyword and the dashes that end its line.
  private func label(after keyword: [UInt8], at start: Int) -> Range<Int>? {
    guard starts(with: keyword, at: start) else { return nil }
    let first = start + keyword.count
    var index = first
    while index < text.count, text[index] != 0x2D, text[index] >= 0x20, index - first < 64 { index += 1 }
    return index > first && starts(with: Self.dashes, at: index) ? first..<index : nil
  }

  /// Where the base64 text begins: after the header lines of an old-style key and the empty line that ends them.
  private func base64Start(_ body: Range<Int>) -> Int {
    var index = body.lowerBound
    var sawHeader = false
    var lineStart = index
    var lineHasColon = false
    while index < body.upperBound {
      let byte = text[index]
      index += 1
      if byte == 0x3A { lineHasColon = true }
      guard byte == 0x0A else { continue }
      let isEmpty = index - lineStart <= 2 && text[lineStart..<index].allSatisfy { $0 == 0x0A || $0 == 0x0D }
      if lineHasColon {
        sawHeader = true
      } else if !isEmpty {
        // The first line that is neither a header nor empty is base64, or goes on with a header's value.
        if !sawHeader { return body.lowerBound }
      } else if sawHeader {
        return index
      }
      lineStart = index
      lineHasColon = false
    }
    return body.lowerBound
  }

  private func starts(with prefix: [UInt8], at start: Int) -> Bool {
    guard prefix.count <= text.count - start else { return false }
    for index in 0..<prefix.count where text[start + index] != prefix[index] { return false }
    return true
  }
}
