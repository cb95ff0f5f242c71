/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log in the store: one chain of all coordinators of a deployment. Each line is written
 * under its number where there must be none, so that no two follow the same. Nobody gets an answer
 * before its line is there: a log that can't be written admits nobody.
 */
#ifndef COORDINATOR_JOURNAL_H
#define COORDINATOR_JOURNAL_H

#include <pm/audit.h>

#include "common/store.h"

#define JOURNAL_PREFIX	 "coordinator/log/"
#define JOURNAL_KEY_SIZE 64
/* Lines that may wait. */
#define JOURNAL_WAIT_MAX 1024

struct journal;

/* 0, or a negative enum pm_error: the line is not there, or perhaps. */
typedef void journal_done(void *arg, int error);

/* store must outlive it. NULL without memory. */
struct journal *journal_new(struct loop *loop, struct store *store);
/* Who waits is told PM_E_STATE. */
void journal_free(struct journal *journal);

/* Who signs from now on; the key is borrowed until the next call. False without memory. */
bool journal_set_key(struct journal *journal, const struct pm_sign_key *key);

/* Values are copied. done may be NULL. False: too many wait, or there is no memory or key. */
bool journal_add(struct journal *journal, const char *event, const struct pm_audit_field *fields,
	size_t count, journal_done *done, void *arg);

/* Looks again for its end, where that is not known. */
void journal_look(struct journal *journal);

/* Where it ends, as far as this process knows. False: it does not know yet. */
bool journal_head(const struct journal *journal, struct pm_audit_head *ret_head);

/* The key of a line in the store. */
void journal_key_of(uint64_t sequence, char ret[JOURNAL_KEY_SIZE]);

#endif
