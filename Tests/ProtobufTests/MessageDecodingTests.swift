// SPDX-License-Identifier: Apache-2.0

import Protobuf
import TestSupport
import Testing

@Suite struct MessageDecodingTests {
  /// Every scalar type with the bytes of a field 1 and what they mean.
  static let scalars: [(FieldType, String, DynamicValue)] = [
    (.double, "09 000000000000F03F", .double(1)), (.double, "09 0000000000000080", .double(-0.0)),
    (.float, "0D 0000C07F", .float(.nan)), (.float, "0D 0000803F", .float(1)),
    (.int64, "08 FFFFFFFFFFFFFFFFFF01", .int64(-1)), (.uint64, "08 FFFFFFFFFFFFFFFFFF01", .uint64(.max)),
    (.int32, "08 FFFFFFFFFFFFFFFFFF01", .int32(-1)), (.fixed64, "09 0100000000000080", .fixed64),
    (.fixed32, "0D 01000080", .uint32(0x8000_0001)), (.bool, "08 01", .bool(true)),
    (.string, "0A 02 C3A4", .string("ä")), (.bytes, "0A 02 FF00", .bytes([0xFF, 0])),
    (.uint32, "08 FFFFFFFF0F", .uint32(.max)), (.sfixed32, "0D FFFFFFFF", .int32(-1)),
    (.sfixed64, "09 FEFFFFFFFFFFFFFF", .int64(-2)), (.sint32, "08 FFFFFFFF0F", .int32(.min)),
    (.sint32, "08 03", .int32(-2)), (.sint64, "08 FFFFFFFFFFFFFFFFFF01", .int64(.min)),
  ]

  @Test("each scalar type is read and written as the format has it", arguments: scalars)
  func scalar(field type: FieldType, bytes: String, value: DynamicValue) throws {
    for syntax in ["proto2", "proto3"] {
      let message = try DynamicMessage(decoding: hex(bytes), as: ProtobufTests.type(syntax, [field("f", 1, type)]))
      #expect(try message.value("f").map { "\($0)" } == "\(value)")
      #expect(try message.encoded() == hex(bytes))
      #expect(message.unknownFields == [])
    }
  }

  @Test("numbers that are too wide lose their upper bits, and any number but 0 is true")
  func narrow() throws {
    let parts = [field("i", 1, .int32), field("u", 2, .uint32), field("s", 3, .sint32), field("b", 4, .bool)]
    let type = try type("proto3", parts)
    let wide = "FFFFFFFF1F"  // 2^33 - 1
    let message = try DynamicMessage(
      decoding: hex("08\(wide) 10\(wide) 18\(wide) 20 80808080808080808001"), as: type)
    #expect(try message.value("i") == .int32(-1))
    #expect(try message.value("u") == .uint32(.max))
    #expect(try message.value("s") == .int32(.min))
    #expect(try message.value("b") == .bool(true))
    #expect(try message.encoded() == hex("08 FFFFFFFFFFFFFFFFFF01 10 FFFFFFFF0F 18 FFFFFFFF0F 20 01"))
  }

  @Test("of a field that comes twice the last value counts, a message is merged, a list grows")
  func again() throws {
    let type = try type(
      "proto3",
      [field("i", 1, .int32), field("m", 2, .message, named: ".M"), field("r", 3, .string, .repeated)])
    let message = try DynamicMessage(
      decoding: hex("08 01  12 04 08 05 1A 00  1A 01 61  08 02  12 07 08 06 12 00 1A 01 62  1A 00"), as: type)
    #expect(try message.encoded() == hex("08 02  12 09 08 06 12 00 1A 00 1A 01 62  1A 01 61 1A 00"))
  }

  @Test("a zero is kept where there is presence, and otherwise clears what came before")
  func presence() throws {
    let bytes = hex("08 01 08 00 12 01 61 12 00 18 00")
    let parts = [field("i", 1, .int32), field("s", 2, .string), field("b", 3, .bool)]
    let implicit = try DynamicMessage(decoding: bytes, as: type("proto3", parts))
    #expect(try implicit.encoded() == [])
    #expect(try !implicit.has("i") && !implicit.has("s") && !implicit.has("b"))
    #expect(implicit == DynamicMessage(implicit.type))
    let explicit = try DynamicMessage(decoding: bytes, as: type("proto2", parts))
    #expect(try explicit.encoded() == hex("08 00 12 00 18 00"))
    #expect(try explicit.has("i") && explicit.has("s") && explicit.has("b"))
  }

