/* SPDX-License-Identifier: Apache-2.0 */
#include <pm/error.h>
#include <string.h>

#include "common/store_sqlite_db.h"

/* Entries that expired, of one sweep; the next one goes on. */
#define SWEEP_MAX 4096

/* What is there now, expired or not. revision 0: nothing. */
struct found {
	uint64_t revision;
	int64_t expires;
};

static bool find(struct sqlite_db *db, const struct store_op *op, struct found *ret)
{
	sqlite3_stmt *s = sqlite_db_ready(db, SQL_FIND);
	int step;

	*ret = (struct found){0};
	if (!sqlite_bind_bytes(s, 1, op->key, op->key_len))
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
	int64_t revision = sqlite_db_number(db, SQL_REVISION) + 1;
	sqlite3_stmt *s = sqlite_db_ready(db, SQL_NOTE);

	if (revision <= 0 || sqlite3_bind_int64(s, 1, revision) ||
		!sqlite_bind_bytes(s, 2, key, len) || !sqlite_db_run(db, s))
		return 0;
	s = sqlite_db_ready(db, SQL_PRUNE);
	if (sqlite3_bind_int64(s, 1, revision - STORE_HISTORY) || !sqlite_db_run(db, s))
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
	s = sqlite_db_ready(db, SQL_PUT);
	return op->revision && sqlite_bind_bytes(s, 1, op->key, op->key_len) &&
	       sqlite_bind_bytes(s, 2, op->value, op->len) &&
	       !sqlite3_bind_int64(s, 3, (int64_t)op->revision) &&
	       !sqlite3_bind_int64(s, 4, op->expires) && sqlite_db_run(db, s);
}

static bool erase(struct sqlite_db *db, const void *key, size_t len, uint64_t *ret_revision)
{
	sqlite3_stmt *s;

	*ret_revision = note(db, key, len);
	s = sqlite_db_ready(db, SQL_DELETE);
	return *ret_revision && sqlite_bind_bytes(s, 1, key, len) && sqlite_db_run(db, s);
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
	sqlite3_stmt *s = sqlite_db_ready(db, SQL_FIND_EXPIRED);
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

	if (!sqlite_db_run(db, sqlite_db_ready(db, SQL_BEGIN)))
		return false;
	for (op = TAILQ_FIRST(ops); op; op = TAILQ_NEXT(op, queue)) {
		op->error = PM_OK;
		op->reason[0] = '\0';
		if (!write_one(db, op))
			return false;
	}
	return sqlite_db_run(db, sqlite_db_ready(db, SQL_COMMIT));
}

static void roll_back(struct sqlite_db *db)
{
	/* Some errors have done it already. */
	if (!sqlite3_get_autocommit(db->sql))
		sqlite_db_run(db, sqlite_db_ready(db, SQL_ROLLBACK));
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
		sqlite_db_fail(db, op);
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

/* What is written to a file that has lost its name is gone with this process. */
static bool has_moved(struct sqlite_db *db)
{
	int moved = 0;

	return sqlite3_file_control(db->sql, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
	       moved;
}

static void fail_moved(struct sqlite_db *db, struct store_ops *ops)
{
	struct store_op *op;

	for (op = TAILQ_FIRST(ops); op; op = TAILQ_NEXT(op, queue))
		store_op_fail(
			op, PM_E_SYS, "%.300s: the file was replaced, moved or deleted", db->path);
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
	if (has_moved(db)) {
		fail_moved(db, ops);
		return false;
	}
	if (write_all(db, ops))
		return true;
	error = sqlite_db_error(db, sqlite3_extended_errcode(db->sql));
	for (op = TAILQ_FIRST(ops); op; op = TAILQ_NEXT(op, queue))
		sqlite_db_fail(db, op);
	roll_back(db);
	if (error != PM_E_LIMIT || !TAILQ_NEXT(TAILQ_FIRST(ops), queue))
		return false;
	return write_each(db, ops);
}
