// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What tells one version of a file from the next: a rewritten one, and one that another was renamed over.
struct FileStamp: Equatable {
  private let device: UInt64
  private let inode: UInt64
  private let size: Int64
  private let seconds: Int
  private let nanoseconds: Int

  /// The stamp of the file behind a path, links followed; nil where there is none.
  init?(_ path: String) {
    var facts = stat()
    guard stat(path, &facts) == 0 else { return nil }
    device = UInt64(facts.st_dev)
    inode = UInt64(facts.st_ino)
    size = Int64(facts.st_size)
    seconds = facts.st_mtim.tv_sec
    nanoseconds = facts.st_mtim.tv_nsec
  }
}

/// Looks after files that may change, and says when they have.
///
/// It asks once a second: that costs nothing, and works where notification does not, on volumes of containers and
/// where a whole folder is swapped by a link.
struct FileWatch: Sendable {
  let paths: [String]

  /// Calls `changed` each time when any of the files is another than before, until the task is cancelled. What it
  /// throws is reported, and tried again with the next change.
  func run(_ changed: () throws -> Void, failed: (any Error) -> Void) async throws {
    var stamps = paths.map { FileStamp($0) }
    var isDue = false
    while true {
      try await Task.sleep(for: .seconds(1))
      let current = paths.map { FileStamp($0) }
      if current != stamps {
        stamps = current
        // Files that belong together are rarely written at once: the next look finds them settled.
        isDue = true
      } else if isDue {
        isDue = false
        do { try changed() } catch { failed(error) }
      }
    }
  }
}
