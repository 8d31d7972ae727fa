// SPDX-License-Identifier: Apache-2.0

import Bytes
import DNS
import Testing

@Suite struct HostsFileTests {
  static let file = HostsFile(
    Array(
      """
      # written by hand
      127.0.0.1\tlocalhost  loopback # and more
        ::1   localhost ip6-localhost
      10.0.0.5 db db.example

      10.0.0.6 DB
      10.0.0.5 standby
      fe80::1%lo zone
      nonsense here
      10.0.0.7
      10.0.0.8 last
      """.utf8))

  static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

  @Test(
    "a name has the addresses of all its lines, in order and in any case",
    arguments: [
      ("localhost", ["127.0.0.1", "::1"]), ("loopback", ["127.0.0.1"]), ("db", ["10.0.0.5", "10.0.0.6"]),
      ("DB.Example", ["10.0.0.5"]), ("last", ["10.0.0.8"]), ("and", []), ("zone", []), ("here", []), ("", []),
    ])
  func byName(name: String, addresses: [String]) {
    #expect(Self.file.entries(named: name).map(\.address.text) == addresses)
  }

  @Test("an address has the names of all its lines, the canonical one first")
  func byAddress() throws {
    let entries = Self.file.entries(at: try Self.address("10.0.0.5"))
    #expect(entries.map(\.names) == [["db", "db.example"], ["standby"]])
    #expect(entries.map(\.line) == [4, 7])
    #expect(Self.file.entries(at: try Self.address("::1")).map(\.names) == [["localhost", "ip6-localhost"]])
    #expect(Self.file.entries(at: try Self.address("10.0.0.7")) == [])
  }

  @Test("lines without effect are told")
  func remarks() {
    #expect(
      Self.file.remarks.map { "\($0.line): \($0.message)" } == [
        #"8: "fe80::1%lo" is no address"#, #"9: "nonsense" is no address"#, #"10: "10.0.0.7" has no name"#,
      ])
  }

  @Test("a hostile file costs no more than its limits, and is told")
  func hostile() throws {
    let many = HostsFile(Array(String(repeating: "10.0.0.1 a\n", count: 1_000).utf8))
    #expect(many.entries(named: "a").count == HostsFile.maxEntries)
    let long = HostsFile(Array(("10.0.0.1 " + String(repeating: "a ", count: 5_000) + "\n10.0.0.2 a").utf8))
    #expect(long.entries(named: "a").map(\.line) == [2])
    #expect(long.remarks.map(\.code) == [.lineTooLong])
    let large = HostsFile(Array("10.0.0.1 a\n".utf8) + [UInt8](repeating: 0x20, count: HostsFile.maxFileLength))
    #expect(large.entries(named: "a").count == 1)
    #expect(large.remarks.map(\.code) == [.lineTooLong, .fileTooLong])
    let bytes = HostsFile(Array("10.0.0.1 \u{1B}[2J ".utf8) + [0xFF, 0x0A])
    let entry = try #require(bytes.entries(at: try Self.address("10.0.0.1")).first)
    #expect(entry.names.map(\.systemBytes) == [[0x1B, 0x5B, 0x32, 0x4A], [0xFF]])
  }
}
