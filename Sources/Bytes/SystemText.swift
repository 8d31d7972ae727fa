// SPDX-License-Identifier: Apache-2.0

extension String {
  // The last 128 code points of the last private plane stand for the bytes 0x80 to 0xFF: nobody uses them for text.
  private static let firstStandIn: UInt32 = 0x10_FF80

  /// Text from the operating system — an argument, a variable — whose bytes need not be UTF-8: each byte that is not
  /// part of it is kept as a stand-in, so that ``systemBytes`` gives back what came in.
  public init(systemBytes bytes: [UInt8]) {
    if let text = String(validating: bytes, as: UTF8.self) {
      self = text
      return
    }
    var text = String.UnicodeScalarView()
    var rest = bytes[...]
    while let first = rest.first {
      let length = (1...4).first { $0 <= rest.count && String(validating: rest.prefix($0), as: UTF8.self) != nil }
      if let length, let character = String(validating: rest.prefix(length), as: UTF8.self) {
        text.append(contentsOf: character.unicodeScalars)
        rest = rest.dropFirst(length)
      } else {
        if let standIn = Unicode.Scalar(Self.firstStandIn + UInt32(first & 0x7F)) { text.append(standIn) }
        rest = rest.dropFirst()
      }
    }
    self.init(text)
  }

  /// The bytes that the operating system knows the text by.
  public var systemBytes: [UInt8] {
    guard !isValidUnicode else { return Array(utf8) }
    var bytes: [UInt8] = []
    for scalar in unicodeScalars {
      if scalar.value >= Self.firstStandIn {
        bytes.append(UInt8(truncatingIfNeeded: scalar.value) | 0x80)
      } else {
        bytes += Array(String(scalar).utf8)
      }
    }
    return bytes
  }

  /// Whether no byte of the text had to be kept as a stand-in.
  public var isValidUnicode: Bool { !unicodeScalars.contains { $0.value >= Self.firstStandIn } }
}
