// SPDX-License-Identifier: Apache-2.0

import Crypto
import Testing

@Suite struct SHA256Tests {
  @Test(
    "the vectors of FIPS 180 hold",
    arguments: [
      ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ] as [(String, Int, String)])
  func vectors(part: String, times: Int, digest: String) throws {
    let found = try SHA256.digest(of: Array(String(repeating: part, count: times).utf8).span)
    #expect(hex(found) == digest)
  }

  @Test("a message in parts has the digest of the whole", arguments: [1, 3, 63, 64, 65, 200])
  func parts(size: Int) throws {
    let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
    var hash = try SHA256()
    var start = 0
    while start < message.count {
      let end = min(start + size, message.count)
      hash.update(message[start..<end].span)
      start = end
    }
    let digest = try hash.finish()
    let whole = try SHA256.digest(of: message.span)
    #expect(digest == whole)
  }
}
