// SPDX-License-Identifier: Apache-2.0

import Bytes
import Glibc
import TestSupport
import Testing

@Suite struct IPAddressTests {
  /// What the C library reads and writes.
  private func parse(_ text: String, _ family: Int32, _ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    return inet_pton(family, text, &bytes) == 1 ? bytes : nil
  }

  private func format(_ bytes: [UInt8]) -> String {
    var text = [CChar](repeating: 0, count: 64)
    inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, 64)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  @Test("addresses are written as the C library writes them, and read back")
  func text() throws {
    var generator = SeededGenerator(13)
    for _ in 0..<20_000 {
      let isIPv6 = Bool.random(using: &generator)
      // Many zero bytes, so that gaps of every length and place come up.
      let bytes = (0..<(isIPv6 ? 16 : 4)).map { _ in
        Bool.random(using: &generator) ? 0 : UInt8.random(in: 0...255, using: &generator)
      }
      let address = try #require(IPAddress(bytes))
      #expect(address.bytes == bytes)
      #expect(address.isIPv6 == isIPv6)
      // The C library also writes ::1.2.3.4, a form that was given up long ago.
      let isOldForm = isIPv6 && bytes[..<12].allSatisfy { $0 == 0 }
      if !isOldForm { #expect(address.text == format(bytes)) }
      #expect(IPAddress(address.text) == address)
    }
  }

  @Test("texts are addresses where the C library says so")
  func reading() {
    var generator = SeededGenerator(14)
    let pieces = [
      "0", "1", "12", "255", "256", "01", ".", ":", "::", "f", "ffff", "fffff", "g", "-1", "+1", " ", "%", "1.2.3.4",
    ]
    for _ in 0..<100_000 {
      let text = (0..<Int.random(in: 0...9, using: &generator)).map { _ in pieces.randomElement(using: &generator)! }
        .joined()
      let expected = text.contains(":") ? parse(text, AF_INET6, 16) : parse(text, AF_INET, 4)
      #expect(IPAddress(text)?.bytes == expected, "\(text)")
    }
  }

  @Test("an address is in a prefix that has its first bits")
  func prefixes() throws {
    func isIn(_ address: String, _ prefix: String, _ length: Int) throws -> Bool {
      try #require(IPAddress(address)).isIn(try #require(IPAddress(prefix)), length: length)
    }
    #expect(try isIn("172.20.3.4", "172.20.0.0", 16))
    #expect(try !isIn("172.21.3.4", "172.20.0.0", 16))
    #expect(try isIn("172.21.3.4", "172.20.0.0", 15))
    #expect(try isIn("9.9.9.9", "1.1.1.1", 0))
    #expect(try isIn("1.1.1.1", "1.1.1.1", 32))
    #expect(try isIn("fe80::1", "fe80::", 10))
    #expect(try isIn("2001:db8::8000:0:0:1", "2001:db8:0:0:8000::", 65))
    #expect(try !isIn("2001:db8::1", "2001:db8:0:0:8000::", 65))
    #expect(try isIn("2001:db8::1", "2001:db8::", 64))
    #expect(try isIn("::1", "ff::", 0))
    #expect(try !isIn("::ffff:1.1.1.1", "1.1.1.1", 0))
    #expect(try !isIn("1.1.1.1", "1.1.1.1", 33))
  }

  @Test("what kind an address is")
  func kinds() {
    #expect(IPAddress("127.8.9.1")?.isLoopback == true)
    #expect(IPAddress("::ffff:127.0.0.1")?.isLoopback == true)
    #expect(IPAddress("::ffff:10.0.0.1")?.unmapped == IPAddress("10.0.0.1"))
    #expect(IPAddress("10.0.0.1")?.isLoopback == false)
    #expect(IPAddress("169.254.1.1")?.isLinkLocal == true)
    #expect(IPAddress("febf::1")?.isLinkLocal == true)
    #expect(IPAddress("fec0::1")?.isLinkLocal == false)
    #expect(IPAddress([1, 2, 3]) == nil)
    #expect(IPAddress("::1")?.text(port: 80) == "[::1]:80")
  }
}
