// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Sys

/// Whose a socket is, as far as it can be seen.
enum SocketOwner: Equatable {
  /// A process that holds it.
  case process(SocketHolder)
  /// Nobody may be seen holding it, but one process alone belongs to its user.
  case inferred(processID: Int32, command: String)
  /// It cannot be seen, and why.
  case unknown(String)

  /// The owner as people read it.
  var text: String {
    switch self {
    case .process(let holder): return "\(holder.command.safeForDisplay) (pid \(holder.processID))"
    case .inferred(let processID, let command):
      return "probably \(command.safeForDisplay) (pid \(processID)): the only process of the socket's user"
    case .unknown(let why): return "process unknown: \(why)"
    }
  }
}

/// Finds the owners of sockets.
struct SocketOwners {
  private let holders: SocketHolders
  /// The users of the processes that may not be looked into.
  private let hidden: [(processID: Int32, userID: UInt32, command: String)]
  private let ownUserID: UInt32

  /// What was found elsewhere; for tests.
  init(
    holders: SocketHolders, hidden: [(processID: Int32, userID: UInt32, command: String)], ownUserID: UInt32
  ) {
    self.holders = holders
    self.hidden = hidden
    self.ownUserID = ownUserID
  }

  /// Looks for the owners of sockets.
  init(of inodes: Set<UInt32>) {
    let holders = SocketHolders(of: inodes)
    self.init(holders, isComplete: holders.count == inodes.count)
  }

  /// Looks for the owners of all sockets there are.
  static func ofAll() -> SocketOwners { SocketOwners(.ofAll(), isComplete: false) }

  private init(_ holders: SocketHolders, isComplete: Bool) {
    self.init(
      holders: holders,
      hidden: isComplete
        ? [] : holders.denied.compactMap { id in ProcessFacts(id).map { (id, $0.userID, $0.command) } },
      ownUserID: ProcessFacts.ownUserID)
  }

  /// The owner of a socket that a user has made; nil for a user who is not known.
  func owner(inode: UInt32, userID: UInt32?) -> SocketOwner {
    if let holder = holders.holder(of: inode) { return .process(holder) }
    guard holders.hasProcFS else { return .unknown("there is no /proc") }
    guard !holders.denied.isEmpty else {
      return .unknown("it is in another PID namespace (another container, or the host)")
    }
    let candidates = hidden.filter { $0.userID == userID }
    if candidates.count == 1 {
      return .inferred(processID: candidates[0].processID, command: candidates[0].command)
    }
    let count = holders.denied.count
    let processes = count == 1 ? "one process" : "\(count) processes"
    var remedy = "it takes CAP_SYS_PTRACE"
    if let userID, userID != ownUserID { remedy = "run as uid \(userID), or with CAP_SYS_PTRACE" }
    return .unknown("user \(ownUserID) may not look into \(processes); \(remedy)")
  }
}
