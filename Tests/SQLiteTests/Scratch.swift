// SPDX-License-Identifier: Apache-2.0

import Foundation
import SQLite

/// A folder of a test's own that goes with it.
final class Scratch {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("sonde-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// A file in it.
  func path(_ name: String = "test.db") -> String { folder.appendingPathComponent(name).path }

  /// A connection to a file in it that does not wait for locks.
  func open(_ name: String = "test.db", busyTimeout: Int32 = 0, readOnly: Bool = false) throws -> Database {
    var options = Database.Options()
    options.busyTimeout = busyTimeout
    options.isReadOnly = readOnly
    return try Database(path: path(name), options: options)
  }
}
