/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to a store's file, of one thread at a time. store_sqlite.c says which threads.
 *
 * The file: table entry (key, value, revision, expires), and table change (revision, key), which
 * has a row for each of the last STORE_HISTORY writes; its greatest revision is the store's.
 */
#ifndef COMMON_STORE_SQLITE_H
#define COMMON_STORE_SQLITE_H

#include "common/store_backend.h"

struct sqlite_db;

/*
 * Opens the file, which exists; what an empty one needs is made. 0; PM_E_FORMAT, PM_E_UNSUPPORTED,
 * PM_E_SYS, PM_E_LIMIT (full), PM_E_NOMEM with the reason.
 */
int sqlite_db_open(const char *path, char reason[STORE_REASON_SIZE], struct sqlite_db **ret_db);
void sqlite_db_close(struct sqlite_db *db);

/*
 * Does these writes and makes them durable, together where it can; when that fails and it is known
 * that nothing was done, each alone. Each operation has its result then. True: something may have
 * changed.
 */
bool sqlite_db_write(struct sqlite_db *db, struct store_ops *ops);

/* STORE_GET and STORE_LIST, all of the same state of the file. */
void sqlite_db_read(struct sqlite_db *db, struct store_ops *ops);

/* Is there something to tell, or an error? Else revision is up to where it looked. */
bool sqlite_db_changes(struct sqlite_db *db, struct store_op *op);

/* A number that differs once another connection, of any process, has changed the file; or -1. */
int64_t sqlite_db_version(struct sqlite_db *db);

#endif
