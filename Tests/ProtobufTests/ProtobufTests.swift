// SPDX-License-Identifier: Apache-2.0

import Protobuf
import TestSupport
import Testing

func fields(_ bytes: [UInt8], depthLimit: Int = 100) throws(WireError) -> [WireField] {
  var reader = WireReader(bytes, depthLimit: depthLimit)
  var fields: [WireField] = []
  while let field = try reader.next() { fields.append(field) }
  return fields
}

func failure(_ bytes: [UInt8], depthLimit: Int = 100) -> WireError.Code? {
  do throws(WireError) {
    _ = try fields(bytes, depthLimit: depthLimit)
    return nil
  } catch { return error.code }
}

@Suite struct WireReaderTests {
  @Test("each wire type is read as the format has it")
  func wireTypes() throws {
    let read = try fields([
      0x08, 0x96, 0x01,  // 1: varint 150
      0x11, 1, 0, 0, 0, 0, 0, 0, 0x80,  // 2: fixed64
      0x1A, 0x02, 0x68, 0x69,  // 3: "hi"
      0x23, 0x08, 0x01, 0x24,  // 4: group { 1: 1 }
      0x2D, 0x78, 0x56, 0x34, 0x12,  // 5: fixed32
    ])
    #expect(read.map(\.number) == [1, 2, 3, 4, 5])
    #expect(read[0].value == .varint(150))
    #expect(read[1].value == .fixed64(0x8000_0000_0000_0001))
    #expect(read[2].value == .bytes([0x68, 0x69]))
    #expect(read[3].value == .group([0x08, 0x01]))
    #expect(read[4].value == .fixed32(0x1234_5678))
  }

  @Test(
    "bytes that are no message are refused by name",
    arguments: [
      ([0x08], .truncated), ([0x08, 0x80], .truncated), ([0x0A, 0x02, 0x61], .truncated),
      ([0x0D, 1, 2, 3], .truncated),
      ([0x09, 1, 2, 3, 4, 5, 6, 7], .truncated),
      ([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], .truncated), ([0x0A, 0x81, 0x80, 0x80, 0x80, 0x80], .truncated),
      ([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], .malformedVarint),
      ([0x0A, 0x81, 0x80, 0x80, 0x80, 0x80, 0x00, 0x61], .malformedVarint),
      ([0x88, 0x80, 0x80, 0x80, 0x80, 0x00, 0x01], .illegalTag),
      ([0x88, 0x80, 0x80, 0x80, 0x10, 0x01], .illegalTag),
      ([0x00, 0x00], .illegalTag), ([0x0E], .illegalTag), ([0x0F], .illegalTag),
      ([0x80, 0x80, 0x80, 0x80, 0x10, 0x00], .illegalTag),
      ([0x08] + Array(repeating: 0x80, count: 10) + [0], .malformedVarint),
      ([0x08] + Array(repeating: 0xFF, count: 9) + [0x02], .malformedVarint),
      ([0x0C], .unbalancedGroup), ([0x0B, 0x14], .unbalancedGroup), ([0x0B, 0x08, 0x01], .unbalancedGroup),
    ] as [([UInt8], WireError.Code)])
  func refusals(bytes: [UInt8], code: WireError.Code) {
    #expect(failure(bytes) == code)
  }

  @Test("the widest varint fits 64 bits, and a negative int32 reads back from its ten bytes")
  func wideVarints() throws {
    #expect(try fields([0x08] + Array(repeating: 0xFF, count: 9) + [0x01])[0].value == .varint(.max))
    var writer = WireWriter()
    writer.int32(-1, field: 1)
    #expect(writer.bytes.count == 11)
    #expect(try fields(writer.bytes)[0].value.int32 == -1)
  }

  @Test("groups nest as deep as allowed and no deeper, however deep the peer goes")
  func depth() {
    func nested(_ depth: Int) -> [UInt8] {
      Array(repeating: 0x0B, count: depth) + Array(repeating: 0x0C, count: depth)
    }
    #expect(failure(nested(100)) == nil)
    #expect(failure(nested(101)) == .tooDeep)
    #expect(failure(nested(1_000_000)) == .tooDeep)
  }

  @Test("an error's offset is that of the field in the reader's own bytes")
  func offsets() {
    #expect(throws: WireError(.truncated, at: 2)) { try fields([0x08, 0x01, 0x0A, 0x05]) }
    #expect(throws: WireError(.invalidUTF8, at: 0)) { try WireValue.bytes([0xC3, 0x28]).string() }
  }

  @Test("what the writer writes, the reader reads")
  func roundTrip() throws {
    var random = SeededGenerator(7)
    for _ in 0..<2_000 {
      var writer = WireWriter()
      var expected: [WireField] = []
      func field(_ value: WireValue) -> WireField { WireField(number: expected.count + 1, value: value) }
      for _ in 0..<Int.random(in: 0...8, using: &random) {
        let number = expected.count + 1
        switch Int.random(in: 0...3, using: &random) {
        case 0:
          let value = UInt64.random(in: 0...(.max), using: &random) >> UInt64.random(in: 0...63, using: &random)
          writer.varint(value, field: number)
          expected.append(field(.varint(value)))
        case 1:
          let value = UInt64.random(in: 0...(.max), using: &random)
          writer.fixed64(value, field: number)
          expected.append(field(.fixed64(value)))
        case 2:
          let value = UInt32.random(in: 0...(.max), using: &random)
          writer.fixed32(value, field: number)
          expected.append(field(.fixed32(value)))
        default:
          let value = (0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
          }
          writer.bytes(value, field: number)
          expected.append(field(.bytes(value[...])))
        }
      }
      #expect(try fields(writer.bytes) == expected)
    }
  }

  @Test("a packed field reads back, and one that ends inside a value is refused")
  func packed() throws {
    var writer = WireWriter()
    let values: [Int32] = [0, 1, 127, 128, -1, .max, .min]
    writer.packed(values, field: 3)
    writer.packed([], field: 4)
    let read = try fields(writer.bytes)
    #expect(read.count == 1)
    guard case .bytes(let content) = read[0].value else { throw WireError(.truncated, at: 0) }
    var reader = WireReader(content)
    #expect(try reader.packedVarints().map { Int32(truncatingIfNeeded: $0) } == values)
    #expect(try reader.next() == nil)
    var cut = WireReader([0x01, 0x80])
    #expect(throws: WireError(.truncated, at: 1)) { try cut.packedVarints() }
  }

  @Test("random bytes and mutated messages end in fields or in an error, never in a trap")
  func garbage() {
    var random = SeededGenerator(11)
    var refused = 0
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      if failure(bytes) != nil { refused += 1 }
    }
    #expect(refused > 1_000)
  }
}
