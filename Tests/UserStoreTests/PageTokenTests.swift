// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import UserStore

@Suite struct PageTokenTests {
  let tokens = PageTokens(key: [UInt8](repeating: 7, count: 32))
  let id = UserID(high: 0x0193_E1A2_7C40_7800, low: 0x8000_0000_0000_0001)

  @Test("a token names its user, for its filter alone")
  func roundTrip() throws {
    let token = try tokens.token(after: id, filter: "role = ADMIN")
    #expect(try tokens.user(of: token, filter: "role = ADMIN") == id)
    #expect(try tokens.user(of: token, filter: "role = USER") == nil)
    #expect(try tokens.user(of: token, filter: "") == nil)
    #expect(try PageTokens(key: [UInt8](repeating: 8, count: 32)).user(of: token, filter: "role = ADMIN") == nil)
  }

  @Test("a token stands in a URL as it is")
  func alphabet() throws {
    for low in UInt64(0)..<50 {
      let token = try tokens.token(after: UserID(high: low << 32, low: ~low), filter: "")
      #expect(token.utf8.count == 44)
      #expect(token.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
    }
  }

  @Test("no token with another bit anywhere is taken")
  func forgery() throws {
    let token = Array(try tokens.token(after: id, filter: "").utf8)
    for index in token.indices {
      for bit in 0..<7 {
        var forged = token
        forged[index] ^= 1 << UInt8(bit)
        #expect(try tokens.user(of: String(decoding: forged, as: UTF8.self), filter: "") == nil)
      }
    }
  }

  @Test("what is no token is none, and does not trap")
  func garbage() throws {
    var random = SeededGenerator(1)
    for text in ["", "x", "==", String(repeating: "A", count: 44), String(repeating: "=", count: 44), "ä✓"] {
      #expect(try tokens.user(of: text, filter: "") == nil)
    }
    for _ in 0..<2_000 {
      let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      #expect(try tokens.user(of: String(decoding: bytes, as: UTF8.self), filter: "") == nil)
    }
  }
}
