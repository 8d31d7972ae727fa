// SPDX-License-Identifier: Apache-2.0

import Foundation
import JSON
import TestSupport
import Testing

private func failure(_ text: String, limits: JSONLimits = JSONLimits()) -> JSONError? {
  failure(Array(text.utf8), limits: limits)
}

private func failure(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) -> JSONError? {
  do throws(JSONError) {
    _ = try JSONValue(parsing: bytes, limits: limits)
    return nil
  } catch { return error }
}

/// The number that a document consists of.
private func number(_ text: String) throws -> JSONNumber {
  guard case .number(let number) = try JSONValue(parsing: text) else {
    throw CancellationError()
  }
  return number
}

private func write(_ value: JSONValue, _ writer: inout JSONWriter) {
  switch value {
  case .null: writer.null()
  case .boolean(let value): writer.boolean(value)
  case .number(let number): writer.integer(number.int64 ?? 0)
  case .string(let text): writer.string(text)
  case .array(let values):
    writer.beginArray()
    for value in values { write(value, &writer) }
    writer.endArray()
  case .object(let members):
    writer.beginObject()
    for member in members {
      writer.key(member.name)
      write(member.value, &writer)
    }
    writer.endObject()
  }
}

@Suite struct JSONReaderTests {
  @Test("tokens come in the order of the document, with their offsets, texts and numbers")
  func tokens() throws {
    var reader = JSONReader(Array(#" {"a": [1, "x", {}, []], "\u0062\n" : null} "#.utf8))
    var tokens: [JSONToken] = []
    var offsets: [Int] = []
    var texts: [String] = []
    while let token = try reader.next() {
      tokens.append(token)
      offsets.append(reader.offset)
      if token == .key || token == .string {
        texts.append(String(decoding: reader.text, as: UTF8.self))
        #expect(reader.withText { text in text.indices.map { text[$0] } } == Array(reader.text))
      }
      if token == .number { texts.append(reader.number.text) }
      #expect(reader.depth <= 3)
    }
    #expect(
      tokens == [
        .beginObject, .key, .beginArray, .number, .string, .beginObject, .endObject, .beginArray, .endArray, .endArray,
        .key, .null, .endObject,
      ])
    #expect(offsets == [1, 2, 7, 8, 11, 16, 17, 20, 21, 22, 25, 38, 42])
    #expect(texts == ["a", "1", "x", "b\n"])
    #expect(try reader.next() == nil)
  }

  @Test("a text without escapes is a view into the document, also where the document is a part of other bytes")
  func views() throws {
    let bytes = Array(#"xx{"key":["text",12]}xx"#.utf8)
    var reader = JSONReader(bytes[2..<bytes.count - 2])
    var views: [Range<Int>] = []
    while let token = try reader.next() {
      switch token {
      case .key, .string: views.append(reader.text.indices)
      case .number: views.append(reader.number.bytes.indices)
      default: break
      }
    }
    #expect(views == [4..<7, 11..<15, 17..<19])
  }

  @Test("a value is passed over with all that it holds, and what is wrong in it is found")
  func skipping() throws {
    var reader = JSONReader(Array(#"{"a":{"b":[1,{"c":"}"}]},"d":2,"e":[3]}"#.utf8))
    var keys: [String] = []
    while let token = try reader.next() {
      guard token == .key else { continue }
      keys.append(String(decoding: reader.text, as: UTF8.self))
      try reader.skipValue()
    }
    #expect(keys == ["a", "d", "e"])
    var array = JSONReader(Array("[[1,[2]],{}]".utf8))
    var depths: [Int] = []
    while let token = try array.next() {
      if array.depth > 1 { try array.skipRest(of: token) }
      depths.append(array.depth)
    }
    #expect(depths == [1, 1, 1, 0])
    var wrong = JSONReader(Array("[[1,[2}]]".utf8))
    _ = try wrong.next()
    #expect(throws: JSONError.self) { try wrong.skipValue() }
    var short = JSONReader(Array("[[1,[2]".utf8))
    #expect(throws: JSONError.self) { try short.skipValue() }
  }

  @Test("a copy of a reader reads on from where it was made")
  func bookmarks() throws {
    var reader = JSONReader(Array(#"{"a":1,"b":[2]}"#.utf8))
    _ = try reader.next()
    var ahead = reader
    while try ahead.next() != nil {}
    #expect(try reader.next() == .key)
    #expect(reader.text.elementsEqual("a".utf8))
    #expect(try reader.next() == .number)
    #expect(reader.number.int64 == 1)
  }

  @Test("brackets of both kinds match at every depth")
  func brackets() throws {
    var random = SeededGenerator(3)
    for depth in [1, 63, 64, 65, 127, 128, 129, 200] {
      let kinds = (0..<depth).map { _ in Bool.random(using: &random) }
      let text =
        kinds.map { $0 ? #"{"a":"# : "[" }.joined() + "1" + kinds.reversed().map { $0 ? "}" : "]" }.joined()
      var limits = JSONLimits()
      limits.depth = depth
      #expect(failure(text, limits: limits) == nil)
      let place = text.utf8.count - Int.random(in: 1...depth, using: &random)
      var bytes = Array(text.utf8)
      bytes[place] = bytes[place] == 0x7D ? 0x5D : 0x7D
      #expect(failure(bytes, limits: limits)?.offset == place)
    }
  }

  @Test(
    "what the grammar allows is read",
    arguments: [
      "null", " true\t\r\n", "false", "0", "-0", "1", "-1.5e+10", "0.25E-3", "\"\"", "[]", "{}", "[[]]", #"{"":0}"#,
      #"["\"\\\/\b\f\n\r\t\u0041\uD83D\uDE00"]"#, "\"\u{7F}\u{E000}é🙂\"", "[1,2]", #"{"a":1,"b":{"a":2}}"#,
    ])
  func accepted(text: String) throws {
    #expect(failure(text) == nil)
    // The same meaning as an independent reader finds.
    _ = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
  }

  @Test("escapes mean what RFC 8259 says")
  func escapes() throws {
    #expect(
      try JSONValue(parsing: #""\"\\\/\b\f\n\r\tA\u00e9\uD83D\uDE00""#) == .string("\"\\/\u{8}\u{c}\n\r\tAé😀"))
  }

  @Test(
    "what it does not allow is refused by name and place",
    arguments: [
      ("", .unexpectedEnd, 0), (" ", .unexpectedEnd, 1), ("nul", .unexpectedEnd, 3), ("nulL", .unexpectedCharacter, 3),
      ("truex", .unexpectedCharacter, 4), ("1 2", .unexpectedCharacter, 2), ("01", .malformedNumber, 0),
      ("-", .unexpectedEnd, 1), ("-a", .malformedNumber, 0), ("1.", .unexpectedEnd, 2), ("1.a", .malformedNumber, 0),
      ("1e", .unexpectedEnd, 2), ("1e+]", .malformedNumber, 0), (".5", .unexpectedCharacter, 0),
      ("+1", .unexpectedCharacter, 0), ("NaN", .unexpectedCharacter, 0), ("0x1", .unexpectedCharacter, 1),
      ("[", .unexpectedEnd, 1), ("[1", .unexpectedEnd, 2), ("[1,]", .unexpectedCharacter, 3),
      ("[,1]", .unexpectedCharacter, 1), ("[1 2]", .unexpectedCharacter, 3), ("[1}", .unexpectedCharacter, 2),
      ("]", .unexpectedCharacter, 0), ("{", .unexpectedEnd, 1), ("{1:2}", .unexpectedCharacter, 1),
      (#"{"a"}"#, .unexpectedCharacter, 4), (#"{"a":}"#, .unexpectedCharacter, 5),
      (#"{"a":1,}"#, .unexpectedCharacter, 7),
      (#"{"a":1]"#, .unexpectedCharacter, 6), (#"{"a" 1}"#, .unexpectedCharacter, 5),
      (#"{"a":1 "b":2}"#, .unexpectedCharacter, 7),
      (#"{,"a":1}"#, .unexpectedCharacter, 1), (#"{"a"#, .unexpectedEnd, 3), ("'a'", .unexpectedCharacter, 0),
      (#""a"#, .unexpectedEnd, 2), (#""\x""#, .malformedEscape, 1), (#""\u12G4""#, .malformedEscape, 1),
      (#""\u12"#, .unexpectedEnd, 5), (#""\uD800""#, .malformedEscape, 1), (#""\uD800\u0041""#, .malformedEscape, 1),
      (#""\uDC00""#, .malformedEscape, 1), (#""\"#, .unexpectedEnd, 2), ("\"a\u{1}\"", .controlCharacter, 2),
      ("\"a\n\"", .controlCharacter, 2), ("// a", .unexpectedCharacter, 0), ("\u{FEFF}1", .unexpectedCharacter, 0),
      (#"{"a":1,"a":2}"#, .duplicateKey("a"), 7), (#"{"b":{},"a":[],"\u0061":2}"#, .duplicateKey("a"), 15),
    ] as [(String, JSONError.Code, Int)])
  func refused(text: String, code: JSONError.Code, offset: Int) {
    let error = failure(text)
    #expect(error?.code == code)
    #expect(error?.offset == offset)
  }

  @Test(
    "bytes that are not UTF-8 are refused",
    arguments: [[0xC3], [0xFF], [0xED, 0xA0, 0x80], [0xC0, 0x80]] as [[UInt8]])
  func invalidUTF8(bytes: [UInt8]) {
    // Also where eight bytes are looked at together.
    for before in 0..<18 {
      let text = [0x22] + [UInt8](repeating: 0x61, count: before) + bytes
      #expect(failure(text + [0x22])?.code == .invalidUTF8)
      #expect(failure(text + [0x22])?.offset == before + 1)
      #expect(failure(text + [UInt8](repeating: 0x62, count: 9) + [0x22])?.code == .invalidUTF8)
    }
  }

  @Test("every sequence of bytes in a string is taken or refused as the standard library has it", arguments: [1, 2])
  func sequences(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let spice: [UInt8] = [
      0x00, 0x1F, 0x20, 0x22, 0x5C, 0x61, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xED, 0xEF,
      0xF0, 0xF4, 0xF5,
    ]
    var taken = 0
    for _ in 0..<30_000 {
      let plain = [UInt8](repeating: 0x61, count: Int.random(in: 0...9, using: &random))
      let odd = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        spice[Int.random(in: 0..<spice.count, using: &random)]
      }
      let content = plain + odd + plain
      let isRight = !content.contains { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }
      let expected = isRight ? String(validating: content, as: UTF8.self) : nil
      // A quote or an escape makes another document.
      if content.contains(0x22) || content.contains(0x5C) { continue }
      let value = try? JSONValue(parsing: [0x22] + content + [0x22])
      #expect(value == expected.map { .string($0) }, "\(content)")
      if value != nil { taken += 1 }
    }
    #expect(taken > 1_000)
  }

  @Test("names that are only equivalent are not the same, and many names take no long time")
  func names() throws {
    // One name with an accented letter, one with a letter and an accent.
    #expect(failure("{\"\u{e9}\":1,\"e\u{301}\":2}") == nil)
    #expect(try JSONValue(parsing: "{\"e\u{301}\":2}")["\u{e9}"] == nil)
    let many = (0..<50_000).map { "\"\($0)\":1" }.joined(separator: ",")
    #expect(failure("{" + many + "}") == nil)
    #expect(failure("{" + many + #","777":2}"#)?.code == .duplicateKey("777"))
  }

  @Test("an error tells the line and the character")
  func places() throws {
    let error = try #require(failure("{\n  \"é\": 1,\n  \"ü\": x\n}"))
    #expect(error.place?.line == 3)
    #expect(error.place?.column == 8)
    #expect(error.message == "line 3, column 8: a character is out of place")
  }

  @Test("nesting is bounded, and so is the size")
  func limits() {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(failure(nested(100)) == nil)
    #expect(failure(nested(101))?.code == .tooDeep)
    #expect(failure(String(repeating: #"{"a":"#, count: 200_000))?.code == .tooDeep)
    var limits = JSONLimits()
    limits.bytes = 3
    #expect(failure("100", limits: limits) == nil)
    #expect(failure("1000", limits: limits)?.code == .tooLarge)
  }

  @Test("members are found by name, and only in objects")
  func members() throws {
    let value = try JSONValue(parsing: #"{"a": {"b": "c"}, "n": null}"#)
    #expect(value["a"]?["b"] == .string("c"))
    #expect(value["n"] == .null)
    #expect(value["x"] == nil)
    #expect(value["a"]?["b"]?["c"] == nil)
  }

  @Test("mutated documents are refused, or written and read again mean the same", arguments: [1, 2])
  func mutated(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let source = Array(#"{"a":[1,-20,3000,{"b":"\u00e9\n😀"},[]],"c":{"d":null,"e":true},"f":"g"}"#.utf8)
    let spice = Array("{}[]\",:\\u0e1-+. \n".utf8)
    var read = 0
    for _ in 0..<20_000 {
      var bytes = source
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0...3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        case 2: bytes[place] = spice[Int.random(in: 0..<spice.count, using: &random)]
        default: bytes.insert(spice[Int.random(in: 0..<spice.count, using: &random)], at: place)
        }
      }
      guard let value = try? JSONValue(parsing: bytes) else { continue }
      read += 1
      var writer = JSONWriter()
      write(value, &writer)
      var again = JSONWriter()
      write(try JSONValue(parsing: writer.bytes), &again)
      #expect(again.bytes == writer.bytes)
    }
    #expect(read > 500)
  }
}

@Suite struct JSONNumberTests {
  @Test(
    "whole numbers are exact or none",
    arguments: [
      ("0", 0), ("-0", 0), ("7", 7), ("1e3", 1_000), ("1.50e1", 15), ("1200e-2", 12), ("9223372036854775807", .max),
      ("-9223372036854775808", .min), ("9223372036854775808", nil), ("-9223372036854775809", nil), ("1.5", nil),
      ("1e-1", nil), ("1e19", nil), ("0e999999999999999999999", 0), ("0.0000e-99999999999999999999", 0),
      ("1e99999999999999999999", nil), ("1e-99999999999999999999", nil), ("9007199254740993", 9_007_199_254_740_993),
      ("0.9223372036854775807e19", .max), ("9223372036854775807.000000000000000000000000", .max),
      ("9223372036854775807.000000000000000000000001", nil), ("100000000000000000000000000e-20", 1_000_000),
    ] as [(String, Int64?)])
  func int64(text: String, value: Int64?) throws {
    let number = try number(text)
    #expect(number.int64 == value)
    #expect(number.text == text)
  }

  @Test(
    "whole numbers without a sign reach further",
    arguments: [
      ("18446744073709551615", .max), ("18446744073709551616", nil), ("-1", nil), ("-0", 0),
      ("18446744073709551615.0", .max), ("1.8446744073709551615E+19", .max), ("184467440737095516150e-1", .max),
      ("18446744073709551615.5", nil), ("18446744073709551620", nil),
      ("1e19", 10_000_000_000_000_000_000),
    ] as [(String, UInt64?)])
  func uint64(text: String, value: UInt64?) throws {
    #expect(try number(text).uint64 == value)
  }

  @Test(
    "doubles at the edges are those of the C library",
    arguments: [
      "0", "-0", "0.1", "0.3", "1e22", "1e23", "123456789012345678", "9007199254740993", "9007199254740992.5",
      "1.7976931348623157e308", "1.7976931348623158e308", "2.2250738585072014e-308", "2.2250738585072011e-308",
      "4.9406564584124654e-324", "2.4703282292062328e-324", "2.4703282292062327e-324", "5e-324", "1e-400", "-1e-400",
      "0.500000000000000166533453693773481063544750213623046875", "7.2057594037927933e16", "8.5e-320",
      "2.22507385850720113605740979670913197593481954635164564e-308", "1e-323", "3e-324",
    ])
  func edges(text: String) throws {
    #expect(try number(text).double?.bitPattern == Double(text)?.bitPattern)
  }

  @Test(
    "doubles beyond the range are none", arguments: ["1e309", "-1e309", "1.7976931348623159e308", "1e999999999999"])
  func beyond(text: String) throws {
    #expect(try number(text).double == nil)
  }

  @Test("random doubles read back exactly, with many digits and with few", arguments: [1, 2, 3])
  func random(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    for _ in 0..<1_500 {
      let value = Double(bitPattern: UInt64.random(in: 0...(.max), using: &random))
      guard value.isFinite else { continue }
      #expect(try number(value.description).double == value)
      let digits = (0..<Int.random(in: 1...40, using: &random)).map { _ in
        Character(String(Int.random(in: 0...9, using: &random)))
      }
      let text = "1\(String(digits))e\(Int.random(in: -360...330, using: &random))"
      let expected = try #require(Double(text))
      #expect(try number(text).double == (expected.isFinite ? expected : nil), "\(text)")
    }
  }

  @Test(
    "floats are rounded once",
    arguments: [
      "0", "-0", "0.1", "16777216", "16777217", "16777217.000000000000000000001", "3.4028234663852886e38",
      "3.4028235677973366e38", "1.401298464324817e-45", "7.006492321624085e-46", "7.006492321624086e-46", "1e-50",
      "1.17549435e-38", "1.1754942e-38", "0.50000002980232238769531250000001", "1e30", "-2.5e-7",
      // The nearest double lies half way between two floats, the number itself does not.
      "1.00000005960464477539062500000000000000000000000000000001", "8589973000.0000000001",
    ])
  func floats(text: String) throws {
    #expect(try number(text).float?.bitPattern == Float(text)?.bitPattern)
  }

  @Test("floats beyond the range are none", arguments: ["3.4028235677973367e38", "1e39", "-1e39", "1e99999"])
  func beyondFloats(text: String) throws {
    #expect(try number(text).float == nil)
  }

  @Test("a number half way between two floats or doubles goes to the even one, and a little more to the upper one")
  func ties() throws {
    var random = SeededGenerator(4)
    for _ in 0..<2_000 {
      let float = Float(bitPattern: UInt32.random(in: 0..<0x7F7F_FFFF, using: &random))
      let middle = String(format: "%.200g", (Double(float) + Double(float.nextUp)) / 2)
      let even = float.bitPattern & 1 == 0 ? float : float.nextUp
      #expect(try number(middle).float == even, "\(middle)")
      #expect(try number(above(middle)).float == float.nextUp, "\(middle)")
      #if arch(x86_64)
        let double = Double(bitPattern: UInt64.random(in: 0..<0x7FEF_FFFF_FFFF_FFFF, using: &random))
        let wide = String(format: "%.800Lg", (Float80(double) + Float80(double.nextUp)) / 2)
        let evenDouble = double.bitPattern & 1 == 0 ? double : double.nextUp
        #expect(try number(wide).double == evenDouble, "\(wide)")
        #expect(try number(above(wide)).double == double.nextUp, "\(wide)")
      #endif
    }
  }

  /// A number that is larger by a digit far behind.
  private func above(_ text: String) -> String {
    let parts = text.split(separator: "e", omittingEmptySubsequences: false)
    let point = parts[0].contains(".") ? "" : "."
    return parts[0] + point + String(repeating: "0", count: 900) + "1" + (parts.count > 1 ? "e" + parts[1] : "")
  }

  @Test("a number is read from a text of its own, which it must fill")
  func texts() {
    #expect(JSONNumber(Array("-12e1".utf8)[...])?.int64 == -120)
    for text in ["", "1 ", " 1", "01", "0x1", "1.", "NaN", "-", "+1"] {
      #expect(JSONNumber(Array(text.utf8)[...]) == nil)
    }
  }

  @Test("digits beyond any that matter still break a tie")
  func manyDigits() throws {
    // Half way between 2^53 and the double after it, and a little more a thousand places on.
    let tie = "9007199254740993." + String(repeating: "0", count: 2_000)
    #expect(try number(tie).double == 9_007_199_254_740_992)
    #expect(try number(tie + "1").double == 9_007_199_254_740_994)
  }
}
