// SPDX-License-Identifier: Apache-2.0

internal import CSQLite

/// What a connection asks now and then while a statement runs.
final class Interruption {
  /// After so many instructions of SQLite's machine the question is asked: some tens of microseconds.
  static let interval: Int32 = 10_000

  let isUnwanted: () -> Bool

  init(isUnwanted: @escaping () -> Bool) { self.isUnwanted = isUnwanted }

  func install(on database: OpaquePointer) {
    // The connection keeps this object for as long as it may run statements, and takes the call back before it goes.
    sqlite3_progress_handler(
      database, Self.interval,
      { context in
        guard let context else { return 0 }
        return Unmanaged<Interruption>.fromOpaque(context).takeUnretainedValue().isUnwanted() ? 1 : 0
      }, Unmanaged.passUnretained(self).toOpaque())
  }
}

extension Database {
  /// Lets statements end early: while one runs, `isUnwanted` is asked now and then, on this thread, and where it says
  /// yes the statement fails with ``SQLiteError/Code/interrupted``. One that writes undoes its transaction then.
  public func interrupt(when isUnwanted: @escaping () -> Bool) {
    let interruption = Interruption(isUnwanted: isUnwanted)
    interruption.install(on: handle)
    self.interruption = interruption
  }
}