  @Test("lists of numbers are read packed and one by one, in any mixture, and are written as declared")
  func packed() throws {
    let bytes = hex("08 01  0A 02 02 03  08 04  0A 00  11 0000000000000000  12 08 0100000000000000")
    for (syntax, expected) in [
      ("proto2", "08 01 08 02 08 03 08 04  11 0000000000000000 11 0100000000000000"),
      ("proto3", "0A 04 01 02 03 04  12 10 0000000000000000 0100000000000000"),
    ] {
      let parts = [field("v", 1, .int32, .repeated), field("f", 2, .fixed64, .repeated)]
      let message = try DynamicMessage(decoding: bytes, as: type(syntax, parts))
      #expect(try message.value("v") == .list([.int32(1), .int32(2), .int32(3), .int32(4)]))
      #expect(try message.encoded() == hex(expected))
    }
    let empty = try DynamicMessage(decoding: hex("0A 00"), as: type("proto3", [field("v", 1, .int32, .repeated)]))
    #expect(try !empty.has("v") && empty.encoded() == [])
  }

  @Test("a field of another wire type than its own is unknown, and unknown fields stay as they are and in order")
  func unknown() throws {
    let type = try type("proto3", [field("s", 1, .string), field("r", 2, .string, .repeated), field("i", 3, .int32)])
    let unknown = "08 01  10 02  1A 00  2B 08 01 33 34 2C  25 00000000  0D 01020304  FA 01 01 FF"
    let message = try DynamicMessage(decoding: hex("18 05" + unknown), as: type)
    #expect(message.unknownFields == hex(unknown))
    #expect(try message.encoded() == hex("18 05" + unknown))
    var cleared = message
    cleared.clearUnknownFields()
    #expect(try cleared.encoded() == hex("18 05"))
    #expect(cleared != message)
  }

  @Test("groups are read, merged and written, and what is in them may be unknown")
  func groups() throws {
    let type = try type(
      "proto2",
      [
        field("g", 1, .group, named: ".M"), field("r", 2, .group, .repeated, named: ".M"), field("i", 3, .int32),
      ])
    let bytes = hex("0B 18 01 0C  13 18 02 14  13 0B 0C 14  0B 20 05 0C")
    let message = try DynamicMessage(decoding: bytes, as: type)
    #expect(try message.encoded() == hex("0B 18 01 20 05 0C  13 18 02 14  13 0B 0C 14"))
    for (bytes, offset) in [("0B 18 01", 3), ("0B 14", 1), ("0C", 0), ("0B 18 01 0C 0C", 4), ("23 0C", 1), ("23", 0)] {
      let error = refusal(bytes, type)
      #expect(error?.code == .malformed(.unbalancedGroup), "\(bytes)")
      #expect(error?.offset == offset, "\(bytes)")
    }
    // A group's end does not end a message that is behind a length.
    let mixed = try ProtobufTests.type("proto2", [field("m", 1, .message, named: ".M"), field("i", 3, .int32)])
    #expect(refusal("0A 03 18 01 0C", mixed)?.code == .malformed(.unbalancedGroup))
  }

  @Test("of a oneof the last member counts; a message that comes again is merged unless another came between")
  func oneofs() throws {
    let type = try type(
      "proto3",
      [
        (8, [(1, "o")]), field("a", 1, .int32, [(9, 0)]), field("b", 2, .message, named: ".M", [(9, 0)]),
        field("c", 3, .string, [(9, 0)]), field("d", 4, .int32),
      ])
    let merged = try DynamicMessage(decoding: hex("08 01  12 02 20 01  12 02 08 00"), as: type)
    #expect(try merged.encoded() == hex("12 04 08 00 20 01"))
    let between = try DynamicMessage(decoding: hex("12 02 20 01  08 01  12 02 08 00"), as: type)
    #expect(try between.encoded() == hex("12 02 08 00"))
    let zero = try DynamicMessage(decoding: hex("1A 01 61 20 07 08 00"), as: type)
    #expect(try zero.encoded() == hex("08 00 20 07"))
    let oneof = try #require(type.oneofs.first)
    #expect(try zero.field(setIn: oneof)?.name == "a")
    #expect(try DynamicMessage(type).field(setIn: oneof) == nil)
  }

