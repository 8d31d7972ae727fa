// SPDX-License-Identifier: Apache-2.0

/// The way through a document to what stands at an offset.
public enum JSONPath {
  /// The longest name that is told whole, in bytes.
  private static let nameLimit = 80

  /// A step into an array or an object that is open.
  private struct Step {
    let isObject: Bool
    var name: ArraySlice<UInt8> = []
    var index = -1
    var hasName = false
  }

  /// The path of the key or the value at an offset, or of the innermost one around it: `$.items[3].price`, with
  /// `["a b"]` for names that are none of a programming language. The document is read up to there.
  public static func path(to offset: Int, in document: ArraySlice<UInt8>) -> String {
    var limits = JSONLimits()
    limits.depth = .max
    limits.bytes = .max
    var reader = JSONReader(document, limits: limits)
    var steps: [Step] = []
    // Where the document ends or is wrong, what is open by then is the way.
    while let token = (try? reader.next()) ?? nil, reader.offset <= offset {
      switch token {
      case .endArray, .endObject:
        if reader.offset == offset { return text(steps.dropLast()) }
        _ = steps.popLast()
        end(&steps)
        continue
      case .key:
        steps[steps.count - 1].name = reader.text
        steps[steps.count - 1].hasName = true
        if reader.offset == offset { return text(steps[...]) }
        continue
      default: if let last = steps.last, !last.isObject { steps[steps.count - 1].index += 1 }
      }
      if reader.offset == offset { break }
      if token == .beginArray || token == .beginObject {
        steps.append(Step(isObject: token == .beginObject))
      } else {
        end(&steps)
      }
    }
    return text(steps[...])
  }

  /// Behind a member's value its name leads nowhere.
  private static func end(_ steps: inout [Step]) {
    if !steps.isEmpty { steps[steps.count - 1].hasName = false }
  }

  private static func text(_ steps: ArraySlice<Step>) -> String {
    var text: [UInt8] = [0x24]
    for step in steps {
      if step.isObject {
        if step.hasName { append(step.name, to: &text) }
      } else if step.index >= 0 {
        text.append(0x5B)
        JSONWriter.appendDecimal(Int64(step.index), to: &text)
        text.append(0x5D)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func append(_ name: ArraySlice<UInt8>, to text: inout [UInt8]) {
    let isPlain = !name.isEmpty && name.allSatisfy { $0 == 0x5F || ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 }
    if isPlain, name.count <= nameLimit {
      text.append(0x2E)
      text += name
      return
    }
    // What is cut within a character is repaired.
    let shown = Array(String(decoding: name.prefix(nameLimit), as: UTF8.self).utf8)
    text.append(0x5B)
    JSONWriter.appendQuoted(shown.span, to: &text)
    text.append(0x5D)
  }
}
