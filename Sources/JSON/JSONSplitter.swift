// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream of JSON into values while it comes, in chunks of any size.
///
/// It looks at brackets, strings and commas alone: what it hands out is a value if ``JSONReader`` says so, and a stream
/// that holds anything else never yields values that are right. The time is linear in the stream's length, however it
/// is cut. A value that lies within one chunk is a view into that chunk; of others, no more than one is kept, and of
/// that one no more than the limit. A splitter that threw has ended.
///
///     receive ─▶ between ──first byte of a value──▶ inside ──its end──▶ next() returns it ─▶ between
///                 white space, commas, the array's brackets       chunks without an end are kept
public struct JSONSplitter: Sendable {
  /// What the stream consists of.
  public enum Form: Sendable {
    /// Values one after another, with white space between them or without: also a value a line. A number and a word end
    /// before the next value only where white space, a quote or a bracket stands between.
    case values
    /// The elements of one array, behind which nothing but white space may follow.
    case elements
  }

  /// What may stand between values.
  private enum Place {
    /// A value, or the stream's end.
    case value
    /// The bracket that opens the array.
    case array
    /// The array's first element, or its end.
    case firstElement
    /// An element, behind a comma.
    case element
    /// A comma, or the array's end.
    case comma
    /// Nothing.
    case end
  }

  /// How a value that has begun goes on.
  private enum Shape {
    case container
    case string
    /// A number or a word.
    case scalar
  }

  private let form: Form
  private let limits: JSONLimits
  private var place: Place
  /// The value that has begun.
  private var shape: Shape?
  private var depth = 0
  private var isInString = false
  /// Whether the last byte was a backslash that escapes the next one.
  private var isEscaping = false

  private var chunk: ArraySlice<UInt8> = []
  /// How much of the chunk was looked at.
  private var scanned = 0
  /// Where the value begins that has begun in the chunk, or is continued in it.
  private var start = 0
  /// What earlier chunks had of the value.
  private var kept: [UInt8] = []
  /// The chunk's offset in the stream.
  private var chunkOffset = 0
  private var hasEnded = false

  /// A splitter of a stream. The limits are those of each value; the depth does not count the array around elements.
  public init(_ form: Form, limits: JSONLimits = JSONLimits()) {
    self.form = form
    self.limits = limits
    place = form == .values ? .value : .array
  }

  /// Takes the next chunk. The values of the one before should have been taken out: what is left of it is copied.
  public mutating func receive(_ bytes: ArraySlice<UInt8>) {
    let left = chunk.count - scanned
    if left == 0 {
      keepBeginning()
      chunkOffset += chunk.count
      chunk = bytes
      (scanned, start) = (0, 0)
    } else {
      chunk += bytes
    }
  }

  /// Takes the stream's end.
  public mutating func receiveEnd() { hasEnded = true }

  /// Whether the stream has ended where it may, and all its values were taken out.
  public var isFinished: Bool {
    hasEnded && shape == nil && scanned == chunk.count && (place == .value || place == .end)
  }

  /// The next value, from its first byte to its last; nil where more must come for one, or none does.
  public mutating func next() throws(JSONError) -> ArraySlice<UInt8>? {
    do throws(ScanFault) {
      if shape == nil {
        guard try findValue() else { return nil }
      }
      guard try findEnd() else { return nil }
    } catch {
      throw JSONError(error.code, at: chunkOffset + error.offset, in: nil)
    }
    return takeValue()
  }
}

