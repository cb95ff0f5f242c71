/* SPDX-License-Identifier: Apache-2.0 */
#include "common/store_sqlite.h"

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
/* Entries that expired, of one sweep; the next one goes on. */
#define SWEEP_MAX 4096

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	REVISION,
	FIND,
	PUT,
	DELETE,
	NOTE,
	PRUNE,
	FIND_EXPIRED,
	LIST,
	OLDEST,
	CHANGES,
	DATA_VERSION,
	STATEMENT_COUNT,
};

/*
 * Keys are blobs: compared by their bytes. A prefix's range ends before the prefix with 0xff behind
 * it, which no key has.
 */
static const char *const statements[STATEMENT_COUNT] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[REVISION] = "SELECT coalesce(max(revision), 1) FROM change",
	[FIND] = "SELECT value, revision, expires FROM entry WHERE key = ?1",
	[PUT] = "INSERT INTO entry (key, value, revision, expires) VALUES (?1, ?2, ?3, ?4) "
		"ON CONFLICT (key) DO UPDATE SET value = ?2, revision = ?3, expires = ?4",
	[DELETE] = "DELETE FROM entry WHERE key = ?1",
	[NOTE] = "INSERT INTO change (revision, key) VALUES (?1, ?2)",
	[PRUNE] = "DELETE FROM change WHERE revision <= ?1",
	[FIND_EXPIRED] = "SELECT key FROM entry WHERE expires > 0 AND expires <= ?1 LIMIT 1",
	[LIST] = "SELECT key, value, revision, expires FROM entry "
		 "WHERE key >= ?1 AND key < ?2 AND key > ?3 ORDER BY key",
	[OLDEST] = "SELECT min(revision) FROM change",
	[CHANGES] = "SELECT c.key, e.value, c.revision, e.expires, e.revision "
		    "FROM change c LEFT JOIN entry e ON e.key = c.key "
		    "WHERE c.revision > ?1 AND c.key >= ?2 AND c.key < ?3 ORDER BY c.revision",
	[DATA_VERSION] = "PRAGMA data_version",
};

static const char schema[] =
	"CREATE TABLE entry (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, value BLOB NOT NULL,"
	" revision INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT;"
	"CREATE INDEX entry_expires ON entry (expires) WHERE expires > 0;"
	"CREATE TABLE change (revision INTEGER PRIMARY KEY, key BLOB NOT NULL) STRICT;";

struct sqlite_db {
	sqlite3 *sql;
	sqlite3_stmt *prepared[STATEMENT_COUNT];
	char *path;
	int number; /* the system's error of the last run that failed; SQLite loses it at a commit */
};

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

static int error_of(const struct sqlite_db *db, int code)
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
	return error_of(db, code);
}

static void fail(struct sqlite_db *db, struct store_op *op)
{
	char reason[STORE_REASON_SIZE];
	int error = explain(db, reason);

	store_op_fail(op, error == PM_E_FORMAT ? PM_E_SYS : error, "%s", reason);
}

/* --- statements ------------------------------------------------------------------------------ */

static sqlite3_stmt *ready(struct sqlite_db *db, enum statement which)
{
	sqlite3_stmt *s = db->prepared[which];

	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return s;
}

/* Runs it to its end; no row is wanted. */
static bool run(struct sqlite_db *db, sqlite3_stmt *s)
{
	bool ok;

	errno = 0;
	ok = sqlite3_step(s) == SQLITE_DONE;
	db->number = ok ? 0 : errno;
	/* reset() tells of an error again, and leaves it where explain() looks. */
	return sqlite3_reset(s) == SQLITE_OK && ok;
}

/* One number; or -1. */
static int64_t number(struct sqlite_db *db, enum statement which)
{
	sqlite3_stmt *s = ready(db, which);
	int64_t n = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;

	return sqlite3_reset(s) == SQLITE_OK ? n : -1;
}

static bool bind_bytes(sqlite3_stmt *s, int at, const void *bytes, size_t len)
{
	return sqlite3_bind_blob64(s, at, len ? bytes : "", len, SQLITE_STATIC) == SQLITE_OK;
}

/* The prefix, and what is greater than all that begins with it. */
static bool bind_range(
	sqlite3_stmt *s, int at, const struct store_op *op, char end[STORE_KEY_MAX + 1])
{
	memcpy(end, op->key, op->key_len);
	end[op->key_len] = '\xff';
	return bind_bytes(s, at, op->key, op->key_len) &&
	       bind_bytes(s, at + 1, end, op->key_len + 1);
}

