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
  /// Processes whose descriptors may not be looked at.
  public private(set) var denied: [Int32] = []
  /// Whether there is a `/proc` to look at.
  public private(set) var hasProcFS = true

  private var processes: [Process] = []
  /// Which of the processes holds a socket. Numbers alone: there may be tens of thousands.
  private var byInode: [UInt32: Int32] = [:]

  private struct Process: Equatable, Sendable {
    let id: Int32
    let command: String
  }

  /// What was found elsewhere.
  public init(found: [SocketHolder], denied: [Int32], hasProcFS: Bool = true) {
    (self.denied, self.hasProcFS) = (denied, hasProcFS)
    for holder in found { note([holder.inode], heldBy: holder.processID, named: holder.command) }
  }

  /// How far the processes are looked at first: what listens was opened early, and a process may hold tens of
  /// thousands of connections.
  private static let glance = 24

  /// Looks for the holders of sockets until every socket has one; of one that several processes hold, the first that is
  /// found is enough.
  public init(of inodes: Set<UInt32>) {
    guard !inodes.isEmpty else { return }
    var wanted = inodes
    look(glance: Self.glance, isOver: { $0.isEmpty }, { $0.remove($1) != nil }, &wanted)
  }

  /// Looks for the holders of all sockets there are.
  public static func ofAll() -> SocketHolders {
    var holders = SocketHolders(found: [], denied: [])
    var nothing: Set<UInt32> = []
    holders.look(glance: nil, isOver: { _ in false }, { _, _ in true }, &nothing)
    return holders
  }

  private mutating func look(
    glance: Int?, isOver: (Set<UInt32>) -> Bool, _ take: (inout Set<UInt32>, UInt32) -> Bool,
    _ wanted: inout Set<UInt32>
  ) {
    var ids: [Int32] = []
    let proc = Directory("/proc")
    proc?.forEach { name in
      if let id = parseDecimal(name, atMost: Int(Int32.max)) { ids.append(Int32(truncatingIfNeeded: id)) }
      return true
    }
    // In a folder that is no more than a folder, not even this process is.
    guard let proc, !ids.isEmpty else {
      hasProcFS = false
      return
    }
    // In a container, the server is the first process; on a machine, low numbers are the kernel's own, and the server
    // is among the later ones.
    ids.sort { ($0 == 1 ? 0 : 1, $1) < ($1 == 1 ? 0 : 1, $0) }
    // This process's own sockets are none that anybody asks for.
    let own = getpid()
    ids.removeAll { $0 == own }
    let network = proc.link(Array("self/ns/net".utf8))
    // First at a glance and where the sockets most likely are, then at everything: a process may hold sockets of
    // another network than its own.
    for limit in glance == nil ? [nil] : [glance, nil] {
      var left: [Int32] = []
      for id in ids {
        if limit != nil, proc.link(Array("\(id)/ns/net".utf8)) != network {
          left.append(id)
          continue
        }
        guard let descriptors = proc.open(Array("\(id)/fd".utf8)) else {
          // A process that is gone meanwhile holds nothing.
          if sonde_errno() == EACCES || sonde_errno() == EPERM { denied.append(id) }
          continue
        }
        var own: [UInt32] = []
        let (isDone, isDenied) = descriptors.forEachSocket(limit: limit) { inode in
          if take(&wanted, inode) { own.append(inode) }
          return !isOver(wanted)
        }
        if isDenied { denied.append(id) }
        if !own.isEmpty { note(own, heldBy: id, named: Self.command(id)) }
        if isOver(wanted) { return }
        if !isDone { left.append(id) }
      }
      ids = left
    }
  }

  private mutating func note(_ inodes: [UInt32], heldBy id: Int32, named command: String) {
    let index = Int32(truncatingIfNeeded: processes.count)
    processes.append(Process(id: id, command: command))
    for inode in inodes where byInode[inode] == nil { byInode[inode] = index }
  }

  /// Of how many sockets the holder is known.
  public var count: Int { byInode.count }

  /// Who holds a socket; nil where that cannot be seen.
  public func holder(of inode: UInt32) -> SocketHolder? {
    guard let index = byInode[inode] else { return nil }
    let process = processes[Int(index)]
    return SocketHolder(processID: process.id, command: process.command, inode: inode)
  }

  /// The name that the kernel keeps of a process; empty where it may not be seen.
  static func command(_ processID: Int32) -> String {
    guard var bytes = try? Files.read("/proc/\(processID)/comm", limit: 4_096) else { return "" }
    if bytes.last == 0x0A { bytes.removeLast() }
    return String(systemBytes: bytes)
  }
}
