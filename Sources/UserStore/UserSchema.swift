// SPDX-License-Identifier: Apache-2.0

internal import SQLite

/// The tables. A step that was released is never changed: a later one changes what it made.
enum UserSchema {
  /// Brings a file to these tables. `secret` becomes the key of page tokens where the file has none yet: it lives in
  /// the file, so that every replica takes the tokens of the others.
  static func migrator(secret: [UInt8]) -> Migrator {
    Migrator([Migration(tables + ["INSERT INTO secrets VALUES ('page_tokens', \(secret))"])])
  }

  private static let tables: [SQL] = [
    // Identifiers are ordered by time, so the primary key is also the order of pages, and rows lie in it.
    """
    CREATE TABLE users (
      id TEXT NOT NULL PRIMARY KEY,
      email TEXT NOT NULL COLLATE NOCASE UNIQUE,
      name TEXT NOT NULL,
      created_at INTEGER NOT NULL,       -- microseconds since 1970
      role INTEGER NOT NULL,             -- user.v1.UserRole
      roles TEXT NOT NULL,               -- each one between line feeds: a user is one row, read at once
      phone_number TEXT NOT NULL,
      email_verified INTEGER NOT NULL,
      legacy_field TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX users_by_role ON users (role, id)",
    // Counting rows would take as long as there are rows.
    "CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "INSERT INTO counters VALUES ('users', 0)",
    """
    CREATE TRIGGER user_is_new AFTER INSERT ON users
    BEGIN UPDATE counters SET value = value + 1 WHERE name = 'users'; END
    """,
    """
    CREATE TRIGGER user_is_gone AFTER DELETE ON users
    BEGIN UPDATE counters SET value = value - 1 WHERE name = 'users'; END
    """,
    // What happened, for every replica that tails it. AUTOINCREMENT: a number is never given twice, pruned or not.
    """
    CREATE TABLE outbox (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      time INTEGER NOT NULL,             -- microseconds since 1970
      topic INTEGER NOT NULL,            -- OutboxTopic
      payload BLOB NOT NULL              -- the topic's message, serialised
    ) STRICT
    """,
    "CREATE TABLE secrets (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID",
  ]
}
