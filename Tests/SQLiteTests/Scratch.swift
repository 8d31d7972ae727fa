// SPDX-License-Identifier: Apache-2.0

import SQLite
import TestSupport

extension Scratch {
  /// The file that most tests are about.
  var database: String { path("test.db") }

  /// A connection to a file in it that does not wait for locks.
  func open(_ name: String = "test.db", busyTimeout: Int32 = 0, readOnly: Bool = false) throws -> Database {
    var options = Database.Options()
    options.busyTimeout = busyTimeout
    options.isReadOnly = readOnly
    return try Database(path: path(name), options: options)
  }
}
