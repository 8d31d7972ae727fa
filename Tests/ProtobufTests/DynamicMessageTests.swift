// SPDX-License-Identifier: Apache-2.0

import Protobuf
import Schemas
import TestSupport
import Testing

@Suite struct DynamicMessageTests {
  @Test("each type's values are set, told, encoded and read back, alone, in a list and as a map's")
  func setting() throws {
    let values: [(FieldType, DynamicValue)] = [
      (.double, .double(-1.5)), (.float, .float(.infinity)), (.int64, .int64(.min)), (.uint64, .uint64(.max)),
      (.int32, .int32(.min)), (.fixed64, .uint64(7)), (.fixed32, .uint32(.max)), (.bool, .bool(true)),
      (.string, .string("text")), (.bytes, .bytes([0xFF])), (.uint32, .uint32(.max)),
      (.enumeration, .enumeration(-3)), (.sfixed32, .int32(-1)), (.sfixed64, .int64(-1)), (.sint32, .int32(.min)),
      (.sint64, .int64(.min)),
    ]
    for (type, value) in values {
      let name = type == .enumeration ? ".E" : ""
      let parts =
        map(.string, type, named: name)
        + [field("f", 2, type, named: name), field("r", 3, type, .repeated, named: name)]
      let descriptor = try ProtobufTests.type("proto3", parts, beside: [enumeration("E", [("Z", 0)])])
      var message = DynamicMessage(descriptor)
      let f = try #require(descriptor.field(named: "f"))
      let r = try #require(descriptor.field(named: "r"))
      let m = try #require(descriptor.field(named: "m"))
      let entry = DynamicMapEntry(key: .string("k"), value: value)
      try message.set(value, for: f)
      try message.set(.list([value, value]), for: r)
      try message.set(.map([entry]), for: m)
      let again = try DynamicMessage(decoding: message.encoded(), as: descriptor)
      #expect(again == message)
      #expect(try again.get(f) == value && again.get(r) == .list([value, value]) && again.get(m) == .map([entry]))
      for wrong in values.map(\.1) where "\(wrong)".prefix(6) != "\(value)".prefix(6) {
        #expect(throws: MessageError.self) { try message.set(wrong, for: f) }
        #expect(throws: MessageError.self) { try message.set(.list([value, wrong]), for: r) }
      }
      #expect(throws: MessageError.self) { try message.set(value, for: r) }
      #expect(throws: MessageError.self) { try message.set(.list([value]), for: f) }
      #expect(throws: MessageError.self) { try message.set(.list([]), for: m) }
      #expect(throws: MessageError.self) { try message.set(.map([entry, entry]), for: m) }
      #expect(try again.get(f) == message.get(f))
      for field in [f, r, m] { try message.clear(field) }
      #expect(try message == DynamicMessage(descriptor) && message.encoded() == [])
    }
  }

  @Test("an item of a message set that comes again is merged with the one before, and written once")
  func messageSets() throws {
    let set = declaration("S", [(5, [(1, 4), (2, 2_147_483_647)]), (7, [(1, 1)])])
    let own = field("x", 700_000_000, .message, named: ".M", at: 6, [(2, ".S")])
    let message = declaration("M", [field("i", 1, .int32), field("r", 2, .int32, .repeated), own])
    let pool = try DescriptorPool(files: [file("proto2", [set, message])])
    let type = try #require(pool.message(named: "S"))
    let number = "80 CE E4 CD 02"
    let twice = "0B 10 \(number) 1A 04 08 05 10 01 0C 0B 10 \(number) 1A 04 08 07 10 02 0C"
    let read = try DynamicMessage(decoding: hex(twice), as: type)
    #expect(try read.encoded() == hex("0B 10 \(number) 1A 06 08 07 10 01 10 02 0C"))
    #expect(read.unknownFields.isEmpty)
    let unknown = "0B 1A 02 08 05 10 09 0C"
    #expect(try DynamicMessage(decoding: hex(unknown), as: type).encoded() == hex(unknown))
  }

