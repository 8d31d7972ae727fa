// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import HTTP2

@Suite struct FieldMemoryTests {
  private func field(
    _ memory: inout FieldMemory, _ index: Int, _ name: String, _ value: String, isSensitive: Bool = false
  ) -> HeaderField {
    let (name, value) = (Array(name.utf8), Array(value.utf8))
    return unsafe name.withUnsafeBufferPointer { name in
      unsafe value.withUnsafeBufferPointer { unsafe memory.field(at: index, name, $0, isSensitive: isSensitive) }
    }
  }

  @Test("a field is what came, whatever stood at its place before")
  func anything() {
    var generator = SeededGenerator(7)
    var memory = FieldMemory()
    // Few texts, so that places often hold the same name, the same value, or the same bytes cut elsewhere.
    let texts = ["", "a", "ab", "b", "ba", ":path", "path", "é", String(repeating: "x", count: 200)]
    for _ in 0..<20_000 {
      let index = Int.random(in: 0..<20, using: &generator)
      let name = texts.randomElement(using: &generator)!
      let value = texts.randomElement(using: &generator)!
      let isSensitive = Bool.random(using: &generator)
      #expect(
        field(&memory, index, name, value, isSensitive: isSensitive)
          == HeaderField(name, value, isSensitive: isSensitive))
    }
  }

  @Test("a value that is no UTF-8 is repaired the second time, too")
  func repaired() {
    var memory = FieldMemory()
    let (name, value) = (Array("x".utf8), [0xFF, 0x41] as [UInt8])
    for _ in 0..<2 {
      let field = unsafe name.withUnsafeBufferPointer { name in
        unsafe value.withUnsafeBufferPointer { unsafe memory.field(at: 0, name, $0, isSensitive: false) }
      }
      #expect(field == HeaderField("x", "\u{FFFD}A"))
    }
  }
}
