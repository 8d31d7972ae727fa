// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON
import Sys
import Testing

@testable import Diagnostics

@Suite struct ListenersTests {
  private func listener(
    _ address: String, _ port: UInt16, isIPv6Only: Bool? = false, queued: UInt32 = 0, limit: UInt32? = 128,
    inode: UInt32 = 7
  ) throws -> Listener {
    Listener(
      address: try #require(IPAddress(address)), port: port, isIPv6Only: isIPv6Only, queued: queued, limit: limit,
      userID: 1_000, inode: inode)
  }

  private func report(
    _ asked: [UInt16], _ listeners: [Listener],
    owners: SocketOwners = SocketOwners(holders: SocketHolders(of: []), hidden: [], ownUserID: 0)
  ) -> ListenersReport {
    ListenersReport(asked: asked, table: ListenerTable(listeners), owners: owners)
  }

  private func text(_ report: ListenersReport) -> String {
    var output = TextOutput(hasColour: false)
    report.write(to: &output)
    return output.text
  }

  @Test("a port's code is the worst of what is true of it")
  func codes() throws {
    let table = [
      try listener("::", 1), try listener("127.0.0.1", 2), try listener("::1", 2), try listener("0.0.0.0", 3),
      try listener("127.0.0.1", 3), try listener("10.0.0.1", 4, queued: 129), try listener("10.0.0.1", 5, queued: 128),
      try listener("::ffff:127.0.0.1", 6),
    ]
    let expected: [(UInt16, ListenersReport.Code)] = [
      (1, .ok), (2, .localhostOnly), (3, .ok), (4, .acceptQueueFull), (5, .ok), (6, .localhostOnly), (9, .notListening),
    ]
    for (port, code) in expected {
      let report = report([port], table)
      #expect(report.ports.map(\.code) == [code], "\(port)")
      #expect(report.code == code.rawValue)
      #expect(report.worst == code.mark)
    }
    // Without a question, a service for localhost is as good as any.
    #expect(report([], table.filter { !$0.isFull }).worst == .ok)
    #expect(report([], table).code == "ACCEPT_QUEUE_FULL")
  }

  @Test("families are those whose clients can connect")
  func families() throws {
    #expect(try listener("::", 1, isIPv6Only: false).families == [.ipv4, .ipv6])
    #expect(try listener("::", 1, isIPv6Only: true).families == .ipv6)
    // Read from a table that does not tell it, it is not claimed.
    #expect(try listener("::", 1, isIPv6Only: nil).families == .ipv6)
    #expect(try listener("0.0.0.0", 1).families == .ipv4)
    #expect(try listener("::ffff:10.0.0.1", 1).families == .ipv4)
  }

  @Test("ports that may have been meant are named")
  func near() throws {
    let table = [
      try listener("0.0.0.0", 50_015), try listener("0.0.0.0", 5_051), try listener("0.0.0.0", 50_061),
      try listener("0.0.0.0", 80), try listener("0.0.0.0", 443), try listener("127.0.0.11", 50_053),
    ]
    #expect(report([50_051], table).ports[0].near.map(\.port) == [50_015, 5_051, 50_061])
    #expect(report([9_999], table).ports[0].near.isEmpty)
    #expect(report([9_999], [table[3]]).ports[0].near.map(\.port) == [80])
  }

  @Test("who holds a socket is told, or why not")
  func owners() throws {
    let facts: [(processID: Int32, userID: UInt32, command: String)] = [(1, 1_000, "srv"), (9, 0, "sh")]
    func owner(
      _ denied: [Int32], hidden: [(processID: Int32, userID: UInt32, command: String)] = [], user: UInt32 = 0
    ) -> SocketOwner {
      SocketOwners(holders: SocketHolders(found: [], denied: denied), hidden: hidden, ownUserID: user)
        .owner(inode: 7, userID: 1_000)
    }
    #expect(owner([]).text.contains("another PID namespace"))
    #expect(owner([1, 9], hidden: facts) == .inferred(processID: 1, command: "srv"))
    #expect(
      owner([1, 2]).text
        == "process unknown: user 0 may not look into 2 processes; run as uid 1000, or with CAP_SYS_PTRACE")
    #expect(owner([1], user: 1_000).text.contains("it takes CAP_SYS_PTRACE"))
    let hostile = SocketHolder(processID: 3, command: "a\u{1B}[31m\n)\"", inode: 7)
    let shown = SocketOwners(holders: SocketHolders(found: [hostile], denied: []), hidden: [], ownUserID: 0)
    let report = report([1], [try listener("::", 1)], owners: shown)
    #expect(!text(report).contains("\u{1B}") && text(report).split(separator: "\n").count == 1)
    // Whatever a process calls itself, the document is one.
    #expect(throws: Never.self) { try JSONValue(parsing: report.json.bytes) }
  }

  @Test("text and JSON say the same")
  func forms() throws {
    let holder = SocketHolder(processID: 1, command: "srv", inode: 7)
    let owners = SocketOwners(holders: SocketHolders(found: [holder], denied: []), hidden: [], ownUserID: 0)
    let report = report([80, 81], [try listener("127.0.0.1", 80)], owners: owners)
    #expect(
      text(report) == """
        warn  127.0.0.1:80 (localhost only)  srv (pid 1)  queue 0 of 128
              only from inside of this machine or container; others are refused: listen on 0.0.0.0 or [::]
        FAIL  81  nothing listens on it
              near: 127.0.0.1:80  srv (pid 1)

        """)
    #expect(
      report.json.text == """
        {"schema":1,"command":"listeners","ok":false,"code":"NOT_LISTENING","error":null,"source":"netlink",\
        "ports":[{"port":80,"code":"LOCALHOST_ONLY","ipv4":true,"ipv6":false,"listeners":[{"address":"127.0.0.1",\
        "queued":0,"limit":128,"uid":1000,"inode":7,"processes":[{"pid":1,"command":"srv","inferred":false}],\
        "processUnknown":null}],"near":[]},{"port":81,"code":"NOT_LISTENING","ipv4":false,"ipv6":false,"listeners":[],\
        "near":[80]}],"listenOverflows":null}
        """)
  }

  @Test("counters are read by their names")
  func counters() {
    let table = "TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 3 12\nIpExt: A\nIpExt: x\nIpExt: B C\nIpExt: 1\n"
    let counters = Counters(Array(table.utf8))
    #expect(counters["TcpExt", "ListenOverflows"] == 12)
    #expect(counters["TcpExt", "None"] == nil)
    #expect(counters["IpExt", "A"] == nil && counters["IpExt", "B"] == nil)
  }
}