  @Test("a value that is the default clears a field without presence and sets one with it")
  func presence() throws {
    for (syntax, bytes) in [("proto3", ""), ("proto2", "08 00 12 00")] {
      let type = try type(syntax, [field("i", 1, .int32), field("s", 2, .string), field("r", 3, .int32, .repeated)])
      var message = DynamicMessage(type)
      for value: DynamicValue in [.int32(5), .int32(0)] { try message.set(value, for: type.fields[0]) }
      try message.set(.string(""), for: type.fields[1])
      for value: DynamicValue in [.list([.int32(1)]), .list([])] { try message.set(value, for: type.fields[2]) }
      #expect(try message.encoded() == hex(bytes))
      #expect(try message.has("i") == (syntax == "proto2"))
    }
  }

  @Test("setting a member of a oneof clears the others; an optional field of proto3 is alone in its own")
  func oneofs() throws {
    let type = try type(
      "proto3",
      [
        (8, [(1, "o")]), (8, [(1, "_c")]), field("a", 1, .int32, [(9, 0)]), field("b", 2, .int32, [(9, 0)]),
        field("c", 3, .int32, [(9, 1), (17, 1)]),
      ])
    var message = DynamicMessage(type)
    for field in type.fields { try message.set(.int32(0), for: field) }
    #expect(message.setFields.map(\.name) == ["b", "c"])
    #expect(try message.encoded() == hex("10 00 18 00"))
    #expect(try message.field(setIn: type.oneofs[0])?.name == "b")
    #expect(try message.field(setIn: type.oneofs[1])?.name == "c")
  }

  @Test("a message within is one of the field's type; get gives an empty one where none is set")
  func nested() throws {
    let type = try type("proto3", [field("m", 1, .message, named: ".M"), field("i", 2, .int32)])
    let other = try ProtobufTests.type("proto3", [field("i", 1, .int32)])
    var inner = DynamicMessage(type)
    try inner.set(.int32(5), for: type.fields[1])
    var message = DynamicMessage(type)
    #expect(try message.get(type.fields[0]) == .message(DynamicMessage(type)))
    #expect(try !message.has("m"))
    try message.set(.message(inner), for: type.fields[0])
    #expect(try message.encoded() == hex("0A 02 10 05"))
    #expect(throws: MessageError.self) { try message.set(.message(DynamicMessage(other)), for: type.fields[0]) }
    let foreign = other.fields[0]
    #expect(throws: MessageError.self) { try message.set(.int32(1), for: foreign) }
    #expect(throws: MessageError.self) { try message.get(foreign) }
    #expect(throws: MessageError.self) { try message.has(foreign) }
    #expect(throws: MessageError.self) { try message.clear(foreign) }
    #expect(DynamicMessage(type) != DynamicMessage(other))
  }

  @Test("a message that is built deeper than anybody decodes is not encoded, and what was there stays")
  func depth() throws {
    let type = try type("proto3", [field("m", 1, .message, named: ".M")])
    var message = DynamicMessage(type)
    for _ in 0..<100 {
      var outer = DynamicMessage(type)
      try outer.set(.message(message), for: type.fields[0])
      message = outer
    }
    #expect(try message.encoded().count > 100)
    var outer = DynamicMessage(type)
    try outer.set(.message(message), for: type.fields[0])
    var bytes: [UInt8] = [1, 2]
    #expect(throws: MessageError.self) { try outer.encode(into: &bytes) }
    #expect(bytes == [1, 2])
    try message.encode(into: &bytes)
    #expect(bytes.prefix(3) == [1, 2, 0x0A])
  }

  @Test("defaults are those of the declaration")
  func defaults() throws {
    let type = try type(
      "proto2",
      [
        field("i", 1, .int32, [(7, "-5")]), field("d", 2, .double, [(7, "-inf")]),
        field("f", 3, .float, [(7, "0.1")]), field("s", 4, .string, [(7, "a\\n")]),
        field("b", 5, .bytes, [(7, "\\001\\xfe\\n\"")]), field("e", 6, .enumeration, named: ".E", [(7, "B")]),
        field("z", 7, .enumeration, named: ".E"), field("u", 8, .uint64, [(7, "18446744073709551615")]),
        field("t", 9, .bool, [(7, "true")]), field("n", 10, .string), field("m", 11, .message, named: ".M"),
      ], beside: [enumeration("E", [("A", 3), ("B", 4)])])
    let expected: [DynamicValue] = [
      .int32(-5), .double(-.infinity), .float(0.1), .string("a\\n"), .bytes([1, 0xFE, 10, 0x22]), .enumeration(4),
      .enumeration(3), .uint64(.max), .bool(true), .string(""),
    ]
    #expect(type.fields.map(\.defaultValue) == expected + [nil])
    let message = DynamicMessage(type)
    #expect(try type.fields.dropLast().map { try message.get($0) } == expected)
  }

