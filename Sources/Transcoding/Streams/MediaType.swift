// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Protobuf

/// A media type (RFC 9110 section 8.3.1).
struct MediaType {
  /// Both parts with the slash between them, in small letters.
  let name: String
  /// The parameters, their names in small letters, without quotes around their values.
  let parameters: [(name: String, value: String)]

  /// Reads a type; nil for what is none.
  init?(_ text: String) {
    var parts = Self.split(text, at: 0x3B)
    let name = parts.removeFirst().asciiTrimmed.asciiLowercased
    let slash = name.utf8.firstIndex(of: 0x2F)
    guard let slash, slash != name.startIndex, !name[slash...].dropFirst().isEmpty,
      name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x2C })
    else { return nil }
    self.name = name
    var parameters: [(name: String, value: String)] = []
    for part in parts {
      let part = part.asciiTrimmed
      guard let equals = part.utf8.firstIndex(of: 0x3D) else { continue }
      var value = String(part[equals...].dropFirst())
      if value.utf8.count >= 2, value.utf8.first == 0x22, value.utf8.last == 0x22 {
        value = String(value.dropFirst().dropLast())
      }
      parameters.append((String(part[..<equals]).asciiTrimmed.asciiLowercased, value))
    }
    self.parameters = parameters
  }

  func parameter(_ name: String) -> String? { parameters.first { $0.name == name }?.value }

  /// The parts of a text between separators outside of quotes.
  static func split(_ text: String, at separator: UInt8) -> [String] {
    var parts: [String] = []
    var part: [UInt8] = []
    var isQuoted = false
    var isEscaped = false
    for byte in text.utf8 {
      if byte == separator, !isQuoted {
        parts.append(String(decoding: part, as: UTF8.self))
        part = []
        continue
      }
      if byte == 0x22, !isEscaped { isQuoted.toggle() }
      isEscaped = isQuoted && byte == 0x5C && !isEscaped
      part.append(byte)
    }
    parts.append(String(decoding: part, as: UTF8.self))
    return parts
  }
}

/// A range of media types with its weight (RFC 9110 section 12.5.1).
struct MediaRange {
  /// How many ranges of a list count.
  private static let limit = 100

  let type: MediaType
  /// From 0 to 1000.
  let weight: Int

  /// How precisely it names a type: 2 for one type, 1 for all of one kind, 0 for all.
  var precision: Int { type.name == "*/*" ? 0 : type.name.hasSuffix("/*") ? 1 : 2 }

  /// The ranges of a list; those that are none are left out.
  static func list(_ text: String) -> [MediaRange] {
    var ranges: [MediaRange] = []
    for part in MediaType.split(text, at: 0x2C).prefix(limit) {
      guard let type = MediaType(part) else { continue }
      var weight = 1000
      if let text = type.parameter("q") {
        guard let value = self.weight(text) else { continue }
        weight = value
      }
      ranges.append(MediaRange(type: type, weight: weight))
    }
    return ranges
  }

  /// A weight of at most three places.
  private static func weight(_ text: String) -> Int? {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, first == 0x30 || first == 0x31, bytes.count <= 5 else { return nil }
    guard bytes.count == 1 || bytes[1] == 0x2E else { return nil }
    var value = Int(first - 0x30)
    for place in 2..<5 {
      let digit = place < bytes.count ? bytes[place] : 0x30
      guard digit.isASCIIDigit else { return nil }
      value = value * 10 + Int(digit - 0x30)
    }
    return value <= 1000 ? value : nil
  }

  /// The range that names a type most precisely.
  static func best(for type: String, of ranges: [MediaRange]) -> MediaRange? {
    var best: MediaRange?
    for range in ranges where range.contains(type) {
      if let best, best.precision >= range.precision { continue }
      best = range
    }
    return best
  }

  private func contains(_ name: String) -> Bool {
    switch precision {
    case 0: true
    case 1: name.utf8.starts(with: type.name.utf8.dropLast())
    default: name == type.name
    }
  }
}

/// The types of bodies of requests.
public enum RequestBodyType {
  /// Sees to it that a route takes a body of a type: JSON, in UTF-8; where a route takes a stream of messages, also
  /// documents one a line; where it takes bytes of any type, every type. A body without a type is taken for JSON.
  ///
  /// Throws 415.
  public static func check(_ contentType: String?, for route: Route) throws(TranscodingError) {
    guard let contentType, !contentType.asciiTrimmed.isEmpty, !route.takesRawBody else { return }
    // As nearly all bodies say it.
    if contentType == "application/json" { return }
    let takesStream = route.method.isClientStreaming
    guard let type = MediaType(contentType), isJSON(type.name) || (takesStream && isLines(type.name)) else {
      throw TranscodingError(
        .unsupportedMediaType,
        "the body is " + contentType.shortened(toUTF8Count: 80).quoted + " and not application/json"
          + (takesStream ? " or application/x-ndjson" : ""))
    }
    if let charset = type.parameter("charset"), !charset.equalsIgnoringASCIICase("utf-8") {
      throw TranscodingError(
        .unsupportedMediaType, "the body is in " + charset.shortened(toUTF8Count: 80).quoted + " and not in UTF-8")
    }
  }

  private static func isJSON(_ name: String) -> Bool {
    name == "application/json" || (name.hasSuffix("+json") && name.utf8.count > 17 && name.hasPrefix("application/"))
  }

  private static func isLines(_ name: String) -> Bool {
    name == "application/x-ndjson" || name == "application/ndjson" || name == "application/jsonl"
  }
}
