// SPDX-License-Identifier: Apache-2.0

/// A step from one version of a schema to the next.
public struct Migration: Sendable {
  let apply: @Sendable (Database) throws(SQLiteError) -> Void

  /// A step that `apply` takes, inside of a transaction of its own.
  public init(_ apply: @escaping @Sendable (Database) throws(SQLiteError) -> Void) { self.apply = apply }

  /// A step that consists of statements.
  public init(_ statements: [SQL]) {
    self.init { (database) throws(SQLiteError) in
      for statement in statements { try database.execute(statement) }
    }
  }
}

/// Brings a file to the schema of the program. The file's `user_version` counts the steps that it has behind it.
public struct Migrator: Sendable {
  private let migrations: [Migration]

  /// The steps, oldest first. A step that was released is never changed; a new one is added behind it.
  public init(_ migrations: [Migration]) { self.migrations = migrations }

  /// Takes the steps that are missing, each in one transaction.
  ///
  /// Several programs may do so on one file at once: whoever has the lock takes a step, and the others see that it was
  /// taken.
  ///
  /// - Throws: ``SQLiteError/Code/schemaTooNew`` where a later program has changed the file.
  public func migrate(_ database: Database) throws(SQLiteError) {
    while try nextStep(of: database) != nil {
      try database.transaction(.writing) { () throws(SQLiteError) in
        // Another program may have been here between the look and the lock.
        guard let step = try nextStep(of: database) else { return }
        try migrations[step].apply(database)
        try database.script("PRAGMA user_version = \(step + 1)")
      }
    }
  }

  /// The index of the next step; nil where all are taken.
  private func nextStep(of database: Database) throws(SQLiteError) -> Int? {
    let version = try database.first("PRAGMA user_version") { $0.integer(0) } ?? 0
    guard version >= 0, version <= migrations.count else {
      throw SQLiteError(
        .schemaTooNew, "migrate",
        "the file has version \(version) of the schema and this program knows \(migrations.count)")
    }
    return version < migrations.count ? Int(version) : nil
  }
}
