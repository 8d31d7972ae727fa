// SPDX-License-Identifier: Apache-2.0

import Foundation
import Sys
import TestSupport
import Testing

@Suite struct DeadlineTests {
  @Test("a deadline beyond the clock's range is never, one in the past has passed")
  func bounds() {
    #expect(Deadline(nanoseconds: .max) == .never)
    #expect(!Deadline.never.hasPassed)
    #expect(Deadline.never.remaining == .max)
    #expect(Deadline(nanoseconds: 0).hasPassed)
    #expect(Deadline(nanoseconds: -5).remaining == 0)
    let near = Deadline(nanoseconds: 1_000_000_000)
    #expect(near.earlier(.never) == near)
    #expect(Deadline.never.earlier(near) == near)
  }
}

@Suite struct FilesTests {
  @Test("files are read whole, bounded, and failures keep the call and its number")
  func reading() throws {
    let scratch = try Scratch()
    let path = scratch.path("content")
    let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    #expect(FileManager.default.createFile(atPath: path, contents: Data(content)))
    #expect(try Files.read(path) == content)
    #expect(throws: SystemError("read", errno: Errno.fileTooLarge)) { try Files.read(path, limit: 1000) }
    #expect(throws: SystemError("open", errno: Errno.noSuchFile)) { try Files.read(path + ".none") }
    #expect(throws: SystemError("read", errno: Errno.isDirectory)) { try Files.read("/tmp") }
  }

  @Test("a FIFO without a writer reads as empty instead of hanging")
  func fifo() throws {
    let scratch = try Scratch()
    let path = scratch.path("fifo")
    #expect(mkfifo(path, 0o600) == 0)
    #expect(try Files.read(path) == [])
  }

  @Test("a directory lists its names in order")
  func listing() throws {
    #expect(try Files.list("/proc/self/fdinfo").contains("0"))
    #expect(throws: SystemError("opendir", errno: Errno.noSuchFile)) { try Files.list("/nonexistent") }
  }

  @Test("an error's text reads inside a sentence and keeps abbreviations")
  func texts() {
    #expect(SystemError("connect", errno: Errno.connectionRefused).text == "connection refused")
    #expect(SystemError("open", errno: Errno.noSuchFile).text == "no such file or directory")
  }
}

@Suite struct ResolverTests {
  @Test("literals and localhost need no look-up, and localhost is loopback in both families")
  func immediate() {
    #expect(Resolver.immediate(host: "10.0.0.1", port: 5)?.map(\.text) == ["10.0.0.1:5"])
    #expect(Resolver.immediate(host: "LocalHost.", port: 5)?.map(\.text) == ["[::1]:5", "127.0.0.1:5"])
    #expect(Resolver.immediate(host: "a.localhost", port: 5)?.count == 2)
    #expect(Resolver.immediate(host: "notlocalhost", port: 5) == nil)
  }

  @Test("a name in the hosts file is found by a look-up that poll waits for")
  func lookUp() throws {
    let resolver = try Resolver(host: "ip6-localhost", port: 7)
    var poll = Poll()
    resolver.add(to: &poll)
    #expect(try poll.wait(until: Deadline(nanoseconds: 10_000_000_000)))
    // A minimal machine may lack the entry; it may not map it elsewhere.
    let addresses = (try? resolver.finish()) ?? []
    #expect(addresses.filter { !$0.isLoopback } == [])
  }

  @Test("a name that cannot exist is an error with a code")
  func notFound() throws {
    let resolver = try Resolver(host: "a..b", port: 7)
    var poll = Poll()
    resolver.add(to: &poll)
    #expect(try poll.wait(until: Deadline(nanoseconds: 20_000_000_000)))
    #expect(throws: ResolveError.self) { try resolver.finish() }
  }
}

@Suite struct DatagramSocketTests {
  @Test("a closed port is an error with its number, and the network says whose it is")
  func closedPort() throws {
    // Port 1 of loopback, as below.
    let socket = try DatagramSocket(connectedTo: .ipv4([127, 0, 0, 1], port: 1))
    try socket.send([1, 2, 3].span)
    var poll = Poll()
    poll.add(socket)
    #expect(try poll.wait(until: Deadline(nanoseconds: 5_000_000_000)))
    var outcome: SystemError?
    do throws(SystemError) { _ = try socket.receive() } catch { outcome = error }
    #expect(outcome == SystemError("recv", errno: Errno.connectionRefused))
    let said = socket.networkErrors()
    #expect(said.map { $0.origin } == [.icmp] && said.map { [$0.type, $0.code] } == [[3, 3]])
    #expect(said.first?.sender == .ipv4([127, 0, 0, 1], port: 0))
  }

  @Test("where nothing came yet, there is nothing to read")
  func nothingYet() throws {
    let socket = try DatagramSocket(connectedTo: .ipv4([127, 0, 0, 1], port: 1))
    #expect(try socket.receive() == nil)
  }
}

@Suite struct StreamSocketTests {
  @Test("a refused connection is an error of connect with its number")
  func refused() throws {
    // Port 1 of loopback: nothing listens there on a machine that runs tests.
    var outcome: SystemError?
    do throws(SystemError) {
      var socket = try StreamSocket(connectingTo: .ipv4([127, 0, 0, 1], port: 1))
      var poll = Poll()
      poll.add(socket, for: .writable)
      _ = try poll.wait(until: Deadline(nanoseconds: 5_000_000_000))
      try socket.finishConnecting()
    } catch { outcome = error }
    #expect(outcome == SystemError("connect", errno: Errno.connectionRefused))
  }

  @Test("a Unix path that is too long for the kernel is refused, not cut")
  func longPath() {
    var outcome: SystemError?
    do throws(SystemError) {
      _ = try StreamSocket(connectingTo: .unix(path: String(repeating: "x", count: 200)))
    } catch { outcome = error }
    #expect(outcome?.errno == ENAMETOOLONG)
  }

  @Test("waiting on nothing ends at the deadline")
  func waiting() throws {
    var poll = Poll()
    #expect(try !poll.wait(until: Deadline(nanoseconds: 1_000_000)))
    #expect(!poll.isReady(0))
  }
}
