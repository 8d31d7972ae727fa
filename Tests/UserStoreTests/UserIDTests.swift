// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import UserStore

@Suite struct UserIDTests {
  @Test("ids are UUIDs of version 7 whose text sorts as they were made, even where the clock goes back")
  func order() throws {
    var generator = UserIDGenerator()
    let times: [Int64] = [5_000_000, 5_000_000, 5_000_001, 5_000_900, 4_000_000, 5_001_000, -7, Int64.min, 6_000_000]
    let texts = try times.map { try generator.next(at: $0).text }
    #expect(texts == texts.sorted())
    #expect(Set(texts).count == texts.count)
    for text in texts {
      #expect(text.utf8.count == 36)
      #expect(Array(text)[14] == "7")
      #expect("89ab".contains(Array(text)[19]))
    }
  }

  @Test("an id begins with the milliseconds since 1970")
  func layout() throws {
    var generator = UserIDGenerator()
    let id = try generator.next(at: 0x0193_E1A2_7C40 * 1_000 + 500)
    #expect(id.text.hasPrefix("0193e1a2-7c40-7800-"))
    #expect(try generator.next(at: Int64.max).text < "ffffffff-ffff-7fff-ffff-ffffffffffff")
  }

  @Test("two generators at one time make different ids")
  func unguessable() throws {
    let ids = try (0..<100).map { _ in
      var generator = UserIDGenerator()
      return try generator.next(at: 1).text
    }
    #expect(Set(ids).count == 100)
  }

  @Test("text and bytes give the id back, and nothing else is an id")
  func parsing() throws {
    var generator = UserIDGenerator()
    let id = try generator.next(at: 1_800_000_000_000_000)
    #expect(UserID(id.text) == id)
    #expect(UserID(bytes: id.bytes) == id)
    for text in [
      "", "1", id.text.uppercased(), id.text + " ", String(id.text.dropLast()), String(id.text.dropLast()) + "g",
      id.text.replacing("-", with: "0"), "ä" + id.text.dropFirst(2), String(repeating: "-", count: 36),
    ] { #expect(UserID(text) == nil, "\(text)") }
    #expect(UserID(bytes: [UInt8](repeating: 0, count: 15)) == nil)
  }
}
