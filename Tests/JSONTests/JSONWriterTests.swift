// SPDX-License-Identifier: Apache-2.0

import Foundation
import JSON
import TestSupport
import Testing

@Suite struct JSONWriterTests {
  @Test("objects, arrays and every kind of value stand where they belong")
  func shape() {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("a")
    writer.integer(-1)
    writer.key("b")
    writer.beginArray()
    writer.string("x")
    writer.beginObject()
    writer.endObject()
    writer.null()
    writer.endArray()
    writer.key("c")
    writer.boolean(true)
    writer.endObject()
    #expect(writer.text == #"{"a":-1,"b":["x",{},null],"c":true}"#)
  }

  @Test(
    "thousandths are decimals without needless zeros",
    arguments: [(0, "0"), (1, "0.001"), (1500, "1.5"), (1020, "1.02"), (12_345, "12.345"), (2000, "2"), (-5, "0")])
  func decimals(value: Int64, text: String) {
    var writer = JSONWriter()
    writer.thousandths(value)
    #expect(writer.text == text)
  }

  @Test("every character comes back from an independent reader")
  func strings() throws {
    let text = String(String.UnicodeScalarView((0...0x2FF).compactMap(Unicode.Scalar.init))) + "日🙂\u{FFFD}"
    var writer = JSONWriter()
    writer.beginArray()
    writer.string(text)
    writer.endArray()
    let read = try JSONSerialization.jsonObject(with: Data(writer.bytes)) as? [String]
    #expect(read == [text])
  }

  @Test("a text in bytes is written like the same text, wherever what must be escaped stands in it")
  func bytes() throws {
    for before in 0..<18 {
      for odd in ["\"", "\\", "\n", "\u{1}", "\u{1F}", "\u{7F}", "é", "🙂", "\u{A2}", "\u{DC}"] {
        let text = String(repeating: "a", count: before) + odd + "bcdefghij" + odd
        let bytes = Array(("x" + text + "x").utf8)
        var one = JSONWriter()
        one.string(bytes[1..<bytes.count - 1])
        var other = JSONWriter()
        other.string(text)
        #expect(one.bytes == other.bytes)
        #expect(try JSONValue(parsing: one.bytes) == .string(text))
      }
    }
  }

  @Test("a document is indented by two spaces a level")
  func indented() {
    var writer = JSONWriter(isIndented: true)
    writer.beginObject()
    writer.key("a")
    writer.beginArray()
    writer.integer(1)
    writer.beginObject()
    writer.endObject()
    writer.beginArray()
    writer.endArray()
    writer.endArray()
    writer.key(Array("b".utf8)[...])
    writer.quotedUnsignedInteger(.max)
    writer.member(JSONKey("c"), 7)
    writer.key("d")
    writer.raw(Array("[1,2]".utf8)[...])
    writer.key("e")
    writer.quotedInteger(.min)
    writer.endObject()
    #expect(
      writer.text == """
        {
          "a": [
            1,
            {},
            []
          ],
          "b": "18446744073709551615",
          "c": 7,
          "d": [1,2],
          "e": "-9223372036854775808"
        }
        """)
  }

  @Test("a document is written behind what is there")
  func appending() {
    var writer = JSONWriter(appendingTo: Array("data: ".utf8))
    writer.unsignedInteger(.max)
    #expect(String(decoding: writer.finish(), as: UTF8.self) == "data: 18446744073709551615")
  }

  @Test(
    "doubles and floats take their shortest form",
    arguments: [
      (0, "0", "0"), (-0.0, "-0.0", "-0.0"), (1, "1", "1"), (-1.5, "-1.5", "-1.5"), (0.1, "0.1", "0.1"),
      (1e20, "1e+20", "1e+20"),
      (9_007_199_254_740_991, "9007199254740991", "9.007199e+15"), (1e-7, "1e-07", "1e-07"),
      (.infinity, "null", "null"), (-.infinity, "null", "null"), (.nan, "null", "null"),
    ] as [(Double, String, String)])
  func shortest(value: Double, text: String, floatText: String) {
    var writer = JSONWriter()
    writer.number(value)
    #expect(writer.text == text)
    var other = JSONWriter()
    other.number(Float(value))
    #expect(other.text == floatText)
  }

  @Test("doubles and floats come back")
  func numbersComeBack() throws {
    var random = SeededGenerator(5)
    for _ in 0..<20_000 {
      let double = Double(bitPattern: UInt64.random(in: 0...(.max), using: &random))
      let float = Float(bitPattern: UInt32.random(in: 0...(.max), using: &random))
      guard double.isFinite, float.isFinite else { continue }
      var writer = JSONWriter()
      writer.number(double)
      #expect(JSONNumber(writer.bytes[...])?.double?.bitPattern == double.bitPattern)
      writer = JSONWriter()
      writer.number(float)
      #expect(JSONNumber(writer.bytes[...])?.float?.bitPattern == float.bitPattern)
    }
  }

  @Test("numbers are written to their last digit")
  func numbers() {
    for number in [0, 1, 9, 10, 99, 100, Int64.max, -1, -10, Int64.min] {
      var writer = JSONWriter()
      writer.integer(number)
      #expect(writer.text == String(number))
    }
  }

  @Test("a document that is handed over in pieces is the same")
  func pieces() {
    func write(_ drain: (inout JSONWriter) -> Void) -> [UInt8] {
      var writer = JSONWriter()
      writer.beginArray()
      for number in 0..<5 {
        writer.beginObject()
        writer.member(JSONKey("a\"b"), UInt64(number))
        writer.key("c")
        writer.null()
        writer.endObject()
        drain(&writer)
      }
      writer.endArray()
      return writer.bytes
    }
    var pieces: [UInt8] = []
    let rest = write { writer in writer.drain { pieces += $0 } }
    #expect(pieces + rest == write { _ in })
    #expect(String(decoding: pieces.prefix(30), as: UTF8.self) == #"[{"a\"b":0,"c":null},{"a\"b":1"#)
  }
}