  @Test("options are messages where the pool knows their types, extensions among their fields")
  func options() throws {
    let pool = try DescriptorPool(set: DescriptorSet.bytes)
    let method = try #require(pool.method(named: "user.v1.UserService.CreateUser"))
    guard case .message(let rule)? = try method.option(numbered: 72_295_728) else { throw MissingType() }
    #expect(rule.type.fullName == "google.api.HttpRule")
    #expect(try rule.value("post") == .string("/v1/users"))
    #expect(try rule.value("body") == .string("user"))
    #expect(try rule.field(setIn: rule.type.oneofs[0])?.name == "post")
    #expect(try method.option(numbered: 33) == nil)
    #expect(try method.option(numbered: 5) == nil)
    let legacy = try #require(pool.message(named: "user.v1.User")?.field(named: "legacy_field"))
    #expect(try legacy.option(numbered: 3) == .bool(true))
    #expect(try legacy.decodedOptions()?.type.fullName == "google.protobuf.FieldOptions")
    let without = try DescriptorPool(files: [file("proto3", [declaration("M", [(7, [(3, 1)])])])])
    #expect(try without.message(named: "M")?.option(numbered: 3) == nil)
    #expect(without.message(named: "M")?.isDeprecated == true)
  }

  @Test("a descriptor set is itself a message that comes out as it went in")
  func descriptors() throws {
    let pool = try DescriptorPool(set: DescriptorSet.bytes)
    let type = try #require(pool.message(named: "google.protobuf.FileDescriptorSet"))
    let message = try DynamicMessage(decoding: DescriptorSet.bytes, as: type)
    #expect(try message.encoded() == DescriptorSet.bytes)
    #expect(try DescriptorPool(set: message.encoded()).services.count == pool.services.count)
  }

  @Test("equality is that of contents, to the bit, and unknown fields count")
  func equality() throws {
    let type = try type("proto2", [field("d", 1, .double), field("i", 2, .int32)])
    func message(_ text: String) throws -> DynamicMessage { try DynamicMessage(decoding: hex(text), as: type) }
    #expect(try message("09 000000000000F87F") == message("09 000000000000F87F"))
    #expect(try message("09 0000000000000080") != message("09 0000000000000000"))
    #expect(try message("10 01 09 0000000000000000") == message("09 0000000000000000 10 01"))
    #expect(try message("10 01 18 01") != message("10 01"))
    #expect(try message("10 00") != message(""))
  }

  @Test("a program may nest messages as it likes; what is too deep is neither encoded nor written nor looked through")
  func tooDeep() throws {
    for label in [Label.optional, .required] {
      let number = field("n", 2, .int32, label)
      let type = try type("proto2", [field("m", 1, .message, named: ".M"), number])
      let inner = try #require(type.field(named: "m"))
      let required = try #require(type.field(named: "n"))
      var message = DynamicMessage(type)
      try message.set(.int32(1), for: required)
      func nested(_ depth: Int) throws -> DynamicMessage {
        var nested = message
        for _ in 0..<depth {
          var outer = message
          try outer.set(.message(nested), for: inner)
          nested = outer
        }
        return nested
      }
      let limit = WireReader.defaultDepthLimit
      _ = try nested(limit).encoded()
      try nested(limit).checkRequired()
      var json: [UInt8] = []
      try nested(limit).writeJSON(into: &json)
      let text = json
      for depth in [limit + 1, 2_000] {
        let deep = try nested(depth)
        for allowsMissing in [false, true] {
          var bytes: [UInt8] = [7]
          let error = #expect(throws: MessageError.self) {
            try deep.encode(into: &bytes, allowsMissingRequired: allowsMissing)
          }
          #expect(error?.code == .malformed(.tooDeep))
          #expect(bytes == [7])
        }
        if label == .required {
          #expect(throws: MessageError.self) { try deep.checkRequired() }
          try deep.checkRequired(depthLimit: depth)
        }
        let error = #expect(throws: MappingError.self) { try deep.writeJSON(into: &json) }
        #expect(error?.code == .tooDeep)
        #expect(json == text)
      }
    }
  }
}
