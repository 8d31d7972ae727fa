// SPDX-License-Identifier: Apache-2.0

// What Tests/Protobuf compares with another implementation: links schemas, tells how it understands them, and decodes
// and encodes messages. Standard input is a row of requests, standard output a row of answers, one for each:
//
//   request  a byte that says what is asked; parts, each behind its length (four bytes, little-endian)
//   answer   a byte, 0 for an error; one part behind its length: the error's line, or what was asked for
//
//   S  a FileDescriptorSet: links it for all that follows; the answer is what the pool knows of each field and enum
//   M  a type's name, and a message: the answer is a byte, 1 where all required fields are set, and the message encoded
//   J  a type's name, a document, and a byte of options: the answer is the message encoded
//   W  a type's name, a message, and a byte of options: the answer is its form in JSON
//   C  a .proto file's name, and parts in pairs, a name and a text for each file there is: compiles the file and all
//      that it imports; the answer is a FileDescriptorSet

import Foundation
import Protobuf

struct Requests {
  private var bytes: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

  var isAtEnd: Bool { bytes.isEmpty }

  mutating func kind() -> UInt8? { bytes.popFirst() }

  mutating func part() -> ArraySlice<UInt8> {
    var length = 0
    for (place, byte) in bytes.prefix(4).enumerated() { length |= Int(byte) << (8 * place) }
    bytes = bytes.dropFirst(4)
    defer { bytes = bytes.dropFirst(length) }
    return bytes.prefix(length)
  }
}

/// A line for each field and enum: how the pool understands it.
func description(_ pool: DescriptorPool) -> String {
  var lines: [String] = []
  func describe(_ field: FieldDescriptor) {
    let message = field.message?.fullName ?? field.enumeration?.fullName ?? ""
    let parts: [String] = [
      field.fullName, "\(field.number)", "\(field.type.rawValue)", field.cardinality == .repeated ? "repeated" : "",
      field.cardinality == .required ? "required" : "", field.jsonName, field.hasPresence ? "presence" : "",
      field.isPacked ? "packed" : "", message, field.containingMessage.fullName, field.oneof?.name ?? "",
      field.isDeprecated ? "deprecated" : "", field.defaultValue.map(text) ?? "",
    ]
    lines.append(parts.joined(separator: "|"))
  }
  func describe(_ enumeration: EnumDescriptor) {
    let values = enumeration.values.map { "\($0.name)=\($0.number)" }.joined(separator: ",")
    lines.append("\(enumeration.fullName)|\(enumeration.isClosed ? "closed" : "open")|\(values)")
  }
  func describe(_ message: MessageDescriptor) {
    message.fields.forEach(describe)
    message.extensions.forEach(describe)
    message.enums.forEach(describe)
    message.messages.forEach(describe)
  }
  for file in pool.files {
    file.messages.forEach(describe)
    file.enums.forEach(describe)
    file.extensions.forEach(describe)
  }
  return lines.sorted().joined(separator: "\n")
}

/// A default value, floating-point ones by their bits.
func text(_ value: DynamicValue) -> String {
  switch value {
  case .int32(let value), .enumeration(let value): "\(value)"
  case .int64(let value): "\(value)"
  case .uint32(let value): "\(value)"
  case .uint64(let value): "\(value)"
  case .float(let value): value.isNaN ? "nan" : String(value.bitPattern, radix: 16)
  case .double(let value): value.isNaN ? "nan" : String(value.bitPattern, radix: 16)
  case .bool(let value): value ? "1" : "0"
  case .string(let value): value.utf8.map { String($0, radix: 16) }.joined(separator: ",")
  case .bytes(let value): value.map { String($0, radix: 16) }.joined(separator: ",")
  case .message, .list, .map: ""
  }
}

struct Answers {
  private(set) var bytes: [UInt8] = []

  mutating func add(_ isRight: Bool, _ part: [UInt8]) {
    bytes.append(isRight ? 1 : 0)
    for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: part.count >> shift)) }
    bytes += part
  }

  mutating func fail(_ line: String) { add(false, Array(line.utf8)) }
}

/// Decodes a message and encodes it again, behind a byte that tells whether it is complete.
func encoded(_ bytes: ArraySlice<UInt8>, _ type: MessageDescriptor) throws(MessageError) -> [UInt8] {
  let message = try DynamicMessage(decoding: bytes, as: type, allowsMissingRequired: true)
  var encoded: [UInt8] = [1]
  do throws(MessageError) { try message.checkRequired() } catch { encoded = [0] }
  try message.encode(into: &encoded, allowsMissingRequired: true)
  return encoded
}

var requests = Requests([UInt8](FileHandle.standardInput.readDataToEndOfFile()))
var answers = Answers()
var pool: DescriptorPool?
while let kind = requests.kind() {
  if kind == UInt8(ascii: "S") {
    do throws(SchemaError) {
      let linked = try DescriptorPool(set: Array(requests.part()))
      pool = linked
      answers.add(true, Array(description(linked).utf8))
    } catch {
      pool = nil
      answers.fail(error.message)
    }
    continue
  }
  let name = String(decoding: requests.part(), as: UTF8.self)
  let bytes = requests.part()
  if kind == UInt8(ascii: "C") {
    do throws(SourceError) { answers.add(true, try compiled(name, Requests(Array(bytes)))) } catch {
      answers.fail(error.message)
    }
    continue
  }
  let options = kind == UInt8(ascii: "M") ? [] : requests.part()
  guard let type = pool?.message(named: name) else {
    answers.fail("there is no type \(name)")
    continue
  }
  switch kind {
  case UInt8(ascii: "J"):
    do throws(MappingError) {
      answers.add(true, try read(json: bytes, type, options))
    } catch { answers.fail(error.message) }
  case UInt8(ascii: "W"):
    do throws(MappingError) {
      answers.add(true, try written(bytes, type, options))
    } catch { answers.fail(error.message) }
  default:
    do throws(MessageError) { answers.add(true, try encoded(bytes, type)) } catch { answers.fail(error.message) }
  }
}
FileHandle.standardOutput.write(Data(answers.bytes))
