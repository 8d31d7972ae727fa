// SPDX-License-Identifier: Apache-2.0

import Protobuf

/// Descriptors as a file and as a set of files. What is linked can be walked through, and its options and comments are
/// decoded or refused.
@Sendable func descriptors(_ input: [UInt8]) {
  var limits = DescriptorPool.Limits()
  limits.declarations = 10_000
  for pool in [try? DescriptorPool(files: [input], limits: limits), try? DescriptorPool(set: input, limits: limits)] {
    guard let pool else { continue }
    for file in pool.files {
      let comments = try? file.comments()
      for message in file.messages { walk(message, comments) }
      for field in file.extensions { check(pool.extension(named: field.fullName) == field, "an extension is found") }
      for service in file.services {
        for method in service.methods {
          check(pool.method(named: method.fullName) == method, "a method is found")
          _ = try? method.decodedOptions()
          _ = comments?[method]
        }
      }
    }
  }
}

private func walk(_ message: MessageDescriptor, _ comments: SourceComments?) {
  check(message.pool.message(named: message.fullName) == message, "a message is found")
  _ = comments?[message]
  _ = try? message.decodedOptions()
  for field in message.fields {
    check(message.field(numbered: field.number) == field, "a field is found by its number")
    check(message.field(named: field.name) == field, "a field is found by its name")
    check(message.field(jsonName: field.jsonName) != nil, "a field is found by its name in JSON")
    _ = field.defaultValue
  }
  for value in message.enums.flatMap(\.values) {
    check(value.enumeration.value(named: value.name) == value, "a value is found by its name")
    check(value.enumeration.value(numbered: value.number)?.number == value.number, "a value is found by its number")
  }
  for message in message.messages { walk(message, comments) }
}

/// A message of one of two types, which the first byte chooses: what is decoded reads back as it is.
@Sendable func messages(_ input: [UInt8]) {
  guard let first = input.first, let type = messageTypes[Int(first) % 2] else { return }
  guard let message = try? DynamicMessage(decoding: input[1...], as: type, allowsMissingRequired: true) else { return }
  var bytes: [UInt8] = []
  guard (try? message.encode(into: &bytes, allowsMissingRequired: true)) != nil else {
    fatalError("what was decoded can be encoded")
  }
  guard let again = try? DynamicMessage(decoding: bytes, as: type, allowsMissingRequired: true) else {
    fatalError("what was encoded can be decoded")
  }
  check(again == message, "a message reads back")
  var once: [UInt8] = []
  _ = try? again.encode(into: &once, allowsMissingRequired: true)
  check(once == bytes, "a message has one encoding")
  var copy = DynamicMessage(type)
  for field in message.setFields {
    guard let value = try? message.get(field) else { fatalError("a field that is set has a value") }
    // A string that nobody checked may be none, and changes then.
    check((try? copy.set(value, for: field)) != nil, "a value can be set")
  }
  check(copy.setFields == message.setFields, "what is set is set")
}

/// `M` in proto2 and in proto3.
private let messageTypes: [MessageDescriptor?] = ["proto2", "proto3"].map { syntax in
  let isProto2 = syntax == "proto2"
  var parts: [[UInt8]] = []
  for type: Int32 in 1...18 where ![10, 11, 14].contains(type) {
    parts.append(field("s\(type)", type, type))
    parts.append(field("r\(type)", type + 100, type, label: 3))
  }
  parts.append(field("m", 30, 11, named: ".M"))
  parts.append(field("rm", 31, 11, label: 3, named: ".M"))
  parts.append(field("e", 32, 14, named: ".E"))
  parts.append(field("re", 33, 14, label: 3, named: ".E"))
  if isProto2 {
    parts.append(field("g", 34, 10, named: ".M"))
    parts.append(field("rg", 35, 10, label: 3, named: ".M"))
    parts.append(field("q", 36, 5, label: 2))
  }
  parts.append(field("o1", 40, 5, oneof: 0))
  parts.append(field("o2", 41, 11, named: ".M", oneof: 0))
  parts.append(field("o3", 42, 9, oneof: 0))
  var entries: [[UInt8]] = []
  for (place, (key, value, name)) in [(9, 11, ".M"), (5, 14, ".E"), (4, 12, ""), (8, 9, "")].enumerated() {
    parts.append(field("map\(place)", Int32(50 + place), 11, label: 3, named: ".M.Map\(place)Entry"))
    entries.append(entry("Map\(place)Entry", Int32(key), Int32(value), name))
  }

  var message = WireWriter()
  message.string("M", field: 1)
  for part in parts { message.bytes(part, field: 2) }
  for part in entries { message.bytes(part, field: 3) }
  message.bytes(named("o"), field: 8)
  var enumeration = WireWriter()
  enumeration.string("E", field: 1)
  for number: Int32 in [0, 1, 5] {
    var value = WireWriter()
    value.string("V\(number)", field: 1)
    value.int32(number, field: 2)
    enumeration.bytes(value.bytes, field: 2)
  }
  var file = WireWriter()
  file.string("m.proto", field: 1)
  file.bytes(message.bytes, field: 4)
  file.bytes(enumeration.bytes, field: 5)
  file.string(syntax, field: 12)
  return (try? DescriptorPool(files: [file.bytes]))?.message(named: "M")
}

private func named(_ name: String) -> [UInt8] {
  var writer = WireWriter()
  writer.string(name, field: 1)
  return writer.bytes
}

private func field(
  _ name: String, _ number: Int32, _ type: Int32, label: Int32 = 1, named typeName: String = "", oneof: Int32? = nil
) -> [UInt8] {
  var writer = WireWriter()
  writer.string(name, field: 1)
  writer.int32(number, field: 3)
  writer.int32(label, field: 4)
  writer.int32(type, field: 5)
  if !typeName.isEmpty { writer.string(typeName, field: 6) }
  if let oneof { writer.int32(oneof, field: 9) }
  return writer.bytes
}

private func entry(_ name: String, _ key: Int32, _ value: Int32, _ typeName: String) -> [UInt8] {
  var options = WireWriter()
  options.varint(1, field: 7)
  var writer = WireWriter()
  writer.string(name, field: 1)
  writer.bytes(field("key", 1, key), field: 2)
  writer.bytes(field("value", 2, value, named: typeName), field: 2)
  writer.bytes(options.bytes, field: 7)
  return writer.bytes
}
