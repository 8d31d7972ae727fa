// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Sys

@Suite struct TableTests {
  private func lines(_ text: String, limit: Int = 4_096) throws -> [String] {
    let scratch = try Scratch()
    try Data(text.utf8).write(to: URL(fileURLWithPath: scratch.path("table")))
    var lines: [String] = []
    try Files.forEachLine(of: scratch.path("table"), limit: limit) { lines.append(String(decoding: $0, as: UTF8.self)) }
    return lines
  }

  @Test("lines come one by one, wherever the file is cut into pieces, and the last one without an end, too")
  func everyLine() throws {
    #expect(try lines("") == [])
    #expect(try lines("one") == ["one"])
    #expect(try lines("one\n\ntwo\n") == ["one", "", "two"])
    let long = (0..<20_000).map { "\($0) " + String(repeating: "x", count: $0 % 97) }
    #expect(try lines(long.joined(separator: "\n")) == long)
  }

  @Test("a line that is longer than any may be is left out, and takes no memory")
  func tooLong() throws {
    let endless = String(repeating: "y", count: 200_000)
    #expect(try lines("a\n\(endless)\nb", limit: 100) == ["a", "b"])
    #expect(try lines("a\n\(endless)", limit: 100) == ["a"])
    #expect(try lines(String(repeating: "z", count: 100) + "\n", limit: 100).count == 1)
    #expect(try lines(String(repeating: "z", count: 101) + "\n", limit: 100).count == 0)
  }

  @Test("a file below a root directory is found by no link that leads out of it")
  func belowARoot() throws {
    let scratch = try Scratch()
    let manager = FileManager.default
    try manager.createDirectory(atPath: scratch.path("root/etc"), withIntermediateDirectories: true)
    try Data("inside".utf8).write(to: URL(fileURLWithPath: scratch.path("root/hosts")))
    try Data("outside".utf8).write(to: URL(fileURLWithPath: scratch.path("hosts")))
    // Absolute and upward: both lead to the root's own file.
    try manager.createSymbolicLink(atPath: scratch.path("root/etc/absolute"), withDestinationPath: "/hosts")
    try manager.createSymbolicLink(atPath: scratch.path("root/etc/upward"), withDestinationPath: "../../../hosts")
    let root = scratch.path("root")
    #expect(try Files.read("etc/absolute", inRoot: root) == Array("inside".utf8))
    #expect(try Files.read("etc/upward", inRoot: root) == Array("inside".utf8))
    #expect(try Files.read("etc/missing", inRoot: root) == nil)
    #expect(throws: SystemError("open", errno: Errno.invalidArgument)) { try Files.read("etc", inRoot: root) }
    #expect(throws: SystemError("read", errno: Errno.fileTooLarge)) { try Files.read("hosts", inRoot: root, limit: 5) }
  }

  @Test("a namespace is named by a word, a process's number or a path")
  func namespaces() {
    #expect(NetworkNamespace("shop") == .named("shop"))
    #expect(NetworkNamespace("1234") == .process(1_234))
    #expect(NetworkNamespace("/run/netns/7") == .path("/run/netns/7"))
    #expect(NetworkNamespace("./7")?.path == "./7")
    #expect(NetworkNamespace("shop")?.path == "/run/netns/shop")
    #expect(NetworkNamespace("1234")?.path == "/proc/1234/ns/net")
    for text in ["", ".", "..", "0", "99999999999", "a\u{0}b", String(repeating: "x", count: 256)] {
      #expect(NetworkNamespace(text) == nil, "\(text)")
    }
  }

  @Test("the process that holds a socket is found, whether that is looked for or all are")
  func holders() throws {
    var pair: [Int32] = [-1, -1]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
    defer { for number in pair { close(number) } }
    var status = stat()
    try #require(fstat(pair[1], &status) == 0)
    // The own process is none that is asked for, so a child holds it.
    let child = Foundation.Process()
    child.executableURL = URL(fileURLWithPath: "/bin/sh")
    child.arguments = ["-c", "read line"]
    let input = Pipe()
    child.standardInput = input
    child.standardOutput = FileHandle(fileDescriptor: pair[1], closeOnDealloc: false)
    try child.run()
    defer { try? input.fileHandleForWriting.close() }
    let inode = UInt32(status.st_ino)
    let holders = SocketHolders(of: [inode])
    #expect(holders.holder(of: inode)?.processID == child.processIdentifier)
    #expect(holders.count == 1)
    #expect(SocketHolders.ofAll().holder(of: inode)?.processID == child.processIdentifier)
  }
}