  @Test("numbers that a closed enum has not go to the unknown fields; an open one keeps them")
  func enums() throws {
    let bytes = hex("08 07  08 01  10 01  10 07 12 02 07 02  18 08")
    func message(_ syntax: String, _ first: Int32) throws -> DynamicMessage {
      try DynamicMessage(
        decoding: bytes,
        as: type(
          syntax,
          [
            field("e", 1, .enumeration, named: ".E"), field("r", 2, .enumeration, .repeated, named: ".E"),
          ], beside: [enumeration("E", [("A", first), ("B", 1), ("C", 2)])]))
    }
    let closed = try message("proto2", -5)
    #expect(try closed.value("e") == .enumeration(1))
    #expect(try closed.value("r") == .list([.enumeration(1), .enumeration(2)]))
    #expect(closed.unknownFields == hex("08 07 10 07 10 07 18 08"))
    #expect(try DynamicMessage(closed.type).value("e") == .enumeration(-5))
    let open = try message("proto3", 0)
    #expect(try open.value("r") == .list([.enumeration(1), .enumeration(7), .enumeration(7), .enumeration(2)]))
    #expect(open.unknownFields == hex("18 08"))
    let other = try DynamicMessage(decoding: hex("08 01 08 07"), as: closed.type)
    #expect(try other.value("e") == .enumeration(1))
  }

  @Test("a map's entries may lack a part, have one twice, or have others; the last entry of a key counts")
  func maps() throws {
    let type = try type("proto3", map(.sint32, .message, named: ".M"))
    // 1: {}, -1: {}, 0: {}, 1: {m {-1: {}}} with an unknown field, in two parts; then 0 again.
    let message = try DynamicMessage(
      decoding: hex("0A 02 08 02  0A 02 08 01  0A 00  0A 0C 12 00 18 05 08 02 12 04 0A 02 08 01  0A 02 12 00"), as: type
    )
    guard case .map(let entries)? = try message.value("m") else { throw MissingType() }
    #expect(entries.map(\.key) == [.int32(-1), .int32(0), .int32(1)])
    let encoded = "0A 04 08 01 12 00  0A 04 08 00 12 00  0A 0A 08 02 12 06 0A 04 08 01 12 00"
    #expect(try message.encoded() == hex(encoded))
    #expect(message.unknownFields == [])
  }

