// SPDX-License-Identifier: Apache-2.0

import Protobuf
import TestSupport
import Testing

/// A file of one message of parts.
private func single(_ syntax: String, _ parts: [(Int, Part)]) -> [[UInt8]] { [file(syntax, [declaration("M", parts)])] }

@Suite struct SchemaRuleTests {
  @Test("an error names the file, the thing and what is wrong, in one line")
  func messages() {
    let error = refusal([
      file("proto3", package: "p", [declaration("M", [field("f", 1, .message, named: ".p.Absent")])])
    ])
    #expect(error?.code == .unknownType(".p.Absent"))
    #expect(error?.message == "p.proto: p.M.f: the type .p.Absent is declared by no file")
    #expect(refusal([[0x0A, 0x05]])?.message == "file 1: the descriptor is malformed at byte 0")
    let cut = message([(1, "cut.proto")]) + [0x22, 0x02, 0x0A, 0x05]
    #expect(refusal([cut])?.message == "cut.proto: the descriptor is malformed at byte 13")
  }

  @Test("imports must be there and lead nowhere back")
  func imports() {
    let a = message([(1, "a.proto"), (3, "b.proto")])
    let b = message([(1, "b.proto"), (3, "c.proto")])
    let c = message([(1, "c.proto"), (3, "a.proto")])
    #expect(refusal([a])?.message == "a.proto: the import \"b.proto\" was not given")
    #expect(refusal([a, b, c])?.code == .importCycle)
    #expect(refusal([message([(1, "a.proto"), (3, "a.proto")])])?.code == .importCycle)
    #expect(refusal([a, b, message([(1, "c.proto")])]) == nil)
    let known = message([(1, "google.proto"), (3, "google/protobuf/any.proto")])
    #expect(refusal([known])?.code == .missingImport("google/protobuf/any.proto"))
    #expect(refusal([message([(1, "a.proto"), (10, 0)])])?.code == .invalid("a public import is no import"))
  }

  @Test("a chain of imports may be as long as there are files")
  func longChain() throws {
    let files = (0..<4_000).map { number in
      message([(1, .text("f\(number)"))] + (number == 0 ? [] : [(3, .text("f\(number - 1)"))]))
    }
    #expect(try DescriptorPool(files: files.reversed()).files.count == 4_000)
  }

  @Test("names are names, and are declared once")
  func names() {
    for name in ["", "1a", "a.b", "a-b", "ä", " a", "a\0"] {
      #expect(refusal([file("proto3", [declaration(name, [])])])?.code == .invalidName(name))
      #expect(refusal(single("proto3", [field(name, 1, .int32)]))?.code == .invalidName(name))
    }
    #expect(refusal([file("proto3", package: "a..b", [])])?.code == .invalidName("a..b"))
    #expect(refusal([message([(2, "p")])])?.code == .invalidName(""))
    let twice = refusal([file("proto3", package: "p", [declaration("M", []), enumeration("M", [("V", 0)])])])
    #expect(twice?.message == "p.proto: p.M: the name is declared twice")
    // An enum's values stand beside it.
    let values = [enumeration("E", [("V", 0)]), enumeration("F", [("V", 0)])]
    #expect(refusal([file("proto3", values)])?.element == "V")
    let packages = [file("proto3", package: "a.b", []), file("proto3", package: "a", [declaration("b", [])])]
    #expect(refusal(packages)?.code == .duplicateSymbol)
    #expect(refusal(packages.reversed())?.code == .duplicateSymbol)
    #expect(refusal([file("proto3", package: "a.b", []), file("proto3", package: "a.c", [])]) == nil)
    let one = message([(1, "a.proto"), (2, "p")])
    #expect(refusal([one, one]) == nil)
    #expect(refusal([one, message([(1, "a.proto"), (2, "q")])])?.code == .duplicateFile)
  }