extension JSONSplitter {
  /// Passes over what stands between values, to the first byte of one; false where none comes in this chunk.
  private mutating func findValue() throws(ScanFault) -> Bool {
    let chunk = chunk
    let bytes = chunk.span
    while scanned < bytes.count {
      let byte = bytes[scanned]
      switch (byte, place) {
      case (0x20, _), (0x0A, _), (0x0D, _), (0x09, _): break
      case (0x5B, .array): place = .firstElement
      case (0x2C, .comma): place = .element
      case (0x5D, .firstElement), (0x5D, .comma): place = .end
      case (0x2C, _), (0x3A, _), (0x5D, _), (0x7D, _), (_, .array), (_, .comma), (_, .end):
        throw ScanFault(.unexpectedCharacter, scanned)
      default:
        begin(byte)
        return true
      }
      scanned += 1
    }
    if hasEnded, place != .value, place != .end { throw ScanFault(.unexpectedEnd, scanned) }
    return false
  }

  private mutating func begin(_ byte: UInt8) {
    start = scanned
    depth = 0
    isInString = false
    isEscaping = false
    switch byte {
    case 0x7B, 0x5B: shape = .container
    case 0x22: shape = .string
    default: shape = .scalar
    }
  }

  /// Goes on to behind the value's last byte; false where it is not in this chunk.
  private mutating func findEnd() throws(ScanFault) -> Bool {
    let chunk = chunk
    let bytes = chunk.span
    // Behind the byte where the value would be too large.
    let limit = limits.bytes - kept.count
    let end = min(bytes.count, limit < bytes.count - start ? start + max(limit, 0) : bytes.count)
    var position = scanned
    defer { scanned = position }
    while position < end {
      if isInString {
        position = skipText(bytes, from: position, to: end)
        guard position < end else { break }
      }
      let byte = bytes[position]
      if shape == .scalar {
        if byte.endsScalar { return true }
        position += 1
        continue
      }
      position += 1
      if isInString {
        // A quote or a backslash; the byte behind a backslash was passed over.
        if byte == 0x22 {
          isInString = false
          if depth == 0 { return true }
        }
        continue
      }
      switch byte {
      case 0x22: isInString = true
      case 0x7B, 0x5B:
        guard depth < limits.depth else { throw ScanFault(.tooDeep, position - 1) }
        depth += 1
      case 0x7D, 0x5D:
        depth -= 1
        if depth == 0 { return true }
      default: break
      }
    }
    if shape == .scalar, position < bytes.count, bytes[position].endsScalar { return true }
    guard position == bytes.count else { throw ScanFault(.tooLarge, position) }
    guard hasEnded else { return false }
    guard shape == .scalar else { throw ScanFault(.unexpectedEnd, position) }
    return true
  }

  /// Passes over text and escapes, to a quote.
  private mutating func skipText(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    var position = start
    while position < end {
      if isEscaping {
        isEscaping = false
        position += 1
        continue
      }
      while position + 8 <= end {
        let marks = bytes.eightBytes(at: position).marksOfDelimiters
        guard marks == 0 else {
          position += marks.trailingZeroBitCount >> 3
          break
        }
        position += 8
      }
      guard position < end else { break }
      switch bytes[position] {
      case 0x22: return position
      case 0x5C: isEscaping = true
      default: break
      }
      position += 1
    }
    return position
  }

  /// The value that ends where the splitter stands.
  private mutating func takeValue() -> ArraySlice<UInt8> {
    shape = nil
    place = form == .values ? .value : .comma
    let part = chunk[chunk.startIndex + start..<chunk.startIndex + scanned]
    start = scanned
    guard !kept.isEmpty else { return part }
    var value: [UInt8] = []
    swap(&value, &kept)
    value += part
    return value[...]
  }

  /// Keeps what the chunk has of a value that goes on in the next one.
  private mutating func keepBeginning() {
    guard shape != nil else { return }
    kept += chunk[(chunk.startIndex + start)...]
  }
}

extension UInt8 {
  /// Whether a number or a word is over before this byte: at white space, a quote, a bracket, a comma or a colon.
  fileprivate var endsScalar: Bool {
    switch self {
    case 0x20, 0x0A, 0x0D, 0x09, 0x22, 0x2C, 0x3A, 0x5B, 0x5D, 0x7B, 0x7D: true
    default: false
    }
  }
}
