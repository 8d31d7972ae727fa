// SPDX-License-Identifier: Apache-2.0

internal import Bytes

extension PathTemplate {
  /// Reads a template from its start to its end.
  struct Parser {
    private let bytes: [UInt8]
    private let text: String
    private var position = 0
    /// Where the verb's colon stands, or the template ends.
    private var end = 0

    private(set) var segments: [Segment] = []
    private(set) var variables: [Variable] = []
    private(set) var verb: [UInt8]?

    init(_ bytes: [UInt8], _ text: String) {
      self.bytes = bytes
      self.text = text
    }

    private func error(_ code: PathTemplateError.Code, at position: Int? = nil) -> PathTemplateError {
      PathTemplateError(text, (position ?? self.position) + 1, code)
    }

    private var next: UInt8? { position < end ? bytes[position] : nil }

    mutating func template() throws(PathTemplateError) {
      guard bytes.first == 0x2F else { throw error(.noSlash) }
      position = 1
      end = verbColon()
      if bytes.count == 1 {
        segments = [.literal([])]
        return
      }
      try segments(inVariable: false)
      guard position == end else { throw error(.unexpectedCharacter) }
      guard end < bytes.count else { return }
      position = end + 1
      end = bytes.count
      guard position < end else { throw error(.emptyVerb) }
      verb = try literal()
      guard position == end else { throw error(.unexpectedCharacter) }
    }

    /// Where the verb's colon stands; the end of the bytes where there is none.
    private func verbColon() -> Int {
      // The last segment begins behind the last slash outside of braces.
      var start = 0
      var behindWildcard: Int?
      var depth = 0
      for (place, byte) in bytes.enumerated() {
        switch byte {
        case 0x7B: depth += 1
        case 0x7D:
          depth -= 1
          behindWildcard = place + 1
        case 0x2F where depth <= 0:
          start = place + 1
          behindWildcard = nil
        case 0x2A where depth <= 0: behindWildcard = place + 1
        default: break
        }
      }
      if let behindWildcard {
        return behindWildcard < bytes.count && bytes[behindWildcard] == 0x3A ? behindWildcard : bytes.count
      }
      return bytes[start...].lastIndex(of: 0x3A) ?? bytes.count
    }

    private mutating func segments(inVariable: Bool) throws(PathTemplateError) {
      while true {
        if segments.last == .rest { throw error(.restNotLast) }
        guard segments.count < segmentLimit else { throw error(.tooManySegments) }
        try segment(inVariable: inVariable)
        guard next == 0x2F else { return }
        position += 1
      }
    }

    private mutating func segment(inVariable: Bool) throws(PathTemplateError) {
      switch next {
      case nil, 0x2F?: throw error(.emptySegment)
      case 0x7D? where inVariable: throw error(.emptySegment)
      case 0x2A?:
        position += 1
        guard next == 0x2A else {
          segments.append(.any)
          return
        }
        position += 1
        segments.append(.rest)
      case 0x7B?:
        guard !inVariable else { throw error(.nestedVariable) }
        try variable()
      default:
        let bytes = try literal()
        guard !bytes.isEmpty else { throw error(.unexpectedCharacter) }
        segments.append(.literal(bytes))
      }
    }

    private mutating func variable() throws(PathTemplateError) {
      let open = position
      position += 1
      let start = position
      while let byte = next, byte != 0x3D, byte != 0x7D { position += 1 }
      guard next != nil else { throw error(.unclosedVariable, at: open) }
      let name = bytes[start..<position]
      guard Self.isFieldPath(name) else { throw error(.malformedFieldPath, at: start) }
      let path = String(decoding: name, as: UTF8.self)
      guard !variables.contains(where: { $0.fieldPath == path }) else { throw error(.duplicateVariable, at: start) }
      let first = segments.count
      if next == 0x3D {
        position += 1
        try segments(inVariable: true)
      } else {
        segments.append(.any)
      }
      guard next != nil else { throw error(.unclosedVariable, at: open) }
      guard next == 0x7D else { throw error(.unexpectedCharacter) }
      position += 1
      variables.append(
        Variable(
          fieldPath: path, segments: first..<segments.count,
          isSingle: segments.count == first + 1 && segments[first] != .rest, column: start + 1))
    }

    /// What stands up to a character that ends a literal, decoded.
    private mutating func literal() throws(PathTemplateError) -> [UInt8] {
      var literal: [UInt8] = []
      while let byte = next {
        switch byte {
        case 0x25:
          guard position + 2 < end, let high = bytes[position + 1].hexDigitValue,
            let low = bytes[position + 2].hexDigitValue
          else { throw error(.malformedEscape) }
          literal.append(high << 4 | low)
          position += 3
          continue
        case _ where byte.isASCIILetter || byte.isASCIIDigit: break
        // What else a segment of a path may have, but the asterisk.
        case 0x2D, 0x2E, 0x5F, 0x7E, 0x21, 0x24, 0x26...0x29, 0x2B, 0x2C, 0x3B, 0x3D, 0x40: break
        case 0x3A: break
        case 0x2F, 0x7D: return literal
        default: throw error(.unexpectedCharacter)
        }
        literal.append(byte)
        position += 1
      }
      return literal
    }

    /// Whether a text is names with dots between them.
    private static func isFieldPath(_ text: ArraySlice<UInt8>) -> Bool {
      text.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy { name in
        guard let first = name.first, !first.isASCIIDigit else { return false }
        return name.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || $0 == 0x5F }
      }
    }
  }
}