  @Test("types are found, by full names alone, and are of the right kind")
  func types() {
    func code(_ type: FieldType, _ name: String) -> SchemaError.Code? {
      let parts = [
        declaration("M", [field("f", 1, type, named: name)]), enumeration("E", [("V", 0)]), (6, [(1, "S")]),
      ]
      return refusal([file("proto3", package: "p", parts)])?.code
    }
    #expect(code(.message, ".p.M") == nil)
    #expect(code(.enumeration, ".p.E") == nil)
    #expect(code(.message, "p.M") == .unknownType("p.M"))
    #expect(code(.message, "M") == .unknownType("M"))
    #expect(code(.message, "") == .unknownType(""))
    #expect(code(.message, ".p.E") == .wrongType(".p.E"))
    #expect(code(.enumeration, ".p.M") == .wrongType(".p.M"))
    #expect(code(.int32, ".p.M") == .wrongType(".p.M"))
    #expect(code(.message, ".p.S") == .wrongType(".p.S"))
    #expect(code(.message, ".p") == .wrongType(".p"))
    let service: (Int, Part) = (6, [(1, "S"), (2, [(1, "Call"), (2, ".E"), (3, ".E")])])
    #expect(refusal([file("proto3", [enumeration("E", [("V", 0)]), service])])?.message.contains("S.Call") == true)
    // protoc leaves the type out where it does not know yet what the name means.
    let untyped = single("proto3", [(2, [(1, "f"), (3, 1), (6, ".M")])])
    #expect(refusal(untyped) == nil)
    let unknown = single("proto3", [(2, [(1, "f"), (3, 1), (5, 19)])])
    #expect(refusal(unknown)?.code == .invalid("the type 19 is not known"))
  }

  @Test("field numbers are in range, used once, and not set aside")
  func numbers() {
    for number: Int32 in [0, -1, 536_870_912, .max, 19_000, 19_999] {
      #expect(refusal(single("proto3", [field("f", number, .int32)]))?.code == .invalidNumber(number))
    }
    let twice = refusal(single("proto3", [field("a", 1, .int32), field("b", 1, .string)]))
    #expect(twice?.code == .duplicateNumber(1))
    #expect(twice?.element == "M")
    let reserved: (Int, Part) = (9, [(1, 5), (2, 8)])
    for (number, isReserved) in [(4, false), (5, true), (7, true), (8, false)] as [(Int32, Bool)] {
      let code = refusal(single("proto3", [reserved, field("f", number, .int32)]))?.code
      #expect(code == (isReserved ? .invalidNumber(number) : nil))
    }
    #expect(refusal(single("proto3", [(10, "f"), field("f", 1, .int32)]))?.code == .reservedName)
    #expect(refusal(single("proto3", [(9, [(1, 5), (2, 5)])]))?.code == .invalidNumber(4))
    #expect(refusal(single("proto3", [(9, [(1, 0), (2, 5)])]))?.code == .invalidNumber(4))
  }

  @Test("extensions extend what allows them, by numbers that are free")
  func extensions() {
    func code(_ number: Int32, label: Label = .optional, extendee: String = ".M", _ parts: [(Int, Part)] = [])
      -> SchemaError.Code?
    {
      let range: (Int, Part) = (5, [(1, 100), (2, 200)])
      return refusal([
        file(
          "proto2",
          [
            declaration("M", [range]), field("x", number, .int32, label, at: 7, [(2, .text(extendee))] + parts),
            field("y", 150, .int32, at: 7, [(2, ".M")]),
          ])
      ])?.code
    }
    #expect(code(100) == nil)
    #expect(code(199) == nil)
    #expect(code(150) == .duplicateNumber(150))
    #expect(code(99) == .invalidNumber(99))
    #expect(code(200) == .invalidNumber(200))
    #expect(code(100, extendee: "") == .unknownType(""))
    #expect(code(100, extendee: ".x") == .wrongType(".x"))
    #expect(code(100, label: .required) == .invalid("an extension is required"))
    #expect(code(100, [(9, 0)]) == .invalid("an extension is in a oneof"))
    let options = file("proto2", package: "o", [declaration("M", [(5, [(1, 100), (2, 200)])])])
    let optional = field("x", 100, .int32, at: 7, [(2, ".o.M"), (17, 1)])
    #expect(refusal([options, file("proto3", package: "p", [optional])]) == nil)
    let plain = field("f", 1, .int32, [(2, ".M")])
    #expect(refusal(single("proto2", [plain]))?.code == .invalid("a field that is no extension has an extendee"))
  }

