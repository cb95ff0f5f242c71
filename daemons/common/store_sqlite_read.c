/* SPDX-License-Identifier: Apache-2.0 */
#include <pm/error.h>
#include <string.h>

#include "common/store_sqlite_db.h"

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
	sqlite3_stmt *s = sqlite_db_ready(db, SQL_FIND);
	int step;

	if (!sqlite_bind_bytes(s, 1, op->key, op->key_len))
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
	sqlite3_stmt *s = sqlite_db_ready(db, SQL_LIST);
	int64_t now = store_time();
	char end[STORE_KEY_MAX + 1];
	int step;

	if (!sqlite_bind_range(s, 1, op, end) ||
		!sqlite_bind_bytes(s, 3, op->after, strlen(op->after)))
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

static void read_one(struct sqlite_db *db, struct store_op *op)
{
	int64_t revision = sqlite_db_number(db, SQL_REVISION);

	op->revision = (uint64_t)revision;
	if (revision < 0 || !(op->kind == STORE_GET ? get(db, op) : list(db, op)))
		sqlite_db_fail(db, op);
}

/* What is written meanwhile is in none of the results. */
void sqlite_db_read(struct sqlite_db *db, struct store_ops *ops)
{
	struct store_op *op;

	if (!sqlite_db_run(db, sqlite_db_ready(db, SQL_BEGIN_READING))) {
		for (op = TAILQ_FIRST(ops); op; op = TAILQ_NEXT(op, queue))
			sqlite_db_fail(db, op);
		return;
	}
	for (op = TAILQ_FIRST(ops); op; op = TAILQ_NEXT(op, queue))
		read_one(db, op);
	if (!sqlite3_get_autocommit(db->sql))
		sqlite_db_run(db, sqlite_db_ready(db, SQL_COMMIT));
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
	sqlite3_stmt *s = sqlite_db_ready(db, SQL_CHANGES);
	char end[STORE_KEY_MAX + 1];

	if (sqlite3_bind_int64(s, 1, (int64_t)op->after_revision) ||
		!sqlite_bind_range(s, 2, op, end))
		return false;
	while (sqlite3_step(s) == SQLITE_ROW && add_change(s, op))
		;
	return sqlite3_reset(s) == SQLITE_OK;
}

bool sqlite_db_changes(struct sqlite_db *db, struct store_op *op)
{
	int64_t revision = sqlite_db_number(db, SQL_REVISION);
	int64_t oldest = revision < 0 ? -1 : sqlite_db_number(db, SQL_OLDEST);

	if (op->after_revision == 0 && revision >= 0)
		op->after_revision = (uint64_t)revision;
	op->revision = (uint64_t)revision;
	if (oldest < 0) {
		sqlite_db_fail(db, op);
	} else if (op->after_revision > (uint64_t)revision ||
		   op->after_revision + 1 < (uint64_t)oldest) {
		store_op_fail(op, PM_E_STALE,
			"%.300s: the changes since then are not known any more", db->path);
	} else if (op->after_revision < (uint64_t)revision && !add_changes(db, op)) {
		sqlite_db_fail(db, op);
	}
	if (op->error == PM_OK && !op->count)
		op->after_revision = op->revision;
	return op->error != PM_OK || op->count != 0;
}
