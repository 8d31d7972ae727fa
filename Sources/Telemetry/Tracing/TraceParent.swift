// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// The headers `traceparent` and `tracestate` of W3C Trace Context.
public enum TraceParent {
  /// The header that names the caller's span.
  public static let header = "traceparent"
  /// The header that carries other systems' notes.
  public static let stateHeader = "tracestate"

  /// The length of version 00's value: `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
  private static let length = 55

  /// Reads the two headers; nil where the first is not in order. Of several `tracestate` headers the values are joined
  /// by commas; one that is not in order is left out without harm to the first.
  ///
  /// A version above 00 is read as far as 00 goes, as section 3.2 of the format asks for; `ff` is none.
  public static func decode(_ parent: String, state: String? = nil) -> SpanContext? {
    let bytes = Array(parent.utf8)
    guard bytes.count >= length, bytes[2] == 0x2D, bytes[35] == 0x2D, bytes[52] == 0x2D,
      let version = hex(bytes[0..<2]), version != 0xFF,
      bytes.count == length || (version > 0 && bytes[length] == 0x2D),
      let high = hex(bytes[3..<19]), let low = hex(bytes[19..<35]), let traceID = TraceID(high: high, low: low),
      let span = hex(bytes[36..<52]), let spanID = SpanID(span), let flags = hex(bytes[53..<55])
    else { return nil }
    return SpanContext(
      traceID: traceID, spanID: spanID, isSampled: flags & 1 == 1,
      state: state.flatMap { TraceState(decoding: $0) } ?? TraceState())
  }

  /// The value of `traceparent`, in version 00.
  public static func encode(_ context: SpanContext) -> String {
    "00-" + context.traceID.text + "-" + context.spanID.text + (context.isSampled ? "-01" : "-00")
  }

  /// A number of at most 16 digits; capitals are no digits here.
  private static func hex(_ digits: ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for byte in digits {
      guard !(0x41...0x46).contains(byte), let digit = byte.hexDigitValue else { return nil }
      value = value << 4 | UInt64(digit)
    }
    return value
  }
}

/// The list in `tracestate`: `vendor=value` members, passed on as they came.
public struct TraceState: Hashable, Sendable {
  /// How many members there may be.
  public static let memberLimit = 32
  /// The longest list that is passed on, in bytes: the length that every system is asked to carry.
  public static let sizeLimit = 512

  /// The members, joined by commas without spaces; empty where there are none.
  public let text: String

  /// No members.
  public init() { text = "" }

  /// Reads a header's value; nil where a member is malformed, named twice, or too much.
  public init?(decoding value: String) {
    guard value.utf8.count <= 4 * Self.sizeLimit else { return nil }
    var keys: Set<String> = []
    var members: [String] = []
    for part in value.split(onASCII: 0x2C) {
      let member = Self.trimmed(part)
      if member.isEmpty { continue }  // an empty member is allowed
      guard let key = Self.key(of: member), keys.insert(key).inserted, members.count < Self.memberLimit else {
        return nil
      }
      members.append(member)
    }
    let text = members.joined(separator: ",")
    guard text.utf8.count <= Self.sizeLimit else { return nil }
    self.text = text
  }

  private static func trimmed(_ part: String) -> String {
    var rest = Substring(part).utf8
    while let first = rest.first, first == 0x20 || first == 0x09 { rest.removeFirst() }
    while let last = rest.last, last == 0x20 || last == 0x09 { rest.removeLast() }
    return String(Substring(rest))
  }

  /// The key of a member; nil for what is none.
  private static func key(of member: String) -> String? {
    let parts = member.utf8.split(separator: 0x3D, maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, isKey(parts[0]), (1...256).contains(parts[1].count),
      parts[1].allSatisfy({ $0 >= 0x20 && $0 <= 0x7E && $0 != 0x3D })
    else { return nil }
    return String(Substring(parts[0]))
  }

  /// A key: `a-z` or a digit, then up to 255 of these and `_-*/`; or two such around an `@`, of which the second
  /// begins with a letter and has at most 14.
  private static func isKey(_ key: Substring.UTF8View) -> Bool {
    let halves = key.split(separator: 0x40, omittingEmptySubsequences: false)
    guard halves.count <= 2, halves.allSatisfy({ $0.allSatisfy(isKeyByte) }), let first = halves[0].first,
      first.isASCIIDigit || first.isASCIILetter
    else { return false }
    guard halves.count == 2 else { return halves[0].count <= 256 }
    return halves[0].count <= 241 && halves[1].count <= 14 && halves[1].first?.isASCIILetter == true
  }

  private static func isKeyByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x61...0x7A, 0x30...0x39, 0x5F, 0x2D, 0x2A, 0x2F: true  // a-z 0-9 _ - * /
    default: false
    }
  }
}