  @Test("names in JSON conflict where JSON counts; elsewhere the first field has the name")
  func jsonNames() throws {
    let fields = [field("a_b", 1, .int32), field("aB", 2, .int32)]
    #expect(refusal(single("proto3", fields))?.code == .jsonNameConflict("aB"))
    #expect(refusal(single("2023", fields))?.code == .jsonNameConflict("aB"))
    #expect(refusal(single("proto3", fields + [(7, [(11, 1)])])) == nil)
    let own = [field("a", 1, .int32, [(10, "b")]), field("c", 2, .int32, [(10, "b")])]
    #expect(refusal(single("proto3", own))?.code == .jsonNameConflict("b"))
    let pool = try DescriptorPool(files: single("proto2", fields.reversed()))
    let message = try #require(pool.message(named: "M"))
    #expect(message.field(jsonName: "aB")?.name == "aB")
    #expect(message.field(jsonName: "a_b")?.name == "a_b")
    let crossed = [field("a", 1, .int32, [(10, "b")]), field("b", 2, .int32, [(10, "c")])]
    let other = try #require(try DescriptorPool(files: single("proto3", crossed)).message(named: "M"))
    #expect(other.field(jsonName: "b")?.name == "a")
    #expect(other.field(jsonName: "a")?.name == "a")
    #expect(other.field(jsonName: "c")?.name == "b")
  }

  @Test(
    "a JSON name is derived where there is none",
    arguments: [
      ("created_at", "createdAt"), ("_a", "A"), ("a__b", "aB"), ("a_", "a"), ("A_b_1c", "AB1c"), ("x", "x"),
    ])
  func derivedNames(name: String, expected: String) throws {
    let pool = try DescriptorPool(files: single("proto3", [field(name, 1, .int32)]))
    #expect(pool.message(named: "M")?.fields.first?.jsonName == expected)
  }