/* --- writing --------------------------------------------------------------------------------- */

/* What is there now, expired or not. revision 0: nothing. */
struct found {
	uint64_t revision;
	int64_t expires;
};

static bool find(struct sqlite_db *db, const struct store_op *op, struct found *ret)
{
	sqlite3_stmt *s = ready(db, FIND);
	int step;

	*ret = (struct found){0};
	if (!bind_bytes(s, 1, op->key, op->key_len))
		return false;
	step = sqlite3_step(s);
	if (step == SQLITE_ROW && !store_is_expired(sqlite3_column_int64(s, 2), store_time()))
		*ret = (struct found){
			(uint64_t)sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2)};
	return sqlite3_reset(s) == SQLITE_OK && (step == SQLITE_ROW || step == SQLITE_DONE);
}

/* The write's revision, of which the change is noted; or 0. */
static uint64_t note(struct sqlite_db *db, const void *key, size_t len)
{
	int64_t revision = number(db, REVISION) + 1;
	sqlite3_stmt *s = ready(db, NOTE);

	if (revision <= 0 || sqlite3_bind_int64(s, 1, revision) || !bind_bytes(s, 2, key, len) ||
		!run(db, s))
		return 0;
	s = ready(db, PRUNE);
	if (sqlite3_bind_int64(s, 1, revision - STORE_HISTORY) || !run(db, s))
		return 0;
	return (uint64_t)revision;
}

static bool put(struct sqlite_db *db, struct store_op *op)
{
	struct found found;
	sqlite3_stmt *s;

	if (!find(db, op, &found))
		return false;
	if (op->if_revision != STORE_ANY && op->if_revision != found.revision) {
		store_op_fail(op, PM_E_STATE, "%.300s: the entry has changed", db->path);
		return true;
	}
	op->revision = note(db, op->key, op->key_len);
	s = ready(db, PUT);
	return op->revision && bind_bytes(s, 1, op->key, op->key_len) &&
	       bind_bytes(s, 2, op->value, op->len) &&
	       !sqlite3_bind_int64(s, 3, (int64_t)op->revision) &&
	       !sqlite3_bind_int64(s, 4, op->expires) && run(db, s);
}

static bool erase(struct sqlite_db *db, const void *key, size_t len, uint64_t *ret_revision)
{
	sqlite3_stmt *s;

	*ret_revision = note(db, key, len);
	s = ready(db, DELETE);
	return *ret_revision && bind_bytes(s, 1, key, len) && run(db, s);
}

static bool erase_if(struct sqlite_db *db, struct store_op *op)
{
	struct found found;

	if (!find(db, op, &found))
		return false;
	if (!found.revision) {
		store_op_fail(op, PM_E_MISSING, "%.300s: no such entry", db->path);
		return true;
	}
	if (op->if_revision != STORE_ANY && op->if_revision != found.revision) {
		store_op_fail(op, PM_E_STATE, "%.300s: the entry has changed", db->path);
		return true;
	}
	return erase(db, op->key, op->key_len, &op->revision);
}

/* The key of one entry that expired; its length is 0 when there is none. */
static bool find_expired(struct sqlite_db *db, char key[STORE_KEY_MAX], size_t *ret_len)
{
	sqlite3_stmt *s = ready(db, FIND_EXPIRED);
	int step;

	*ret_len = 0;
	if (sqlite3_bind_int64(s, 1, store_time()))
		return false;
	step = sqlite3_step(s);
	if (step == SQLITE_ROW) {
		*ret_len = (size_t)sqlite3_column_bytes(s, 0);
		*ret_len = *ret_len < STORE_KEY_MAX ? *ret_len : STORE_KEY_MAX;
		memcpy(key, sqlite3_column_blob(s, 0), *ret_len);
	}
	return sqlite3_reset(s) == SQLITE_OK && (step == SQLITE_ROW || step == SQLITE_DONE);
}

static bool sweep(struct sqlite_db *db)
{
	char key[STORE_KEY_MAX];
	uint64_t revision;
	size_t len;

	for (int i = 0; i < SWEEP_MAX; i++) {
		if (!find_expired(db, key, &len))
			return false;
		if (!len)
			return true;
		if (!erase(db, key, len, &revision))
			return false;
	}
	return true;
}

