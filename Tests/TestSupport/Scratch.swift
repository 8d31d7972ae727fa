// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A folder of a test's own that goes with it.
///
/// It is in memory where the system has a place for that: the tests' databases ask thousands of times that their bytes
/// reach the disk, which takes minutes on a slow one and starves all other tests.
public final class Scratch: Sendable {
  /// Its path, which is short: that of a Unix socket has 107 bytes at most.
  public let folder: String

  /// Makes the folder, empty. It goes with the last reference to this.
  public init() throws {
    let memory = "/dev/shm"
    var isFolder: ObjCBool = false
    let isThere = FileManager.default.fileExists(atPath: memory, isDirectory: &isFolder) && isFolder.boolValue
    let isUsable = isThere && FileManager.default.isWritableFile(atPath: memory)
    let place = isUsable ? memory : FileManager.default.temporaryDirectory.path
    folder = place + "/sonde-" + UUID().uuidString.prefix(13)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
  }

  deinit { remove() }

  /// Removes it ahead of time, for what outlives the objects of a program.
  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// The path of a file in it, which the caller makes.
  public func path(_ name: String) -> String { folder + "/" + name }
}