  @Test("labels, groups and presence are as the syntax allows")
  func labels() {
    #expect(refusal(single("proto3", [field("f", 1, .int32, .required)])) != nil)
    #expect(refusal(single("2023", [field("f", 1, .int32, .required)])) != nil)
    #expect(refusal(single("proto3", [(2, [(1, "f"), (3, 1), (4, 4), (5, 5)])])) != nil)
    #expect(refusal(single("proto3", [field("g", 1, .group, named: ".M")]))?.code == .invalid("proto3 has no groups"))
    #expect(refusal(single("2023", [field("g", 1, .group, named: ".M")])) != nil)
    let closed = file("proto2", package: "p", [enumeration("E", [("V", 1)])])
    let user = file("proto3", [declaration("M", [field("e", 1, .enumeration, named: ".p.E")])])
    #expect(refusal([closed, user])?.element == "M.e")
    #expect(refusal(single("proto2", [(7, [(1, 1)])])) == nil)
    #expect(
      refusal(single("proto2", [(7, [(1, 1)]), field("f", 1, .int32)]))?.code
        == .invalid("a message set has fields of its own"))
  }

  @Test("oneofs have members that are theirs alone")
  func oneofs() {
    let oneof: (Int, Part) = (8, [(1, "o")])
    let member = field("f", 1, .int32, [(9, 0)])
    #expect(refusal(single("proto3", [oneof, member])) == nil)
    #expect(refusal(single("proto3", [oneof]))?.code == .invalid("the oneof o has no fields"))
    #expect(refusal(single("proto3", [member]))?.code == .invalid("there is no such oneof"))
    #expect(refusal(single("proto3", [oneof, field("f", 1, .int32, [(9, -1)])])) != nil)
    #expect(refusal(single("proto3", [oneof, field("f", 1, .int32, .repeated, [(9, 0)])])) != nil)
    let optional = field("g", 2, .int32, [(9, 0), (17, 1)])
    #expect(refusal(single("proto3", [oneof, optional])) == nil)
    #expect(refusal(single("proto3", [oneof, optional, member])) != nil)
    #expect(refusal(single("proto2", [oneof, optional])) != nil)
    #expect(refusal(single("proto3", [field("g", 2, .int32, [(17, 1)])])) != nil)
    let second: (Int, Part) = (8, [(1, "p")])
    #expect(refusal(single("proto3", [oneof, second, optional, field("f", 1, .int32, [(9, 1)])])) != nil)
  }

  @Test("enums have values, the first of an open one is 0, and aliases are allowed first")
  func enums() {
    func code(_ syntax: String, _ values: [(String, Int32)], _ parts: [(Int, Part)] = []) -> SchemaError.Code? {
      refusal([file(syntax, [enumeration("E", values, parts)])])?.code
    }
    #expect(code("proto2", []) == .invalid("an enum has no values"))
    #expect(code("proto2", [("A", 1)]) == nil)
    #expect(code("proto3", [("A", 1)]) == .invalid("the first value of an open enum is not 0"))
    #expect(code("proto3", [("A", 0), ("B", 0)]) == .duplicateNumber(0))
    #expect(code("proto3", [("A", 0), ("B", 0)], [(3, [(2, 1)])]) == nil)
    #expect(code("proto3", [("A", 0), ("B", 7)], [(4, [(1, 5), (2, 7)])]) == .invalidNumber(7))
    #expect(code("proto3", [("A", 0), ("B", 8)], [(4, [(1, 5), (2, 7)])]) == nil)
    #expect(code("proto3", [("A", 0)], [(5, "A")]) == .reservedName)
    #expect(code("proto3", [("A", 0)], [(4, [(1, 7), (2, 5)])]) == .invalidNumber(5))
  }

  @Test("a map's entry is a key and a value, of its own field alone")
  func maps() {
    func code(
      _ entry: [(Int, Part)], label: Label = .repeated, parent: String = "M", _ options: [(Int, Part)] = [(7, [(7, 1)])]
    ) -> SchemaError.Code? {
      let entry = declaration("Entry", at: 3, options + entry)
      return refusal([
        file(
          "proto3",
          [
            declaration(
              "M", (parent == "M" ? [entry] : []) + [field("m", 1, .message, label, named: ".\(parent).Entry")]),
            declaration("N", parent == "N" ? [entry] : []),
          ])
      ])?.code
    }
    let key = field("key", 1, .string)
    let value = field("value", 2, .int32)
    let entry = SchemaError.Code.invalid("a map's entry is not a key and a value")
    let other = SchemaError.Code.invalid("a map's entries are those of another field")
    #expect(code([key, value]) == nil)
    #expect(code([value, key]) == nil)
    #expect(code([key]) == entry)
    #expect(code([key, value, field("more", 3, .int32)]) == entry)
    #expect(code([field("key", 1, .float), value]) == entry)
    #expect(code([field("key", 1, .bytes), value]) == entry)
    #expect(code([key, field("value", 2, .int32, .repeated)]) == entry)
    #expect(code([key, field("value", 3, .int32)]) == entry)
    #expect(code([key, value], label: .optional) == other)
    #expect(code([key, value], parent: "N") == other)
    #expect(code([key, field("value", 2, .message, named: ".M.Entry")]) == other)
  }

  @Test("default values fit their fields")
  func defaults() {
    func code(_ type: FieldType, _ text: String, syntax: String = "proto2", _ label: Label = .optional)
      -> SchemaError.Code?
    {
      let name = type == .enumeration ? ".E" : type == .message ? ".M" : ""
      return refusal([
        file(
          syntax,
          [
            enumeration("E", [("V", 0)]),
            declaration("M", [field("f", 1, type, label, named: name, [(7, .text(text))])]),
          ])
      ])?.code
    }
    let fitting: [(FieldType, [String])] = [
      (.int32, ["-2147483648", "0"]), (.uint32, ["4294967295"]), (.int64, ["-9223372036854775808"]),
      (.uint64, ["18446744073709551615"]), (.bool, ["true", "false"]), (.double, ["1.5", "-0", "inf", "-inf", "nan"]),
      (.float, ["3.4028235e+38", "1e-45"]), (.string, ["", "any \\ text"]), (.bytes, ["", "\\000\\n\\xfF\\\"\\377x"]),
      (.enumeration, ["V"]),
    ]
    let others: [(FieldType, [String])] = [
      (.int32, ["2147483648", "", "x", "1.5", " 1"]), (.uint32, ["-1"]), (.uint64, ["18446744073709551616"]),
      (.bool, ["1", ""]), (.double, ["", "one", "infinity", "[]"]), (.bytes, ["\\", "\\q", "\\400", "\\x"]),
      (.enumeration, ["W", "0", ""]),
    ]
    for (type, texts) in fitting { for text in texts { #expect(code(type, text) == nil, "\(type) \(text)") } }
    for (type, texts) in others { for text in texts { #expect(code(type, text) == .invalidDefault(text)) } }
    let none = SchemaError.Code.invalid("a field has a default value that can have none")
    #expect(code(.int32, "1", syntax: "proto3") == none)
    #expect(code(.int32, "1", .repeated) == none)
    #expect(code(.message, "1") == none)
  }

  @Test("files, declarations, names, nesting and bytes are bounded, and what is at the bound is linked")
  func bounds() {
    func nested(_ depth: Int) -> [[UInt8]] {
      var inner = message([(1, "M")])
      for _ in 1..<depth { inner = message([(1, "M"), (3, .bytes(inner))]) }
      return [message([(1, "nested.proto"), (4, .bytes(inner))])]
    }
    #expect(refusal(nested(32)) == nil)
    #expect(refusal(nested(33))?.code == .tooDeep)
    #expect(refusal(nested(5_000))?.code == .tooDeep)
    let name = String(repeating: "n", count: 512)
    #expect(refusal([file("proto3", [declaration(name, [])])])?.code == .nameTooLong)
    #expect(refusal([file("proto3", [declaration(String(name.dropLast()), [])])]) == nil)
    #expect(refusal([file("proto3", package: name + "n", [])])?.code != nil)
    let parts = [declaration("M", [field("f", 1, .int32), (9, [(1, 2), (2, 3)])]), (6, [(1, "S")])] as [(Int, Part)]
    var limits = DescriptorPool.Limits()
    limits.declarations = 4
    #expect(refusal([file("proto3", parts)], limits: limits) == nil)
    limits.declarations = 3
    #expect(refusal([file("proto3", parts)], limits: limits)?.code == .tooManyDeclarations)
    limits = DescriptorPool.Limits()
    limits.files = 1
    #expect(refusal([message([(1, "a")]), message([(1, "b")])], limits: limits)?.code == .tooManyFiles)
    limits.bytes = 3
    limits.files = 2
    #expect(refusal([message([(1, "a")])], limits: limits) == nil)
    #expect(refusal([message([(1, "a")]), message([(1, "b")])], limits: limits)?.code == .tooLarge)
    // Names are longer than what declares them.
    limits.bytes = 12_000
    let long = String(repeating: "n", count: 400)
    let values = (0..<100).map { ("v\($0)", Int32($0)) }
    #expect(refusal([file("proto3", package: long, [enumeration("E", values)])], limits: limits)?.code == .tooLarge)
    #expect(refusal([file("proto3", package: "n", [enumeration("E", values)])], limits: limits) == nil)
  }

  @Test("mutated descriptors are refused, or what they give can be walked through", arguments: [1, 2, 3])
  func mutated(seed: UInt64) {
    var random = SeededGenerator(seed)
    let whole = file(
      "2023", package: "p",
      [
        declaration(
          "M",
          [
            field("f", 1, .int32, [(9, 0)]), (8, [(1, "o")]), enumeration("E", [("V", 0), ("W", 1)], at: 4),
            declaration(
              "N", at: 3, [(7, [(7, 1)]), field("key", 1, .string), field("value", 2, .message, named: ".p.M")]),
            field("m", 2, .message, .repeated, named: ".p.M.N"), field("x", 7, .int32, at: 6, [(2, ".p.M")]),
            (5, [(1, 5), (2, 10)]), field("e", 3, .enumeration, named: ".p.M.E", [(7, "W")]),
          ]),
        (6, [(1, "S"), (2, [(1, "Call"), (2, ".p.M"), (3, ".p.M.N")])]), (8, [(50, [(1, 2)])]),
      ])
    var accepted = 0
    for _ in 0..<3_000 {
      var bytes = whole
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0...9, using: &random) {
      case 0: bytes.remove(at: place)
      case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
      default: bytes[place] = UInt8.random(in: 0...255, using: &random)
      }
      guard let pool = try? DescriptorPool(files: [bytes]) else { continue }
      accepted += 1
      for file in pool.files {
        for message in file.messages {
          for field in message.fields { #expect(message.field(numbered: field.number) == field) }
          for value in message.enums.flatMap(\.values) { #expect(value.enumeration.value(named: value.name) == value) }
        }
      }
    }
    #expect(accepted > 5)
  }
}
