// SPDX-License-Identifier: Apache-2.0

import Protobuf

/// A document as a message of every kind of field: what is read can be written, and comes back the same.
@Sendable func jsonMapping(_ input: [UInt8]) {
  guard let first = input.first, let type = mappedType else { return }
  var options = JSONReadingOptions()
  options.ignoresUnknown = first & 1 == 1
  options.limits.depth = 20
  func read(_ bytes: ArraySlice<UInt8>) -> DynamicMessage? {
    do throws(MappingError) { return try DynamicMessage(json: bytes, as: type, options: options) } catch {
      check(!error.message.utf8.contains { $0 < 0x20 }, "an error is one line")
      return nil
    }
  }
  guard let message = read(input.dropFirst()) else { return }
  var writing = JSONWritingOptions()
  writing.depth = 20
  writing.isIndented = first & 2 != 0
  writing.usesProtoNames = first & 4 != 0
  writing.writesEnumsAsNumbers = first & 8 != 0
  writing.writesUnset = first & 16 != 0
  var (written, encoded): ([UInt8], [UInt8]) = ([], [])
  check((try? message.writeJSON(into: &written, options: writing)) != nil, "what was read can be written")
  check((try? message.encode(into: &encoded, depthLimit: 20)) != nil, "what was read can be encoded")
  check(read(written[...]) == message, "what was written reads as the same")
  check((try? DynamicMessage(decoding: encoded, as: type)) == message, "what was encoded decodes as the same")
}

/// A field of a schema; its number is its place.
private struct Field {
  let name: String
  let type: FieldType
  var isRepeated = false
  var typeName = ""

  init(_ name: String, _ type: FieldType, _ typeName: String = "", isRepeated: Bool = false) {
    self.name = name
    self.type = type
    self.typeName = typeName
    self.isRepeated = isRepeated
  }
}

/// A message of a schema: singular fields in a oneof of a name, and the entry of a map, `MapEntry`.
private func message(_ name: String, _ fields: [Field], oneof: String = "", entry: [Field] = []) -> [UInt8] {
  var writer = WireWriter()
  writer.string(name, field: 1)
  for (index, field) in fields.enumerated() {
    var part = WireWriter()
    part.string(field.name, field: 1)
    part.int32(Int32(index + 1), field: 3)
    part.int32(field.isRepeated ? 3 : 1, field: 4)
    part.int32(Int32(field.type.rawValue), field: 5)
    if !field.typeName.isEmpty { part.string(field.typeName, field: 6) }
    if !oneof.isEmpty, !field.isRepeated { part.int32(0, field: 9) }
    writer.bytes(part.bytes, field: 2)
  }
  if !entry.isEmpty { writer.bytes(message("MapEntry", entry) + [0x3A, 2, 0x38, 1], field: 3) }
  if !oneof.isEmpty { writer.bytes(named(oneof), field: 8) }
  return writer.bytes
}

private func named(_ name: String) -> [UInt8] {
  var writer = WireWriter()
  writer.string(name, field: 1)
  return writer.bytes
}

private func enumeration(_ name: String, _ values: [(String, Int32)]) -> [UInt8] {
  var writer = WireWriter()
  writer.string(name, field: 1)
  for (name, number) in values {
    var value = WireWriter()
    value.string(name, field: 1)
    value.int32(number, field: 2)
    writer.bytes(value.bytes, field: 2)
  }
  return writer.bytes
}

private func file(_ package: String, _ messages: [[UInt8]], _ enums: [[UInt8]], imports: [String] = []) -> [UInt8] {
  var writer = WireWriter()
  writer.string(package + ".proto", field: 1)
  writer.string(package, field: 2)
  for name in imports { writer.string(name, field: 3) }
  for message in messages { writer.bytes(message, field: 4) }
  for enumeration in enums { writer.bytes(enumeration, field: 5) }
  writer.string("proto3", field: 12)
  return writer.bytes
}

/// `t.M`, with fields of each kind, and the types of `google.protobuf` that have forms of their own.
private let mappedType: MessageDescriptor? = {
  let known = ".google.protobuf."
  let time = [Field("seconds", .int64), Field("nanos", .int32)]
  let google = file(
    "google.protobuf",
    [
      message("Any", [Field("type_url", .string), Field("value", .bytes)]), message("Timestamp", time),
      message("Duration", time), message("FieldMask", [Field("paths", .string, isRepeated: true)]),
      message(
        "Struct", [Field("map", .message, known + "Struct.MapEntry", isRepeated: true)],
        entry: [Field("key", .string), Field("value", .message, known + "Value")]),
      message(
        "Value",
        [
          Field("n", .enumeration, known + "NullValue"), Field("d", .double), Field("s", .string), Field("b", .bool),
          Field("o", .message, known + "Struct"), Field("l", .message, known + "ListValue"),
        ], oneof: "kind"),
      message("ListValue", [Field("values", .message, known + "Value", isRepeated: true)]),
      message("Int64Value", [Field("value", .int64)]), message("Empty", []),
    ], [enumeration("NullValue", [("NULL_VALUE", 0)])])
  let messages = ["Any", "Timestamp", "Duration", "FieldMask", "Struct", "Value", "ListValue", "Int64Value", "Empty"]
  let scalars: [FieldType] = [
    .double, .float, .int64, .uint64, .int32, .fixed64, .fixed32, .bool, .string, .bytes, .uint32, .sfixed32, .sfixed64,
    .sint32, .sint64,
  ]
  var fields = [Field("map", .message, ".t.M.MapEntry", isRepeated: true)]
  for isRepeated in [false, true] {
    let end = isRepeated ? "s" : ""
    for type in scalars { fields.append(Field("f\(type.rawValue)\(end)", type, isRepeated: isRepeated)) }
    for name in messages {
      fields.append(Field(name.lowercased() + end, .message, known + name, isRepeated: isRepeated))
    }
    fields.append(Field("an_enum" + end, .enumeration, ".t.E", isRepeated: isRepeated))
    fields.append(Field("null" + end, .enumeration, known + "NullValue", isRepeated: isRepeated))
    fields.append(Field("m" + end, .message, ".t.M", isRepeated: isRepeated))
  }
  let own = file(
    "t",
    [
      message("M", fields, entry: [Field("key", .sint64), Field("value", .message, ".t.O")]),
      message("O", fields.dropFirst().map { $0 }, oneof: "o"),
    ], [enumeration("E", [("ZERO", 0), ("ONE", 1)])], imports: ["google.protobuf.proto"])
  return (try? DescriptorPool(files: [google, own]))?.message(named: "t.M")
}()
