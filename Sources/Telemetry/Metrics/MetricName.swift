// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Names and texts as Prometheus' text format, version 0.0.4, takes them.
enum MetricName {
  /// A metric's name: characters that are not allowed become `_`, then the unit, then `_total` on a counter, each
  /// unless it is there.
  static func shown(_ name: String, unit: MetricUnit, kind: MetricKind) -> String {
    var text = sanitized(name, allowsColon: true)
    let isTotal = kind == .counter && text.hasSuffix("_total")
    if isTotal { text.removeLast("_total".count) }
    if unit != .none, !text.hasSuffix("_" + unit.rawValue) { text += "_" + unit.rawValue }
    return kind == .counter ? text + "_total" : text
  }

  /// A label's name. `le` belongs to histograms and a leading `__` to the scraper, so both get a prefix.
  static func label(_ name: String) -> String {
    let text = sanitized(name, allowsColon: false)
    return text == "le" || text.hasPrefix("__") ? "exported_" + text : text
  }

  /// A label's value between its quotes.
  static func escaped(_ value: String) -> String { escaped(value, quotes: true) }

  /// A help text: quotes stay as they are.
  static func escapedHelp(_ text: String) -> String { escaped(text, quotes: false) }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func sanitized(_ name: String, allowsColon: Bool) -> String {
    var bytes: [UInt8] = []
    for byte in name.utf8 {
      let isAllowed = byte.isASCIILetter || byte.isASCIIDigit || byte == 0x5F || (allowsColon && byte == 0x3A)
      if bytes.isEmpty, byte.isASCIIDigit { bytes.append(0x5F) }
      bytes.append(isAllowed ? byte : 0x5F)
    }
    return bytes.isEmpty ? "_" : String(decoding: bytes, as: UTF8.self)
  }
}