  @Test("keys are sorted by value, also those of messages that came in pieces")
  func mapOrder() throws {
    let unsigned = try DynamicMessage(
      decoding: hex("0A 0F 08 FFFFFFFFFFFFFFFFFF01 12 02 6262  0A 04 08 01 12 00"),
      as: type("proto3", map(.uint64, .string)))
    #expect(try unsigned.encoded() == hex("0A 04 08 01 12 00  0A 0F 08 FFFFFFFFFFFFFFFFFF01 12 02 6262"))
    let text = try DynamicMessage(
      decoding: hex(
        "0A 06 0A 02 6161 10 01  0A 05 0A 01 62 10 02  0A 05 0A 01 61 10 03  0A 02 10 04  0A 05 0A 01 62 10 05"),
      as: type("proto3", map(.string, .int32)))
    #expect(
      try text.encoded() == hex("0A 04 0A 00 10 04  0A 05 0A 01 61 10 03  0A 06 0A 02 6161 10 01  0A 05 0A 01 62 10 05")
    )
    let parts = map(.bool, .int32) + [field("n", 2, .message, named: ".M")]
    let pieces = try DynamicMessage(
      decoding: hex("12 06 0A 04 08 01 10 01  12 06 0A 04 08 00 10 02  12 06 0A 04 08 01 10 03"),
      as: type("proto3", parts))
    #expect(try pieces.encoded() == hex("12 0C 0A 04 08 00 10 02 0A 04 08 01 10 03"))
  }

  @Test("an entry whose value a closed enum has not is unknown as a whole")
  func closedMap() throws {
    let type = try type(
      "proto2", map(.int32, .enumeration, named: ".E"), beside: [enumeration("E", [("B", 3), ("A", 1)])])
    let message = try DynamicMessage(decoding: hex("0A 04 08 01 10 01  0A 04 08 02 10 02  0A 02 08 03"), as: type)
    #expect(message.unknownFields == hex("0A 04 08 02 10 02"))
    #expect(
      try message.value("m")
        == .map([
          DynamicMapEntry(key: .int32(1), value: .enumeration(1)),
          DynamicMapEntry(key: .int32(3), value: .enumeration(3)),
        ]))
  }

  @Test("strings are UTF-8 where the schema says so")
  func utf8() throws {
    for (syntax, isChecked) in [("proto2", false), ("proto3", true), ("2023", true)] {
      let type = try type(syntax, [field("s", 1, .string), field("b", 2, .bytes)])
      #expect(refusal("0A 02 C328", type)?.code == (isChecked ? .malformed(.invalidUTF8) : nil))
      #expect(refusal("12 02 C328", type) == nil)
      if !isChecked {
        #expect(try DynamicMessage(decoding: hex("0A 02 C328"), as: type).encoded() == hex("0A 02 C328"))
      }
    }
  }

  @Test("UTF-8 is told as the standard library tells it, wherever in the bytes a fault is")
  func utf8Faults() throws {
    let type = try type("proto3", [field("s", 1, .string)])
    var random = SeededGenerator(5)
    let pieces: [[UInt8]] = [
      [0x61], Array("abcdefgh".utf8), Array("ä".utf8), Array("€".utf8), Array("😀".utf8), [0x80], [0xC0, 0x80], [0xC2],
      [0xE0, 0x9F, 0x80], [0xE0, 0xA0, 0x80], [0xED, 0xA0, 0x80], [0xED, 0x9F, 0xBF], [0xEF, 0xBF, 0xBF],
      [0xF0, 0x8F, 0x80, 0x80], [0xF0, 0x90, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5],
      [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xFF],
    ]
    var valid = 0
    for _ in 0..<5_000 {
      var text: [UInt8] = []
      for _ in 0..<Int.random(in: 0...12, using: &random) {
        let bound = Bool.random(using: &random) ? 5 : pieces.count
        text += pieces[Int.random(in: 0..<bound, using: &random)]
      }
      let isValid = String(validating: text, as: UTF8.self) != nil
      if isValid { valid += 1 }
      var writer = WireWriter()
      writer.bytes(text, field: 1)
      #expect((refusal(writer.bytes, type) == nil) == isValid, "\(text)")
    }
    #expect(valid > 500 && valid < 4_500)
  }

  @Test("required fields are asked for, in messages within too, unless the caller does not")
  func required() throws {
    let type = try type(
      "proto2",
      [
        field("q", 1, .int32, .required), field("m", 2, .message, named: ".M"),
        field("r", 3, .message, .repeated, named: ".M"),
      ])
    #expect(refusal("", type)?.code == .missingRequired)
    #expect(refusal("", type)?.path == "q")
    #expect(refusal("08 01 12 00", type)?.path == "m.q")
    #expect(refusal("08 01 1A 02 08 01 1A 00", type)?.message == "r[1].q: a required field is not set")
    #expect(refusal("08 01 12 02 08 00", type) == nil)
    let partial = try DynamicMessage(decoding: hex("12 00"), as: type, allowsMissingRequired: true)
    #expect(throws: MessageError.self) { try partial.encoded() }
    #expect(throws: MessageError.self) { try partial.checkRequired() }
    #expect(try partial.encoded(allowsMissingRequired: true) == hex("12 00"))
    let inMap = try ProtobufTests.type(
      "proto2", map(.int32, .message, named: ".N"), beside: [declaration("N", [field("q", 1, .int32, .required)])])
    #expect(refusal("0A 02 08 01", inMap)?.path == "m.value.q")
  }

  @Test(
    "bytes that break the format are refused with their offset and the way to the field",
    arguments: [
      ("08", .truncated, 1, "i"), ("08 80", .truncated, 1, "i"), ("12 02 08", .truncated, 1, "m"),
      ("12 01 08", .truncated, 3, "m.i"), ("1A 02 08 01 1A 03 12 01 08", .truncated, 9, "r[1].m.i"),
      ("08 80808080808080808002", .malformedVarint, 1, "i"), ("00 01", .illegalTag, 0, ""),
      ("0E", .illegalTag, 0, ""), ("0F", .illegalTag, 0, ""), ("12 02 07 00", .illegalTag, 2, "m"),
      ("8880808000 01", .illegalTag, nil, ""), ("888080808000 01", .illegalTag, 0, ""),
      ("12 808080808000", .malformedVarint, 1, "m"),
      ("FFFFFFFF1F 01", .illegalTag, 0, ""), ("22 01 FF", .truncated, 2, "p[0]"),
      ("22 02 01 80", .truncated, 3, "p[1]"),
      ("2D 01", .truncated, 1, "x"), ("32 05 0A 01 61 10", .truncated, 1, "t"),
    ] as [(String, WireError.Code, Int?, String)])
  func refusals(bytes: String, code: WireError.Code, offset: Int?, path: String) throws {
    let type = try type(
      "proto3",
      [
        field("i", 1, .int32), field("m", 2, .message, named: ".M"), field("r", 3, .message, .repeated, named: ".M"),
        field("p", 4, .int32, .repeated), field("x", 5, .fixed32),
        field("t", 6, .message, .repeated, named: ".M.TEntry"),
        declaration("TEntry", at: 3, [(7, [(7, 1)]), field("key", 1, .string), field("value", 2, .int32)]),
      ])
    let error = refusal(bytes, type)
    guard let offset else { return #expect(error == nil) }
    #expect(error?.code == .malformed(code))
    #expect(error?.offset == offset)
    #expect(error?.path == path)
  }

  @Test("an uneven packed field is refused")
  func uneven() throws {
    let error = refusal("0A 05 0000000000", try type("proto3", [field("f", 1, .fixed32, .repeated)]))
    #expect(error?.code == .unevenPackedField)
    #expect(error?.message == "f[0]: a packed field ends within a value, at byte 1")
  }

  @Test("messages, groups and unknown groups nest as deep as allowed and no deeper")
  func depth() throws {
    let message = try type("proto3", [field("m", 1, .message, named: ".M")])
    let group = try type("proto2", [field("g", 1, .group, named: ".M")])
    let inMap = try type("proto3", map(.int32, .message, named: ".M"))
    func nested(_ depth: Int) -> [UInt8] {
      var bytes: [UInt8] = []
      for _ in 0..<depth {
        var writer = WireWriter()
        writer.bytes(bytes, field: 1)
        bytes = writer.bytes
      }
      return bytes
    }
    func groups(_ depth: Int, _ start: UInt8) -> [UInt8] {
      Array(repeating: start, count: depth) + Array(repeating: start + 1, count: depth)
    }
    func entries(_ depth: Int) -> [UInt8] {
      var bytes: [UInt8] = []
      for _ in 0..<depth {
        var entry = WireWriter()
        entry.bytes(bytes, field: 2)
        var writer = WireWriter()
        writer.bytes(entry.bytes, field: 1)
        bytes = writer.bytes
      }
      return bytes
    }
    let tooDeep = MessageError.Code.malformed(.tooDeep)
    #expect(refusal(nested(100), message) == nil)
    #expect(refusal(nested(101), message)?.code == tooDeep)
    #expect(refusal(nested(100_000), message)?.code == tooDeep)
    #expect(refusal(groups(100, 0x0B), group) == nil)
    #expect(refusal(groups(101, 0x0B), group)?.code == tooDeep)
    #expect(refusal(groups(100, 0x13), group) == nil)
    #expect(refusal(groups(1_000_000, 0x13), group)?.code == tooDeep)
    #expect(refusal(groups(50, 0x0B).prefix(50) + groups(51, 0x13), group)?.code == tooDeep)
    #expect(refusal(entries(50), inMap) == nil)
    #expect(refusal(entries(51), inMap)?.code == tooDeep)
    #expect(try DynamicMessage(decoding: nested(100), as: message).encoded() == nested(100))
  }

  @Test("bytes and values are bounded")
  func bounds() throws {
    let type = try type(
      "proto3",
      [field("i", 1, .int32), field("p", 2, .int32, .repeated), field("m", 3, .message, .repeated, named: ".M")])
    var limits = MessageLimits()
    limits.bytes = 2
    #expect(refusal("08 01", type, limits: limits) == nil)
    #expect(refusal("08 01 08", type, limits: limits)?.code == .tooLarge)
    limits = MessageLimits()
    limits.elements = 3
    #expect(refusal("08 01 12 02 01 02", type, limits: limits) == nil)
    #expect(refusal("08 01 12 03 01 02 03", type, limits: limits)?.code == .tooManyElements)
    #expect(refusal("1A 00 1A 00 1A 00", type, limits: limits) == nil)
    #expect(refusal("1A 00 1A 00 1A 02 08 01", type, limits: limits)?.code == .tooManyElements)
    #expect(refusal("08 01 08 01 08 01 08 01", type, limits: limits) == nil)
  }

  @Test("fields may come in any order, however many there are", arguments: [1, 2, 3])
  func disorder(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let numbers = (1...60).map { Int32($0) * (Bool.random(using: &random) ? 1 : 100) }
    let oneof: (Int, Part) = (8, [(1, "o")])
    let type = try type(
      "proto3",
      [oneof]
        + numbers.enumerated().map { place, number in
          place % 5 == 0 ? field("f\(place)", number, .int32, [(9, 0)]) : field("f\(place)", number, .int32)
        })
    for _ in 0..<200 {
      var writer = WireWriter()
      var expected: [Int32: Int32] = [:]
      for _ in 0..<Int.random(in: 0...200, using: &random) {
        let place = Int.random(in: 0..<60, using: &random)
        let value = Int32.random(in: 0...2, using: &random)
        writer.int32(value, field: Int(numbers[place]))
        if place % 5 == 0 { for other in stride(from: 0, to: 60, by: 5) { expected[numbers[other]] = nil } }
        expected[numbers[place]] = value == 0 && place % 5 != 0 ? nil : value
      }
      var sorted = WireWriter()
      for (number, value) in expected.sorted(by: { $0.key < $1.key }) { sorted.int32(value, field: Int(number)) }
      #expect(try DynamicMessage(decoding: writer.bytes, as: type).encoded() == sorted.bytes)
    }
  }

  @Test("an extension is a field of the message that it extends")
  func extensions() throws {
    let pool = try DescriptorPool(files: [
      file(
        "proto2", package: "p",
        [
          declaration("M", [(5, [(1, 100), (2, 200)]), field("f", 150, .int32, at: 99)]),
          field("x", 100, .string, at: 7, [(2, ".p.M")]),
          field("y", 101, .int32, .repeated, named: "", at: 7, [(2, ".p.M"), (8, [(2, 1)])]),
        ])
    ])
    let type = try #require(pool.message(named: "p.M"))
    let message = try DynamicMessage(decoding: hex("A206 01 61  A806 05  B006 07"), as: type)
    let x = try #require(pool.extension(named: "p.x"))
    #expect(try message.get(x) == .string("a"))
    #expect(message.setFields.map(\.fullName) == ["p.x", "p.y"])
    #expect(message.unknownFields == hex("B006 07"))
    #expect(try message.encoded() == hex("A206 01 61  AA06 01 05  B006 07"))
    #expect(refusal("A206 05 61", type)?.path == "[p.x]")
  }
}

extension DynamicValue {
  fileprivate static let fixed64 = DynamicValue.uint64(0x8000_0000_0000_0001)
}
