/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The search for the last batch of a log in the store, without reading the others: numbers are
 * tried in steps that double, and then between the last two by halves. The first batches may be
 * gone, as their time came. One call of the store at a time; a store that answers as it likes gets
 * 90 of them at most, because each answer must lie behind what was asked for.
 */
#ifndef SECRETS_LOG_END_H
#define SECRETS_LOG_END_H

#include "common/buffer.h"
#include "pm-secrets/trail.h"

/* error: 0, or a negative enum pm_error, with its reason. */
typedef void log_end_done(void *arg, int error, const char *reason);

/* Begin with zeros. */
struct log_end {
	struct store *store;
	log_end_done *done;
	void *arg;
	struct store_op *op;
	char name[PM_AUDIT_NAME_MAX + 1];
	/* low is there, and high, once it is known, is not before the end; 0: nobody knows. */
	uint64_t low, high;
	uint64_t hint, step, asked;
	/* What comes of it, beside low: its lines. None when they are more than a batch has. */
	struct buffer lines;
};

/*
 * From a batch that a list has shown, of which name and number were read. hint: the batch that was
 * the last one once, or 0. store, done and arg are set; done is called from the loop, not from
 * here. 0; PM_E_NOMEM.
 */
int log_end_find(struct log_end *end, const char *name, uint64_t number,
	const struct store_entry *first, uint64_t hint);

/* No call comes; zeros. */
void log_end_clear(struct log_end *end);

#endif
