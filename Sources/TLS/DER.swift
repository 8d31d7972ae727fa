// SPDX-License-Identifier: Apache-2.0

/// One element of DER (X.690 section 10): where it stands in the bytes that were read.
struct DERElement: Equatable {
  /// The identifier octet: class, constructed bit and number.
  var tag: UInt8
  /// The element with its header.
  var whole: Range<Int>
  /// What the header announces.
  var content: Range<Int>
}

/// Walks over DER, one element after another, without copying and without trusting any length.
///
/// Only what X.509 needs: definite lengths and tag numbers below 31. Anything else ends the walk with nil.
struct DERReader {
  /// The tags that X.509 and OCSP use.
  enum Tag {
    static let boolean: UInt8 = 0x01
    static let integer: UInt8 = 0x02
    static let bitString: UInt8 = 0x03
    static let octetString: UInt8 = 0x04
    static let objectIdentifier: UInt8 = 0x06
    static let enumerated: UInt8 = 0x0A
    static let utf8String: UInt8 = 0x0C
    static let teletexString: UInt8 = 0x14
    static let utcTime: UInt8 = 0x17
    static let generalizedTime: UInt8 = 0x18
    static let universalString: UInt8 = 0x1C
    static let bmpString: UInt8 = 0x1E
    static let sequence: UInt8 = 0x30
    static let set: UInt8 = 0x31
    /// `[number]` of a constructed type.
    static func context(_ number: UInt8) -> UInt8 { 0xA0 | number }
    /// `[number]` of a primitive type.
    static func primitiveContext(_ number: UInt8) -> UInt8 { 0x80 | number }
  }

  let bytes: [UInt8]
  private(set) var position: Int
  let end: Int

  /// A reader of all of the bytes.
  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    position = 0
    end = bytes.count
  }

  /// A reader of a part of the bytes, such as an element's content.
  init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    position = max(0, min(range.lowerBound, bytes.count))
    end = max(position, min(range.upperBound, bytes.count))
  }

  var isAtEnd: Bool { position >= end }

  /// The tag of the next element, unread.
  var nextTag: UInt8? { position < end ? bytes[position] : nil }

  /// Reads the next element; nil at the end or where the bytes are no DER.
  mutating func next() -> DERElement? {
    guard let header = header(), header.count <= end - header.start else { return nil }
    let element = DERElement(
      tag: header.tag, whole: position..<header.start + header.count,
      content: header.start..<header.start + header.count)
    position = element.whole.upperBound
    return element
  }

  /// Reads the next element where it has this tag; otherwise nil, and nothing is read.
  mutating func next(_ tag: UInt8) -> DERElement? { nextTag == tag ? next() : nil }

  /// Steps into the next element, which must have this tag but may reach beyond the bytes at hand.
  mutating func enter(_ tag: UInt8) -> Bool {
    guard let header = header(), header.tag == tag else { return false }
    position = header.start
    return true
  }

  /// A reader of an element's content.
  func inside(_ element: DERElement) -> DERReader { DERReader(bytes, element.content) }

  private func header() -> (tag: UInt8, start: Int, count: Int)? {
    guard end - position >= 2, bytes[position] & 0x1F != 0x1F else { return nil }
    let first = bytes[position + 1]
    guard first >= 0x80 else { return (bytes[position], position + 2, Int(first)) }
    let octets = Int(first & 0x7F)
    guard (1...4).contains(octets), end - position - 2 >= octets else { return nil }
    var count = 0
    for index in 0..<octets { count = count << 8 | Int(bytes[position + 2 + index]) }
    return (bytes[position], position + 2 + octets, count)
  }
}
