// SPDX-License-Identifier: Apache-2.0

import Telemetry
import TestSupport
import Testing

private let trace = "0af7651916cd43dd8448eb211c80319c"
private let span = "b7ad6b7169203331"

@Suite struct TraceParentTests {
  @Test("a header of version 00 is read and written back as it was", arguments: ["00", "01"])
  func roundTrip(flags: String) throws {
    let text = "00-\(trace)-\(span)-\(flags)"
    let context = try #require(TraceParent.decode(text))
    #expect(context.traceID.text == trace)
    #expect(context.spanID.text == span)
    #expect(context.isSampled == (flags == "01"))
    #expect(TraceParent.encode(context) == text)
  }

  @Test(
    "a later version is read as far as version 00 goes",
    arguments: ["01-\(trace)-\(span)-01", "cc-\(trace)-\(span)-03-more", "fe-\(trace)-\(span)-ff-"])
  func laterVersions(text: String) {
    #expect(TraceParent.decode(text).map { TraceParent.encode($0) } == "00-\(trace)-\(span)-01")
  }

  @Test(
    "what is not in order is refused",
    arguments: [
      "", "00", "00-\(trace)-\(span)", "00-\(trace)-\(span)-1", "00-\(trace)-\(span)-01-more",
      "00-\(trace)-\(span)-01-",
      "ff-\(trace)-\(span)-01", "01-\(trace)-\(span)-01more", "00-\(trace.uppercased())-\(span)-01",
      "00-\(trace)-\(span.uppercased())-01", "00-\(String(repeating: "0", count: 32))-\(span)-01",
      "00-\(trace)-0000000000000000-01", "0g-\(trace)-\(span)-01", "00_\(trace)-\(span)-01", "00-\(trace)_\(span)-01",
      "00-\(trace)-\(span)_01", " 00-\(trace)-\(span)-01", "00-\(trace)-\(span)-01 ", "00-\(trace)-\(span)-0x",
      "00-é\(trace.dropFirst(2))-\(span)-01",
    ])
  func refused(text: String) {
    #expect(TraceParent.decode(text) == nil)
  }

  @Test(
    "a tracestate in order is kept, its spaces and empty members left out",
    arguments: [
      ("", ""), ("a=b", "a=b"), (" a=1 ,\tb=2\t", "a=1,b=2"), ("a=1,,b=2,", "a=1,b=2"), ("0a_-*/=x y", "0a_-*/=x y"),
      ("tenant@system=1", "tenant@system=1"), ("0t@s=!~", "0t@s=!~"),
    ])
  func state(value: String, text: String) {
    #expect(TraceState(decoding: value)?.text == text)
  }

  @Test(
    "a tracestate that is not in order is left out, and the span is still read",
    arguments: [
      "a", "=1", "a=", "A=1", "a=1,a=2", "a=1=2", "a=\u{7}", "a=é", "_a=1", "a@=1", "@a=1", "a@0=1", "a@b@c=1",
      "a@\(String(repeating: "b", count: 15))=1", "\(String(repeating: "a", count: 242))@b=1",
      "\(String(repeating: "a", count: 257))=1", "a=\(String(repeating: "a", count: 257))",
      (0..<33).map { "k\($0)=1" }.joined(separator: ","),
      (0..<4).map { "k\($0)=\(String(repeating: "a", count: 200))" }.joined(separator: ","),
    ])
  func refusedState(value: String) throws {
    #expect(TraceState(decoding: value) == nil)
    let context = try #require(TraceParent.decode("00-\(trace)-\(span)-01", state: value))
    #expect(context.state == TraceState())
  }

  @Test("mutated headers are refused or mean the same when written and read again")
  func mutated() {
    var random = SeededGenerator(3)
    let seeds = ["00-\(trace)-\(span)-01", "cc-\(trace)-\(span)-03-more"].map { Array($0.utf8) }
    var read = 0
    for _ in 0..<20_000 {
      var bytes = seeds[Int.random(in: 0...1, using: &random)]
      for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0...2, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: index)
        default: bytes.insert(UInt8.random(in: 0x20...0x7F, using: &random), at: index)
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      let state = String(decoding: bytes.suffix(20), as: UTF8.self)
      guard let context = TraceParent.decode(text, state: state) else { continue }
      read += 1
      #expect(TraceParent.decode(TraceParent.encode(context), state: context.state.text) == context)
    }
    #expect(read > 300)
  }
}
