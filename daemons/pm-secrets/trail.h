/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of what was released, refused and changed, signed and chained by audit.h, in the store
 * that all instances share. Each loop of each process writes a log of its own, so that nobody waits
 * for another; lines that come while a write is under way go together with the next.
 *
 * Nothing is answered before its line is kept: a store that takes no lines gets no secret out of
 * us. Never a secret, nor anything of one, goes in.
 */
#ifndef SECRETS_TRAIL_H
#define SECRETS_TRAIL_H

#include <stdbool.h>
#include <stdint.h>

#include <pm/audit.h>

#include "common/store.h"

/* Where lines lie: behind this the name of the log, a slash, and the number of the batch. */
#define TRAIL_PREFIX "secrets/log/"

/* Room for the key of a batch; and the greatest number of one, as keys are sorted by them. */
#define TRAIL_KEY_SIZE	 (sizeof(TRAIL_PREFIX) + PM_AUDIT_NAME_MAX + 24)
#define TRAIL_NUMBER_MAX UINT64_C(999999999999)

/* Lines of one batch, in bytes: more do not wait for it. */
#define TRAIL_BATCH_MAX 262144

struct trail;
/* Somebody who waits for his line. */
struct trail_wait;

typedef void trail_done(void *arg, bool kept);

/* Where a batch lies. The first one of a log is number 1. */
void trail_key(const char *name, uint64_t number, char ret_key[TRAIL_KEY_SIZE]);
/* Which batch lies there; false: that is no key of one. */
bool trail_key_read(const char *key, char ret_name[PM_AUDIT_NAME_MAX + 1], uint64_t *ret_number);

struct trail_options {
	const char *name;
	const struct pm_sign_key *key; /* lives longer */
	int64_t keep_seconds;	       /* how long lines stay in the store */
};

/* 0; PM_E_ARG, PM_E_NOMEM. */
int trail_new(struct loop *loop, struct store *store, const struct trail_options *options,
	struct trail **ret_trail);
/* Before its store. Who waits hears nothing any more. */
void trail_free(struct trail *trail);

/*
 * Writes a line; done is called, from the loop and never from within, when it is kept or will never
 * be. done NULL: nobody waits. PM_E_LIMIT when too much waits already; as pm_audit_append().
 * ret_wait may be NULL.
 */
int trail_note(struct trail *trail, const char *event, const struct pm_audit_field *fields,
	size_t count, trail_done *done, void *arg, struct trail_wait **ret_wait);

/* Nobody waits any more; the line stays. */
void trail_forget(struct trail_wait *wait);

/* Lines that were kept. */
uint64_t trail_kept(const struct trail *trail);

#endif
