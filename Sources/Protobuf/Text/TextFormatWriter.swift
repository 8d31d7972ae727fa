// SPDX-License-Identifier: Apache-2.0

// Protobuf's text format: messages as people write them in configuration files.

extension DynamicMessage {
  /// The message in the text format, a field a line, those within messages indented by two spaces. Fields come by
  /// number, keys of maps in their order; the content of an `Any` is written in place where the pool has its type.
  /// Unknown fields are left out. What nests deeper than messages may is written as an empty message.
  public var text: String {
    var writer = TextFormatWriter()
    writer.write(self)
    return writer.text
  }
}

/// Writes messages in the text format.
struct TextFormatWriter {
  private(set) var text = ""
  private var depth: Int
  private let start: Int

  /// A writer whose first lines are indented so many times.
  init(depth: Int = 0) { (self.depth, start) = (depth, depth) }

  private mutating func line(_ line: String) { text += String(repeating: "  ", count: depth) + line + "\n" }

  mutating func write(_ message: DynamicMessage) {
    guard depth - start < WireReader.defaultDepthLimit else { return }
    if let content = message.anyContent {
      line("[\(content.url)] {")
      depth += 1
      write(content.message)
      depth -= 1
      return line("}")
    }
    for field in message.setFields {
      guard let value = try? message.get(field) else { continue }
      write(value, of: field)
    }
  }

  private mutating func write(_ value: DynamicValue, of field: FieldDescriptor) {
    switch value {
    case .list(let values): for value in values { write(value, of: field) }
    case .map(let entries):
      guard let entry = field.message, let key = entry.field(numbered: 1), let value = entry.field(numbered: 2) else {
        return
      }
      for item in entries {
        line("\(Self.name(field)) {")
        depth += 1
        write(item.key, of: key)
        write(item.value, of: value)
        depth -= 1
        line("}")
      }
    case .message(let message):
      line("\(Self.name(field)) {")
      depth += 1
      write(message)
      depth -= 1
      line("}")
    default: line("\(Self.name(field)): \(Self.text(value, of: field))")
    }
  }

  /// A field's name; a group's is that of its message.
  private static func name(_ field: FieldDescriptor) -> String {
    if field.isExtension { return "[\(field.fullName)]" }
    return field.type == .group && field.file.edition == .proto2 ? field.message?.name ?? field.name : field.name
  }

  /// A value that is no message.
  static func text(_ value: DynamicValue, of field: FieldDescriptor) -> String {
    switch value {
    case .int32(let number): "\(number)"
    case .int64(let number): "\(number)"
    case .uint32(let number): "\(number)"
    case .uint64(let number): "\(number)"
    case .float(let number): text(number)
    case .double(let number): text(number)
    case .bool(let value): value ? "true" : "false"
    case .string(let text): quoted(Array(text.utf8), isText: true)
    case .bytes(let bytes): quoted(bytes, isText: false)
    case .enumeration(let number): field.enumeration?.value(numbered: number)?.name ?? "\(number)"
    case .message, .list, .map: ""
    }
  }

  static func text<Number: BinaryFloatingPoint & CustomStringConvertible>(_ number: Number) -> String {
    if number.isNaN { return "nan" }
    if number.isInfinite { return number < 0 ? "-inf" : "inf" }
    return number.description
  }

  /// A text in quotes; characters beyond ASCII stay in a text, and are octal in bytes.
  static func quoted(_ bytes: [UInt8], isText: Bool) -> String {
    var text: [UInt8] = []
    text.append(0x22)
    for byte in bytes {
      switch byte {
      case 0x20..<0x7F where byte != 0x22 && byte != 0x5C: text.append(byte)
      case 0x80... where isText: text.append(byte)
      default:
        // Byte by byte, for the reason that scripts/check-objects tells.
        text.append(0x5C)
        switch byte {
        case 0x22, 0x5C: text.append(byte)
        case 0x0A: text.append(0x6E)
        default:
          for shift in [6, 3, 0] as [UInt8] { text.append(0x30 + (byte >> shift & 7)) }
        }
      }
    }
    text.append(0x22)
    return String(decoding: text, as: UTF8.self)
  }
}

extension DynamicMessage {
  /// What an `Any` holds, where this is one and the pool has the type.
  fileprivate var anyContent: (url: String, message: DynamicMessage)? {
    guard type.fullName == "google.protobuf.Any", let url = type.field(numbered: 1),
      let value = type.field(numbered: 2),
      case .string(let name)? = try? get(url), case .bytes(let bytes)? = try? get(value),
      let slash = name.utf8.lastIndex(of: 0x2F),
      let content = type.pool.message(named: String(name[name.utf8.index(after: slash)...])),
      let message = try? DynamicMessage(decoding: bytes[...], as: content, allowsMissingRequired: true)
    else { return nil }
    return (name, message)
  }
}
