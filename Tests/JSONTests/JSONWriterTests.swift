// SPDX-License-Identifier: Apache-2.0

import Foundation
import JSON
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
