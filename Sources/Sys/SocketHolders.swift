// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CLinux

/// A process that holds a socket.
public struct SocketHolder: Equatable, Sendable {
  /// Its number, as this process's PID namespace counts.
  public let processID: Int32
  /// The name that the kernel keeps of it, at most 15 bytes, which may be anything.
  public let command: String
  /// The socket's inode.
  public let inode: UInt32

  /// A process and what it holds.
  public init(processID: Int32, command: String, inode: UInt32) {
    (self.processID, self.command, self.inode) = (processID, command, inode)
  }
}

/// Which processes hold which sockets, as far as `/proc` lets this process see.
public struct SocketHolders: Equatable, Sendable {
  /// Who holds what.
  public private(set) var found: [SocketHolder] = []
  /// Processes whose descriptors may not be looked at.
  public private(set) var denied: [Int32] = []
  /// Whether there is a `/proc` to look at.
  public private(set) var hasProcFS = true

  /// What was found elsewhere.
  public init(found: [SocketHolder], denied: [Int32], hasProcFS: Bool = true) {
    (self.found, self.denied, self.hasProcFS) = (found, denied, hasProcFS)
  }

  /// Looks for the holders of sockets: the processes in the order of their numbers, until every socket has
  /// a holder; of one that several hold, the first is enough.
  public init(of inodes: Set<UInt32>) {
    guard !inodes.isEmpty else { return }
    guard let proc = Directory("/proc") else {
      hasProcFS = false
      return
    }
    var wanted = inodes
    proc.forEach { name in
      guard let id = parseDecimal(name, atMost: Int(Int32.max)) else { return true }
      guard let descriptors = proc.open(name + Array("/fd".utf8)) else {
        // A process that is gone meanwhile holds nothing.
        if sonde_errno() == EACCES || sonde_errno() == EPERM { denied.append(Int32(truncatingIfNeeded: id)) }
        return true
      }
      var own: [UInt32] = []
      descriptors.forEach { descriptor in
        if let inode = descriptors.socketInode(descriptor), wanted.contains(inode), !own.contains(inode) {
          own.append(inode)
        }
        return own.count < wanted.count
      }
      guard !own.isEmpty else { return true }
      let command = Self.command(Int32(truncatingIfNeeded: id))
      for inode in own {
        found.append(SocketHolder(processID: Int32(truncatingIfNeeded: id), command: command, inode: inode))
        wanted.remove(inode)
      }
      return !wanted.isEmpty
    }
  }

  /// The name that the kernel keeps of a process; empty where it may not be seen.
  static func command(_ processID: Int32) -> String {
    guard var bytes = try? Files.read("/proc/\(processID)/comm", limit: 4_096) else { return "" }
    if bytes.last == 0x0A { bytes.removeLast() }
    return String(systemBytes: bytes)
  }
}