static bool write_one(struct sqlite_db *db, struct store_op *op)
{
	if (op->kind == STORE_PUT)
		return put(db, op);
	return op->kind == STORE_DELETE ? erase_if(db, op) : sweep(db);
}

static bool write_all(struct sqlite_db *db, struct store_ops *ops)
{
	struct store_op *op;

	if (!run(db, ready(db, BEGIN)))
		return false;
	TAILQ_FOREACH(op, ops, queue)
	{
		op->error = PM_OK;
		op->reason[0] = '\0';
		if (!write_one(db, op))
			return false;
	}
	return run(db, ready(db, COMMIT));
}

static void roll_back(struct sqlite_db *db)
{
	/* Some errors have done it already. */
	if (!sqlite3_get_autocommit(db->sql))
		run(db, ready(db, ROLLBACK));
}

/* Most of the time nothing expired: then the file is left alone. */
static bool is_idle(struct sqlite_db *db, const struct store_ops *ops)
{
	const struct store_op *op = TAILQ_FIRST(ops);
	char key[STORE_KEY_MAX];
	size_t len;

	return op->kind == STORE_SWEEP && !TAILQ_NEXT(op, queue) && find_expired(db, key, &len) &&
	       !len;
}

static bool write_alone(struct sqlite_db *db, struct store_op *op)
{
	struct store_ops alone = TAILQ_HEAD_INITIALIZER(alone);
	bool ok;

	TAILQ_INSERT_TAIL(&alone, op, queue);
	ok = write_all(db, &alone);
	if (!ok) {
		fail(db, op);
		roll_back(db);
	}
	TAILQ_REMOVE(&alone, op, queue);
	return ok;
}

/* One that is too large must not take the others with it. */
static bool write_each(struct sqlite_db *db, struct store_ops *ops)
{
	struct store_ops rest = TAILQ_HEAD_INITIALIZER(rest);
	bool has_changed = false;
	struct store_op *op;

	TAILQ_CONCAT(&rest, ops, queue);
	while ((op = TAILQ_FIRST(&rest))) {
		TAILQ_REMOVE(&rest, op, queue);
		has_changed |= write_alone(db, op);
		TAILQ_INSERT_TAIL(ops, op, queue);
	}
	return has_changed;
}

/*
 * After a failure nothing is done, except that what failed as it was synced may come back when the
 * machine crashes: so that is not tried again, and its result is unknown.
 */
bool sqlite_db_write(struct sqlite_db *db, struct store_ops *ops)
{
	struct store_op *op;
	int error;

	if (is_idle(db, ops))
		return false;
	if (write_all(db, ops))
		return true;
	error = error_of(db, sqlite3_extended_errcode(db->sql));
	TAILQ_FOREACH(op, ops, queue)
	fail(db, op);
	roll_back(db);
	if (error != PM_E_LIMIT || !TAILQ_NEXT(TAILQ_FIRST(ops), queue))
		return false;
	return write_each(db, ops);
}

/* --- reading --------------------------------------------------------------------------------- */

static struct store_entry entry_at(sqlite3_stmt *s, int column)
{
	const void *value = sqlite3_column_blob(s, column);

	return (struct store_entry){
		.value = value ? value : (const uint8_t *)"",
		.len = (size_t)sqlite3_column_bytes(s, column),
		.revision = (uint64_t)sqlite3_column_int64(s, column + 1),
		.expires = sqlite3_column_int64(s, column + 2),
	};
}

static bool get(struct sqlite_db *db, struct store_op *op)
{
	sqlite3_stmt *s = ready(db, FIND);
	int step;

	if (!bind_bytes(s, 1, op->key, op->key_len))
		return false;
	step = sqlite3_step(s);
	if (step == SQLITE_ROW && !store_is_expired(sqlite3_column_int64(s, 2), store_time())) {
		struct store_entry entry = entry_at(s, 0);

		store_op_add(op, op->key, op->key_len, &entry);
	} else if (step == SQLITE_ROW || step == SQLITE_DONE) {
		store_op_fail(op, PM_E_MISSING, "%.300s: no such entry", db->path);
	}
	return sqlite3_reset(s) == SQLITE_OK;
}

