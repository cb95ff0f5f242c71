/* SPDX-License-Identifier: Apache-2.0 */
/* What reading and writing of a connection to SQLite share. */
#ifndef COMMON_STORE_SQLITE_DB_H
#define COMMON_STORE_SQLITE_DB_H

#include <sqlite3.h>

#include "common/store_sqlite.h"

enum statement {
	SQL_BEGIN,
	SQL_BEGIN_READING,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_REVISION,
	SQL_FIND,
	SQL_PUT,
	SQL_DELETE,
	SQL_NOTE,
	SQL_PRUNE,
	SQL_FIND_EXPIRED,
	SQL_LIST,
	SQL_OLDEST,
	SQL_CHANGES,
	SQL_DATA_VERSION,
	STATEMENT_COUNT,
};

struct sqlite_db {
	sqlite3 *sql;
	sqlite3_stmt *prepared[STATEMENT_COUNT];
	char *path;
	int number; /* the system's error of the last run, or 0: SQLite loses it at a commit */
};

/* The operation failed as the connection's last call did. */
void sqlite_db_fail(struct sqlite_db *db, struct store_op *op);
/* The error that this code of SQLite is. */
int sqlite_db_error(const struct sqlite_db *db, int code);

/* A statement at its beginning, without values. */
sqlite3_stmt *sqlite_db_ready(struct sqlite_db *db, enum statement which);
/* Runs it to its end; no row is wanted. */
bool sqlite_db_run(struct sqlite_db *db, sqlite3_stmt *s);
/* Its one number; or -1. */
int64_t sqlite_db_number(struct sqlite_db *db, enum statement which);
bool sqlite_bind_bytes(sqlite3_stmt *s, int at, const void *bytes, size_t len);
/* The operation's prefix, and what is greater than all that begins with it. */
bool sqlite_bind_range(
	sqlite3_stmt *s, int at, const struct store_op *op, char end[STORE_KEY_MAX + 1]);

#endif
