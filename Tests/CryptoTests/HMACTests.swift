// SPDX-License-Identifier: Apache-2.0

import Crypto
import Testing

@Suite struct HMACTests {
  @Test(
    "the vectors of RFC 4231 hold",
    arguments: [
      (
        [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
      ),
      (
        Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
      ),
      (
        [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
      ),
      (
        (1...25).map { UInt8($0) }, [UInt8](repeating: 0xCD, count: 50),
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
      ),
      (
        [UInt8](repeating: 0xAA, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
      ),
      ([], [], "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
    ])
  func vectors(key: [UInt8], message: [UInt8], code: String) throws {
    let found = try HMACSHA256.code(for: message.span, key: key.span)
    #expect(hex(found) == code)
  }
}

@Suite struct SmallPrimitivesTests {
  @Test("equality in constant time is equality")
  func equality() {
    func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool { constantTimeEquals(left.span, right.span) }
    let bytes = Array("0123456789abcdef".utf8)
    #expect(equal(bytes, Array(bytes)))
    #expect(equal([], []))
    #expect(!equal(bytes, bytes.dropLast()))
    for index in bytes.indices {
      var other = bytes
      other[index] ^= 0x80
      #expect(!equal(bytes, other))
    }
  }

  @Test("random bytes have the length asked for and do not repeat")
  func randomness() throws {
    #expect(try randomBytes(count: 0) == [])
    #expect(try randomBytes(count: -1) == [])
    let draws = try (0..<100).map { _ in try randomBytes(count: 16) }
    #expect(draws.allSatisfy { $0.count == 16 })
    #expect(Set(draws).count == 100)
  }
}
