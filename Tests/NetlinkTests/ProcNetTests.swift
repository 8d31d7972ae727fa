// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@testable import Netlink

@Suite struct ProcNetTests {
  private static let table = """
      sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
       0: 0100007F:1F90 00000000:0000 0A 00000000:00000002 00:00000000 00000000  1000        0 36241 1 0000
       1: 050014AC:C383 070014AC:A1B2 01 00000010:00000020 00:00000000 00000000     0        0 99 1 0000
    """
  private static let table6 = """
      sl  local_address                         remote_address                        st tx_queue rx_queue tr \
    tm->when retrnsmt   uid  timeout inode
       0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:\
    00000000 00000000     7        0 5 1
    """

  @Test("a table's lines are its sockets")
  func tables() throws {
    let sockets = Self.table.utf8.split(separator: 0x0A).compactMap { ProcNetSocket(line: $0) }
    try #require(sockets.count == 2)
    #expect(sockets[0].localAddress == .loopbackIPv4)
    #expect((sockets[0].localPort, sockets[0].state, sockets[0].receiveQueue) == (8_080, .listen, 2))
    #expect((sockets[0].userID, sockets[0].inode) == (1_000, 36_241))
    #expect(sockets[1].localAddress == IPAddress("172.20.0.5"))
    #expect(sockets[1].remoteAddress == IPAddress("172.20.0.7"))
    #expect((sockets[1].remotePort, sockets[1].state) == (0xA1B2, .established))
    #expect((sockets[1].sendQueue, sockets[1].receiveQueue) == (16, 32))
    let other = Self.table6.utf8.split(separator: 0x0A).compactMap { ProcNetSocket(line: $0) }
    #expect(other.map(\.localAddress) == [.loopbackIPv6])
    #expect(other.map(\.localPort) == [80])
  }

  @Test("lines that are changed anywhere break nothing")
  func garbage() {
    var generator = SeededGenerator(12)
    let lines = Self.table.utf8.split(separator: 0x0A).map(Array.init)
    for _ in 0..<20_000 {
      var line = lines.randomElement(using: &generator)!
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let index = line.indices.randomElement(using: &generator)!
        line[index] = UInt8.random(in: 0...255, using: &generator)
      }
      let count = Int.random(in: 0...line.count, using: &generator)
      if let socket = ProcNetSocket(line: Array(line[..<count])) { #expect(socket.localAddress.bytes.count > 0) }
    }
  }
}
