/* SPDX-License-Identifier: Apache-2.0 */
#include "common/store_sqlite_db.h"

#include <errno.h>
#include <pm/error.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APPLICATION_ID	  0x504d5354 /* "PMST" */
#define VERSION		  1
#define BUSY_MILLISECONDS 5000
/* What the log ahead of the file is cut to once it is empty. */
#define LOG_BYTES (64 << 20)

/*
 * Keys are blobs: compared by their bytes. A prefix's range ends before the prefix with 0xff behind
 * it, which no key has.
 */
static const char *const statements[STATEMENT_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_BEGIN_READING] = "BEGIN",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_REVISION] = "SELECT coalesce(max(revision), 1) FROM change",
	[SQL_FIND] = "SELECT value, revision, expires FROM entry WHERE key = ?1",
	[SQL_PUT] = "INSERT INTO entry (key, value, revision, expires) VALUES (?1, ?2, ?3, ?4) "
		    "ON CONFLICT (key) DO UPDATE SET value = ?2, revision = ?3, expires = ?4",
	[SQL_DELETE] = "DELETE FROM entry WHERE key = ?1",
	[SQL_NOTE] = "INSERT INTO change (revision, key) VALUES (?1, ?2)",
	[SQL_PRUNE] = "DELETE FROM change WHERE revision <= ?1",
	[SQL_FIND_EXPIRED] = "SELECT key FROM entry WHERE expires > 0 AND expires <= ?1 LIMIT 1",
	[SQL_LIST] = "SELECT key, value, revision, expires FROM entry "
		     "WHERE key >= ?1 AND key < ?2 AND key > ?3 ORDER BY key",
	[SQL_OLDEST] = "SELECT min(revision) FROM change",
	[SQL_CHANGES] = "SELECT c.key, e.value, c.revision, e.expires, e.revision "
			"FROM change c LEFT JOIN entry e ON e.key = c.key "
			"WHERE c.revision > ?1 AND c.key >= ?2 AND c.key < ?3 ORDER BY c.revision",
	[SQL_DATA_VERSION] = "PRAGMA data_version",
};

static const char schema[] =
	"CREATE TABLE entry (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, value BLOB NOT NULL,"
	" revision INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT;"
	"CREATE INDEX entry_expires ON entry (expires) WHERE expires > 0;"
	"CREATE TABLE change (revision INTEGER PRIMARY KEY, key BLOB NOT NULL) STRICT;";

/* --- errors ---------------------------------------------------------------------------------- */

static int system_error(const struct sqlite_db *db)
{
	return db->number ? db->number : sqlite3_system_errno(db->sql);
}

/* Writes that the system has no room for, which a limit of the process may say in its own way. */
static bool is_no_room(const struct sqlite_db *db, int code)
{
	int number = system_error(db);

	if ((code & 0xff) == SQLITE_FULL || (code & 0xff) == SQLITE_TOOBIG)
		return true;
	return code == SQLITE_IOERR_WRITE &&
	       (number == ENOSPC || number == EDQUOT || number == EFBIG);
}

int sqlite_db_error(const struct sqlite_db *db, int code)
{
	if (is_no_room(db, code))
		return PM_E_LIMIT;
	if ((code & 0xff) == SQLITE_NOMEM)
		return PM_E_NOMEM;
	return (code & 0xff) == SQLITE_NOTADB ? PM_E_FORMAT : PM_E_SYS;
}

/* The last error of the connection, with the file and the system's reason. */
static int explain(const struct sqlite_db *db, char reason[STORE_REASON_SIZE])
{
	int code = db->sql ? sqlite3_extended_errcode(db->sql) : SQLITE_NOMEM;
	bool is_of_system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
	int number = is_of_system ? system_error(db) : 0;

	snprintf(reason, STORE_REASON_SIZE, "%.300s: %s%s%s", db->path,
		db->sql ? sqlite3_errmsg(db->sql) : "out of memory", number ? ": " : "",
		number ? strerrordesc_np(number) : "");
	return sqlite_db_error(db, code);
}

void sqlite_db_fail(struct sqlite_db *db, struct store_op *op)
{
	char reason[STORE_REASON_SIZE];
	int error = explain(db, reason);

	store_op_fail(op, error == PM_E_FORMAT ? PM_E_SYS : error, "%s", reason);
}

/* --- statements ------------------------------------------------------------------------------ */

sqlite3_stmt *sqlite_db_ready(struct sqlite_db *db, enum statement which)
{
	sqlite3_stmt *s = db->prepared[which];

	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return s;
}

/* Runs it to its end; no row is wanted. */
bool sqlite_db_run(struct sqlite_db *db, sqlite3_stmt *s)
{
	bool ok;

	errno = 0;
	ok = sqlite3_step(s) == SQLITE_DONE;
	db->number = ok ? 0 : errno;
	/* reset() tells of an error again, and leaves it where explain() looks. */
	return sqlite3_reset(s) == SQLITE_OK && ok;
}

/* One number; or -1. */
int64_t sqlite_db_number(struct sqlite_db *db, enum statement which)
{
	sqlite3_stmt *s = sqlite_db_ready(db, which);
	int64_t n = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;

	return sqlite3_reset(s) == SQLITE_OK ? n : -1;
}

