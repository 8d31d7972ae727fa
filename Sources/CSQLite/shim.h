// SPDX-License-Identifier: Apache-2.0
#ifndef SONDE_CSQLITE_H
#define SONDE_CSQLITE_H

#include <sqlite3.h>

/// SQLITE_TRANSIENT as a value: SQLite copies what it is given before the call returns.
static inline sqlite3_destructor_type sonde_SQLITE_TRANSIENT(void) { return SQLITE_TRANSIENT; }

/// sqlite3_db_config takes a variable list: statements may not corrupt the file on purpose.
static inline int sonde_sqlite3_be_defensive(sqlite3 *database) {
  return sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}

#endif