static bool list(struct sqlite_db *db, struct store_op *op)
{
	sqlite3_stmt *s = ready(db, LIST);
	int64_t now = store_time();
	char end[STORE_KEY_MAX + 1];
	int step;

	if (!bind_range(s, 1, op, end) || !bind_bytes(s, 3, op->after, strlen(op->after)))
		return false;
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		struct store_entry entry = entry_at(s, 1);

		if (store_is_expired(entry.expires, now))
			continue;
		if (store_op_is_full(op, op->limit, entry.len) ||
			!store_op_add(op, sqlite3_column_blob(s, 0),
				(size_t)sqlite3_column_bytes(s, 0), &entry))
			break;
	}
	return sqlite3_reset(s) == SQLITE_OK;
}

/* The revision first: what is written between the two is in the result, and told again. */
void sqlite_db_read(struct sqlite_db *db, struct store_op *op)
{
	int64_t revision = number(db, REVISION);

	op->revision = (uint64_t)revision;
	if (revision < 0 || !(op->kind == STORE_GET ? get(db, op) : list(db, op)))
		fail(db, op);
}

/* Of several changes of a key the last one counts: that of the entry's revision. */
static bool add_change(sqlite3_stmt *s, struct store_op *op)
{
	bool is_gone = sqlite3_column_type(s, 4) == SQLITE_NULL;
	struct store_entry entry = entry_at(s, 1);

	if (!is_gone && sqlite3_column_int64(s, 4) != (int64_t)entry.revision)
		return true;
	if (is_gone)
		entry = (struct store_entry){.revision = entry.revision};
	if (store_op_is_full(op, STORE_CHANGES_MAX, entry.len)) {
		op->revision = op->entries[op->count - 1].revision;
		return false;
	}
	return store_op_add(
		op, sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0), &entry);
}

/* revision is the store's before the changes were read. */
static bool add_changes(struct sqlite_db *db, struct store_op *op)
{
	sqlite3_stmt *s = ready(db, CHANGES);
	char end[STORE_KEY_MAX + 1];

	if (sqlite3_bind_int64(s, 1, (int64_t)op->after_revision) || !bind_range(s, 2, op, end))
		return false;
	while (sqlite3_step(s) == SQLITE_ROW && add_change(s, op))
		;
	return sqlite3_reset(s) == SQLITE_OK;
}

bool sqlite_db_changes(struct sqlite_db *db, struct store_op *op)
{
	int64_t revision = number(db, REVISION);
	int64_t oldest = revision < 0 ? -1 : number(db, OLDEST);

	if (op->after_revision == 0 && revision >= 0)
		op->after_revision = (uint64_t)revision;
	op->revision = (uint64_t)revision;
	if (oldest < 0) {
		fail(db, op);
	} else if (op->after_revision > (uint64_t)revision ||
		   op->after_revision + 1 < (uint64_t)oldest) {
		store_op_fail(op, PM_E_STALE,
			"%.300s: the changes since then are not known any more", db->path);
	} else if (op->after_revision < (uint64_t)revision && !add_changes(db, op)) {
		fail(db, op);
	}
	if (op->error == PM_OK && !op->count)
		op->after_revision = op->revision;
	return op->error != PM_OK || op->count != 0;
}

int64_t sqlite_db_version(struct sqlite_db *db)
{
	return number(db, DATA_VERSION);
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

/* The writer's lock is held: nobody else makes the tables at the same time. */
static int make_tables(struct sqlite_db *db, char reason[STORE_REASON_SIZE])
{
	char text[128];

	if (is_number(db, "PRAGMA application_id", APPLICATION_ID)) {
		if (is_number(db, "PRAGMA user_version", VERSION))
			return PM_OK;
		snprintf(reason, STORE_REASON_SIZE, "%.300s: a store of another version", db->path);
		return PM_E_UNSUPPORTED;
	}
	if (!is_number(db, "SELECT count(*) FROM sqlite_schema", 0)) {
		snprintf(reason, STORE_REASON_SIZE, "%.300s: not a store but another database",
			db->path);
		return PM_E_FORMAT;
	}
	snprintf(text, sizeof(text), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
		APPLICATION_ID, VERSION);
	return execute(db, schema) && execute(db, text) ? PM_OK : explain(db, reason);
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
	if (!execute(db, "BEGIN IMMEDIATE"))
		return explain(db, reason);
	r = make_tables(db, reason);
	if (r == PM_OK && !execute(db, "COMMIT"))
		r = explain(db, reason);
	return r;
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
