// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@Suite struct Base64Tests {
  @Test("the vectors of RFC 4648 section 10 hold both ways, with and without padding")
  func vectors() {
    for (plain, coded) in [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
      ("foobar", "Zm9vYmFy"),
    ] {
      #expect(Base64.encode(Array(plain.utf8).span, padded: true) == coded)
      #expect(Base64.decode(coded.utf8) == Array(plain.utf8))
      let bare = String(coded.prefix { $0 != "=" })
      #expect(Base64.encode(Array(plain.utf8).span, padded: false) == bare)
      #expect(Base64.decode(bare.utf8) == Array(plain.utf8))
    }
  }

  @Test("every byte value survives the round trip at every alignment")
  func roundTrip() {
    let all = Array(UInt8.min...UInt8.max)
    for start in 0..<3 {
      let bytes = Array(all[start...])
      #expect(Base64.decode(Base64.encode(bytes.span, padded: start == 1).utf8) == bytes)
    }
  }

  @Test("each alphabet has its own symbols for 62 and 63, and one of them reads both")
  func alphabets() {
    let bytes: [UInt8] = [0xFB, 0xFF, 0xBE]
    #expect(Base64.encode(bytes.span, padded: true) == "+/++")
    #expect(Base64.encode(bytes.span, padded: true, alphabet: .urlSafe) == "-_--")
    #expect(Base64.encode(bytes.span, padded: true, alphabet: .either) == "+/++")
    #expect(Base64.decode("-_--".utf8) == nil)
    #expect(Base64.decode("+/++".utf8, alphabet: .urlSafe) == nil)
    #expect(Base64.decode("-_--".utf8, alphabet: .urlSafe) == bytes)
    #expect(Base64.decode("-/+_".utf8, alphabet: .either) != nil)
    #expect(Base64.decode("-!+_".utf8, alphabet: .either) == nil)
    #expect(Base64.decode("Zg=".utf8, alphabet: .either) == nil)
  }

  @Test(
    "text that is not base64 gives nil",
    arguments: ["Z", "Zg=", "Zg===", "Z=g=", "Zm9v=", "====", "=", "Zm 9v", "Zm9v\n", "Zm-_", "Zmé=", "Zm9vY"])
  func refusals(text: String) {
    #expect(Base64.decode(text.utf8) == nil)
  }
}

@Suite struct CivilDateTests {
  @Test("a day's date is its own day again, and dates follow one another")
  func bothWays() {
    var before = CivilDate(daysSince1970: -800_001)
    for days in Int64(-800_000)...Int64(3_000_000) where days % 97 < 3 {
      let date = CivilDate(daysSince1970: days)
      #expect(date.daysSince1970 == days)
      #expect((1...12).contains(date.month))
      #expect((1...CivilDate.days(inMonth: date.month, of: date.year)).contains(date.day))
      #expect((before.year, before.month, before.day) < (date.year, date.month, date.day))
      before = date
    }
  }

  @Test(
    "known days",
    arguments: [
      (0, 1970, 1, 1), (-1, 1969, 12, 31), (11_016, 2000, 2, 29), (-719_162, 1, 1, 1), (2_932_896, 9999, 12, 31),
    ])
  func known(days: Int64, year: Int64, month: Int64, day: Int64) {
    #expect(CivilDate(daysSince1970: days) == CivilDate(year: year, month: month, day: day))
  }
}

@Suite struct ASCIITests {
  @Test("lower-casing touches the letters of ASCII alone")
  func lowercase() {
    #expect("Grpc-STATUS[@`{]É".asciiLowercased == "grpc-status[@`{]É")
    #expect("Content-Type".equalsIgnoringASCIICase("content-tYPE"))
    #expect(!"content-type".equalsIgnoringASCIICase("content_type"))
    #expect(!"a".equalsIgnoringASCIICase("ab"))
  }

  @Test("decimal numbers are digits alone, within the limit and the range of Int")
  func decimals() {
    #expect(parseDecimal("0".utf8) == 0)
    #expect(parseDecimal("65535".utf8, atMost: 65535) == 65535)
    #expect(parseDecimal("65536".utf8, atMost: 65535) == nil)
    #expect(parseDecimal("9223372036854775807".utf8) == Int.max)
    #expect(parseDecimal("9223372036854775808".utf8) == nil)
    for bad in ["", "-1", "+1", " 1", "1 ", "0x1", "١"] { #expect(parseDecimal(bad.utf8) == nil) }
  }

  @Test("splitting keeps empty parts, trimming takes white space off both ends")
  func splitAndTrim() {
    #expect("a,,b".split(onASCII: 0x2C) == ["a", "", "b"])
    #expect("".split(onASCII: 0x2C) == [""])
    #expect(" \t a b\r\n".asciiTrimmed == "a b")
    #expect(" ".asciiTrimmed == "")
  }

  @Test("hexadecimal digits have their values in both cases, and nothing else has one")
  func hexDigits() {
    #expect((UInt8.min...UInt8.max).compactMap(\.hexDigitValue).count == 22)
    #expect("0aF".utf8.map(\.hexDigitValue) == [0, 10, 15])
  }
}

@Suite struct SystemTextTests {
  @Test("bytes that are no UTF-8 come back as they were, and print as escapes")
  func roundTrip() {
    for bytes: [UInt8] in [
      [], Array("plain é 🙂".utf8), [0x01, 0xFF, 0xFE, 0x20, 0x7A], [0xC3], [0xC3, 0x28, 0xA9], [0xE2, 0x82, 0x41],
      [0xED, 0xA0, 0x80], Array(0x01...0xFF),
    ] {
      let text = String(systemBytes: bytes)
      #expect(text.systemBytes == bytes)
      #expect(text.isValidUnicode == (String(validating: bytes, as: UTF8.self) != nil))
    }
    #expect(String(systemBytes: [0x61, 0xFF, 0x80]).safeForDisplay == #"a\xff\x80"#)
  }
}

@Suite struct SafeTextTests {
  @Test("nothing that steers a terminal or turns the reading direction is printed as it is")
  func escapes() {
    #expect("a\nb\r\t\u{1B}[31m\u{7F}".safeForDisplay == #"a\nb\r\t\x1b[31m\x7f"#)
    #expect("\u{85}\u{202E}x\u{2066}\u{FEFF}".safeForDisplay == #"\u0085\u202ex\u2066\ufeff"#)
    #expect("\u{E0041}".safeForDisplay == #"\U000e0041"#)
  }

  @Test("readable text stays, backslashes, accents and replacement characters included")
  func keeps() {
    let text = #"C:\temp é 日本 🙂 "# + "\u{FFFD}"
    #expect(text.safeForDisplay == text)
  }

  @Test("quoting escapes quotes and backslashes too")
  func quotes() {
    #expect("localhost:7001".quoted == "\"localhost:7001\"")
    #expect(#"a"b\c"#.quoted == #""a\"b\\c""#)
    #expect("a\n".quoted == #""a\n""#)
  }

  @Test("a text is shortened between characters and never exceeds its bytes")
  func shortening() {
    #expect("abc".shortened(toUTF8Count: 3) == "abc")
    #expect("abcdefg".shortened(toUTF8Count: 6) == "abc…")
    #expect("ééééé".shortened(toUTF8Count: 8) == "éé…")
    #expect("abcdef".shortened(toUTF8Count: 2) == "")
    for limit in 0..<20 { #expect("a🙂é日b🙂c".shortened(toUTF8Count: limit).utf8.count <= limit) }
  }
}
