// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON
internal import Logging

/// Metadata of swift-log as text and as JSON.
enum MetadataText {
  /// How deep arrays and dictionaries may nest; deeper ones are left out.
  private static let depthLimit = 8

  /// A text as long as a line takes.
  static func short(_ text: String) -> String { text.shortened(toUTF8Count: LogFormatter.textLimit) }

  /// Appends a value or a key in text form: as it is where it is one plain word, in quotes otherwise.
  static func appendWord(_ text: String, to bytes: inout [UInt8]) {
    var text = text
    // In one piece: through the view of a string, this check alone took a third of a line's time.
    let isDone = text.withUTF8 { word in
      guard !word.isEmpty, word.count <= LogFormatter.textLimit, word.allSatisfy(isPlain) else { return false }
      bytes.append(contentsOf: word)
      return true
    }
    if !isDone { bytes += short(text).quoted.utf8 }
  }

  /// Whether a byte stands for itself in a word of text form.
  private static func isPlain(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7F && byte != 0x22 && byte != 0x3D && byte != 0x5C
  }

  /// A value in one text: `[a, b]` for arrays, `{a: b}` for dictionaries, by key.
  static func text(_ value: Logger.MetadataValue, depth: Int = 0) -> String {
    guard depth < depthLimit else { return "…" }
    switch value {
    case .string(let text): return text
    case .stringConvertible(let value): return value.description
    case .array(let values): return "[" + values.map { text($0, depth: depth + 1) }.joined(separator: ", ") + "]"
    case .dictionary(let pairs):
      let parts = pairs.sorted { $0.key < $1.key }.map { $0.key + ": " + text($0.value, depth: depth + 1) }
      return "{" + parts.joined(separator: ", ") + "}"
    }
  }

  /// Appends a value as JSON: arrays and objects as such, all else as a string.
  static func appendJSON(_ value: Logger.MetadataValue, to bytes: inout [UInt8], depth: Int = 0) {
    guard depth < depthLimit else {
      bytes += "null".utf8
      return
    }
    switch value {
    case .string(let text): JSONWriter.appendQuoted(short(text), to: &bytes)
    case .stringConvertible(let value): JSONWriter.appendQuoted(short(value.description), to: &bytes)
    case .array(let values):
      bytes.append(0x5B)
      for (index, value) in values.enumerated() {
        if index > 0 { bytes.append(0x2C) }
        appendJSON(value, to: &bytes, depth: depth + 1)
      }
      bytes.append(0x5D)
    case .dictionary(let pairs):
      bytes.append(0x7B)
      for (index, pair) in pairs.sorted(by: { $0.key < $1.key }).enumerated() {
        if index > 0 { bytes.append(0x2C) }
        JSONWriter.appendQuoted(short(pair.key), to: &bytes)
        bytes.append(0x3A)
        appendJSON(pair.value, to: &bytes, depth: depth + 1)
      }
      bytes.append(0x7D)
    }
  }
}
