/* SPDX-License-Identifier: Apache-2.0 */
#include "common/store_watch.h"

#include <pm/error.h>
#include <stdlib.h>
#include <string.h>

void store_watch_free(struct store_watch *watch)
{
	if (watch->store->backend->end_watch)
		watch->store->backend->end_watch(watch);
	TAILQ_REMOVE(&watch->store->watches, watch, all);
	watch->store->watch_count--;
	free(watch->prefix);
	free(watch);
}

struct store_watch *store_watch(struct store *store, const char *prefix, uint64_t after_revision,
	store_event *event, store_lost *lost, void *arg)
{
	struct store_watch *watch;

	if (store->watch_count >= STORE_WATCHES_MAX)
		return NULL;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return NULL;
	watch->store = store;
	watch->seen = after_revision;
	watch->event = event;
	watch->lost = lost;
	watch->arg = arg;
	TAILQ_INSERT_TAIL(&store->watches, watch, all);
	store->watch_count++;
	watch->prefix = strdup(prefix ? prefix : "");
	if (!watch->prefix || !store_watch_wait(watch)) {
		store_watch_free(watch);
		return NULL;
	}
	return watch;
}

void store_unwatch(struct store_watch *watch)
{
	struct store_op *op = watch->op;

	watch->is_ended = true;
	watch->op = NULL;
	if (op) {
		op->watch = NULL;
		/* It was never counted. */
		watch->store->op_count++;
		store_cancel(op);
	}
	if (!watch->is_telling)
		store_watch_free(watch);
}

/* An entry that expired on the way is gone. */
static void tell_one(struct store_watch *watch, const struct store_entry *entry)
{
	struct store_entry gone = *entry;

	gone.value = NULL;
	gone.len = 0;
	gone.expires = 0;
	watch->event(watch->arg, store_is_expired(entry->expires, store_time()) ? &gone : entry);
}

static void tell_lost(struct store_watch *watch, const char *reason)
{
	store_lost *lost = watch->lost;
	void *arg = watch->arg;

	store_watch_free(watch);
	lost(arg, reason);
}

void store_watch_tell(struct store_op *op)
{
	struct store_watch *watch = op->watch;

	watch->op = NULL;
	if (op->error != PM_OK) {
		tell_lost(watch, op->reason);
		return;
	}
	watch->is_telling = true;
	for (size_t i = 0; i < op->count && !watch->is_ended; i++)
		tell_one(watch, &op->entries[i]);
	watch->is_telling = false;
	watch->seen = op->revision;
	if (watch->is_ended)
		store_watch_free(watch);
	else if (!store_watch_wait(watch))
		tell_lost(watch, "out of memory");
}
