// SPDX-License-Identifier: Apache-2.0

import JSON
import TestSupport
import Testing

/// What a splitter makes of a stream: its values, and why and where it failed.
private struct Outcome: Equatable {
  var values: [String] = []
  var error: JSONError?
  var isFinished = false
}

private func split(
  _ chunks: [ArraySlice<UInt8>], _ form: JSONSplitter.Form, limits: JSONLimits = JSONLimits()
) -> Outcome {
  var outcome = Outcome()
  var splitter = JSONSplitter(form, limits: limits)
  func take() throws(JSONError) {
    while let value = try splitter.next() { outcome.values.append(String(decoding: value, as: UTF8.self)) }
  }
  do throws(JSONError) {
    for chunk in chunks {
      splitter.receive(chunk)
      try take()
    }
    splitter.receiveEnd()
    try take()
  } catch { outcome.error = error }
  outcome.isFinished = splitter.isFinished
  return outcome
}

private func split(_ text: String, _ form: JSONSplitter.Form, limits: JSONLimits = JSONLimits()) -> Outcome {
  split([Array(text.utf8)[...]], form, limits: limits)
}

@Suite struct JSONSplitterTests {
  @Test(
    "values stand one after another",
    arguments: [
      ("", []), (" \n", []), ("1", ["1"]), ("1 2\n3", ["1", "2", "3"]), ("{}{}", ["{}", "{}"]),
      ("{\"a\":1}\n{\"a\":2}\n", ["{\"a\":1}", "{\"a\":2}"]), ("\"a\"\"b\"", ["\"a\"", "\"b\""]),
      ("true[1]null\"x\"", ["true", "[1]", "null", "\"x\""]), (#""\\" "\"]" 1"#, [#""\\""#, #""\"]""#, "1"]),
      (#"{"}":"]{["} 2"#, [#"{"}":"]{["}"#, "2"]),
    ] as [(String, [String])])
  func values(text: String, values: [String]) {
    #expect(split(text, .values) == Outcome(values: values, isFinished: true))
  }

  @Test(
    "the elements of an array are values",
    arguments: [
      ("[]", []), (" [ ] ", []), ("[1]", ["1"]),
      ("[1 , {\"a\":[2,3]},\"x,]\"\n]\n", ["1", "{\"a\":[2,3]}", "\"x,]\""]),
      ("[[],[[]]]", ["[]", "[[]]"]),
    ] as [(String, [String])])
  func elements(text: String, values: [String]) {
    #expect(split(text, .elements) == Outcome(values: values, isFinished: true))
  }

  @Test(
    "what stands between values otherwise is refused, with its offset in the stream",
    arguments: [
      ("1,2", .values, .unexpectedCharacter, 1), ("{}]", .values, .unexpectedCharacter, 2),
      (":", .values, .unexpectedCharacter, 0), ("{\"a\":", .values, .unexpectedEnd, 5),
      ("\"a", .values, .unexpectedEnd, 2), ("\"a\\\"", .values, .unexpectedEnd, 4), ("", .elements, .unexpectedEnd, 0),
      ("{}", .elements, .unexpectedCharacter, 0), ("[1", .elements, .unexpectedEnd, 2),
      ("[1,", .elements, .unexpectedEnd, 3), ("[,1]", .elements, .unexpectedCharacter, 1),
      ("[1,]", .elements, .unexpectedCharacter, 3), ("[1 2]", .elements, .unexpectedCharacter, 3),
      ("[1}", .elements, .unexpectedCharacter, 2), ("[] 1", .elements, .unexpectedCharacter, 3),
      ("[][]", .elements, .unexpectedCharacter, 2),
    ] as [(String, JSONSplitter.Form, JSONError.Code, Int)])
  func refused(text: String, form: JSONSplitter.Form, code: JSONError.Code, offset: Int) {
    let bytes = Array(text.utf8)
    for size in 1...max(bytes.count, 1) {
      let outcome = split(bytes.chunks(of: size), form)
      #expect(outcome.error?.code == code)
      #expect(outcome.error?.offset == offset)
      #expect(!outcome.isFinished)
    }
    #expect(split(text, form).error?.message.hasPrefix("byte \(offset): ") == true)
  }

  @Test("a value is bounded in size and depth, the stream is not")
  func limits() {
    var limits = JSONLimits()
    limits.bytes = 5
    limits.depth = 2
    for (value, code) in [
      ("12345", nil), ("[123]", nil), ("\"abc\"", nil), ("[[1]]", nil), ("123456", .tooLarge), ("[1234]", .tooLarge),
      ("\"abcd\"", .tooLarge), ("[[[", .tooDeep),
    ] as [(String, JSONError.Code?)] {
      let stream = Array((String(repeating: "12345   \n\n", count: 10) + value + " 1").utf8)
      for size in 1...stream.count {
        #expect(split(stream.chunks(of: size), .values, limits: limits).error?.code == code)
      }
      let array = Array(("[" + String(repeating: "12345  ,\n\n", count: 10) + value + ",1]").utf8)
      for size in 1...array.count {
        #expect(split(array.chunks(of: size), .elements, limits: limits).error?.code == code)
      }
    }
  }

  @Test("every way of cutting gives the same values")
  func cuts() {
    let text = #" {"a":"\\\"}","é":[1,-2.5e3,{}]} [] "x\u00e9🙂y" true 17 {"long":"abcdefghijklmnopqrstuvwxyz"}"1"null "#
    let array = "[" + #"{"a":"\\\"}"},17,"x\"]",[[],[1,2]],null"# + "]"
    for (text, form) in [(text, .values), (array, .elements)] as [(String, JSONSplitter.Form)] {
      let bytes = Array(text.utf8)
      let whole = split(text, form)
      #expect(whole.isFinished && whole.values.count > 4)
      for first in 0...bytes.count {
        for second in first...bytes.count {
          let chunks = [bytes[..<first], bytes[first..<second], bytes[second...]]
          #expect(split(chunks, form) == whole)
        }
      }
      for size in 1...9 { #expect(split(bytes.chunks(of: size), form) == whole) }
    }
  }

  @Test("a value within one chunk is a view into it")
  func views() throws {
    let chunk = Array(#"3] [1,2] {"a":1"#.utf8)
    var splitter = JSONSplitter(.values)
    splitter.receive(Array("[".utf8)[...])
    #expect(try splitter.next() == nil)
    splitter.receive(chunk[...])
    #expect(try splitter.next() == Array("[3]".utf8)[...])
    let value = try splitter.next()
    #expect(value?.indices == 3..<8)
    #expect(try splitter.next() == nil)
    #expect(!splitter.isFinished)
  }

  @Test("chunks that come before the last one was emptied are not lost")
  func early() throws {
    var splitter = JSONSplitter(.values)
    for _ in 0..<100 { splitter.receive(Array("[1,2] {".utf8)[...]) }
    var count = 0
    splitter.receiveEnd()
    do throws(JSONError) { while try splitter.next() != nil { count += 1 } } catch {
      #expect(error.code == .unexpectedEnd)
    }
    #expect(count == 1)
  }

  @Test("what is split reads as the same values, and mutated streams never trap", arguments: [1, 2])
  func mutated(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let source = Array(#"{"a":[1,-20,{"b":"\u00e9\n😀"},[]]} "c" [true,null] 12 "#.utf8)
    let spice = Array("{}[]\",:\\u0e1-+. \n".utf8)
    for _ in 0..<5_000 {
      var bytes = source
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        bytes[place] = spice[Int.random(in: 0..<spice.count, using: &random)]
      }
      let form: JSONSplitter.Form = Bool.random(using: &random) ? .values : .elements
      if case .elements = form { bytes = [0x5B] + bytes.map { $0 == 0x20 ? 0x2C : $0 } + [0x5D] }
      let whole = split([bytes[...]], form)
      let size = Int.random(in: 1...20, using: &random)
      #expect(split(bytes.chunks(of: size), form) == whole)
      // A whole document as the reader has it is one array, whose elements the splitter must find.
      guard case .elements = form, case .array(let elements)? = try? JSONValue(parsing: bytes) else { continue }
      #expect(try whole.values.map { try JSONValue(parsing: $0) } == elements)
      #expect(whole.isFinished)
    }
  }
}

extension [UInt8] {
  fileprivate func chunks(of size: Int) -> [ArraySlice<UInt8>] {
    stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
  }
}