bool sqlite_bind_bytes(sqlite3_stmt *s, int at, const void *bytes, size_t len)
{
	return sqlite3_bind_blob64(s, at, len ? bytes : "", len, SQLITE_STATIC) == SQLITE_OK;
}

/* The prefix, and what is greater than all that begins with it. */
bool sqlite_bind_range(
	sqlite3_stmt *s, int at, const struct store_op *op, char end[STORE_KEY_MAX + 1])
{
	memcpy(end, op->key, op->key_len);
	end[op->key_len] = '\xff';
	return sqlite_bind_bytes(s, at, op->key, op->key_len) &&
	       sqlite_bind_bytes(s, at + 1, end, op->key_len + 1);
}

int64_t sqlite_db_version(struct sqlite_db *db)
{
	return sqlite_db_number(db, SQL_DATA_VERSION);
}

/* --- the connection -------------------------------------------------------------------------- */

static bool execute(struct sqlite_db *db, const char *text)
{
	return sqlite3_exec(db->sql, text, NULL, NULL, NULL) == SQLITE_OK;
}

/* A text or number of one row, as text; "" on failure. */
static void ask(struct sqlite_db *db, const char *text, char ret[32])
{
	sqlite3_stmt *s = NULL;

	ret[0] = '\0';
	if (sqlite3_prepare_v2(db->sql, text, -1, &s, NULL) == SQLITE_OK &&
		sqlite3_step(s) == SQLITE_ROW && sqlite3_column_text(s, 0))
		snprintf(ret, 32, "%s", (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
}

static bool is_number(struct sqlite_db *db, const char *pragma, int wanted)
{
	char value[32], text[32];

	ask(db, pragma, value);
	snprintf(text, sizeof(text), "%d", wanted);
	return !strcmp(value, text);
}

/* 0: ours; PM_E_MISSING: nothing is in it yet; PM_E_FORMAT, PM_E_UNSUPPORTED. */
static int look_at_tables(struct sqlite_db *db, char reason[STORE_REASON_SIZE])
{
	if (is_number(db, "PRAGMA application_id", APPLICATION_ID)) {
		if (is_number(db, "PRAGMA user_version", VERSION))
			return PM_OK;
		snprintf(reason, STORE_REASON_SIZE, "%.300s: a store of another version", db->path);
		return PM_E_UNSUPPORTED;
	}
	if (is_number(db, "SELECT count(*) FROM sqlite_schema", 0))
		return PM_E_MISSING;
	snprintf(reason, STORE_REASON_SIZE, "%.300s: not a store but another database", db->path);
	return PM_E_FORMAT;
}

/* The writer's lock keeps another process from making them at the same time. */
static int make_tables(struct sqlite_db *db, char reason[STORE_REASON_SIZE])
{
	char text[128];
	int r;

	snprintf(text, sizeof(text), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
		APPLICATION_ID, VERSION);
	if (!execute(db, "BEGIN IMMEDIATE"))
		return explain(db, reason);
	r = look_at_tables(db, reason);
	if (r == PM_E_MISSING)
		r = execute(db, schema) && execute(db, text) ? PM_OK : explain(db, reason);
	if (r == PM_OK && !execute(db, "COMMIT"))
		r = explain(db, reason);
	return r;
}

static int set_up(struct sqlite_db *db, char reason[STORE_REASON_SIZE])
{
	char mode[32], text[96];
	int r;

	snprintf(text, sizeof(text),
		"PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit "
		"= %d;",
		LOG_BYTES);
	if (sqlite3_busy_timeout(db->sql, BUSY_MILLISECONDS) || !execute(db, text) ||
		sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL))
		return explain(db, reason);
	ask(db, "PRAGMA journal_mode = WAL", mode);
	if (mode[0] == '\0')
		return explain(db, reason);
	if (strcmp(mode, "wal") != 0) {
		snprintf(reason, STORE_REASON_SIZE, "%.300s: a log can't be kept there", db->path);
		return PM_E_SYS;
	}
	r = look_at_tables(db, reason);
	return r == PM_E_MISSING ? make_tables(db, reason) : r;
}

static int prepare(struct sqlite_db *db, char reason[STORE_REASON_SIZE])
{
	for (int i = 0; i < STATEMENT_COUNT; i++)
		if (sqlite3_prepare_v3(db->sql, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
			    &db->prepared[i], NULL) != SQLITE_OK)
			return explain(db, reason);
	return PM_OK;
}

int sqlite_db_open(const char *path, char reason[STORE_REASON_SIZE], struct sqlite_db **ret_db)
{
	struct sqlite_db *db = calloc(1, sizeof(*db));
	int r;

	if (!db)
		return PM_E_NOMEM;
	db->path = strdup(path);
	if (!db->path) {
		free(db);
		return PM_E_NOMEM;
	}
	if (sqlite3_open_v2(path, &db->sql,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
			    SQLITE_OPEN_PRIVATECACHE,
		    NULL) != SQLITE_OK)
		r = explain(db, reason);
	else
		r = set_up(db, reason);
	if (r == PM_OK)
		r = prepare(db, reason);
	if (r < 0) {
		sqlite_db_close(db);
		return r;
	}
	*ret_db = db;
	return PM_OK;
}

void sqlite_db_close(struct sqlite_db *db)
{
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(db->prepared[i]);
	sqlite3_close(db->sql);
	free(db->path);
	free(db);
}
