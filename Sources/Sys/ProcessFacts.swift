// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CLinux

/// What everybody may know of a process.
public struct ProcessFacts: Equatable, Sendable {
  /// The name that the kernel keeps of it, at most 15 bytes, which may be anything.
  public let command: String
  /// The user whose rights it has.
  public let userID: UInt32

  /// The facts of a process; nil where it is gone or hidden.
  public init?(_ processID: Int32) {
    guard let status = try? Files.read("/proc/\(processID)/status", limit: 64 << 10) else { return nil }
    guard let userID = Self.userID(inStatus: status) else { return nil }
    self.userID = userID
    command = SocketHolders.command(processID)
  }

  /// The user whose rights this process has.
  public static var ownUserID: UInt32 { geteuid() }

  /// The effective user in the text of a `status` file, which begins with the name: a line's end in it is escaped.
  static func userID(inStatus status: [UInt8]) -> UInt32? {
    for line in status.split(separator: 0x0A) where line.starts(with: "Uid:".utf8) {
      let words = line.dropFirst(4).split { $0 == 0x20 || $0 == 0x09 }
      guard words.count >= 2 else { return nil }
      return parseDecimal(words[1], atMost: Int(UInt32.max)).map { UInt32($0) }
    }
    return nil
  }
}
