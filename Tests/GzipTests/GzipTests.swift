// SPDX-License-Identifier: Apache-2.0

import Gzip
import Testing

@Suite struct GzipTests {
  func compressed(_ bytes: [UInt8]) throws -> [UInt8] { try Gzip.compress(bytes.span) }
  func expanded(_ bytes: [UInt8], limit: Int = 1 << 22) throws -> [UInt8] {
    try Gzip.decompress(bytes.span, limit: limit)
  }

  @Test("content of every size survives the round trip", arguments: [0, 1, 100, 70_000, 3_000_000])
  func roundTrip(size: Int) throws {
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    #expect(try expanded(compressed(bytes)) == bytes)
  }

  @Test("a stream made by gzip itself is read: the fixture is `printf hello | gzip -n`")
  func fixture() throws {
    let stream: [UInt8] = [
      0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0, 0x86, 0xA6, 0x10, 0x36, 5, 0, 0, 0,
    ]
    #expect(try expanded(stream) == Array("hello".utf8))
    #expect(try expanded(stream + stream) == Array("hellohello".utf8))
  }

  @Test("a bomb stops at the limit")
  func bomb() throws {
    let bomb = try compressed(Array(repeating: 0, count: 10_000_000))
    #expect(bomb.count < 20_000)
    #expect(throws: GzipError.tooLarge) { try expanded(bomb, limit: 1 << 20) }
    #expect(try expanded(bomb, limit: 10_000_000).count == 10_000_000)
    #expect(throws: GzipError.tooLarge) { try expanded(bomb, limit: 9_999_999) }
  }

  @Test("every truncation and every flipped byte of a stream is an error or the content, never a trap")
  func damage() throws {
    let content = Array("the quick brown fox jumps over the lazy dog, twice: the quick brown fox".utf8)
    let stream = try compressed(content)
    for length in 0..<stream.count {
      #expect(throws: GzipError.truncated) { try expanded(Array(stream[..<length])) }
    }
    var refused = 0
    for index in stream.indices {
      var damaged = stream
      damaged[index] ^= 0x55
      if (try? expanded(damaged)) != content { refused += 1 }
    }
    #expect(refused > stream.count - 10)  // the header has bytes that carry no content
    #expect(throws: GzipError.corrupt) { try expanded(Array("plain text, no gzip".utf8)) }
  }
}
