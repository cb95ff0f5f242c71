/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/walk.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

/* One write of a page. */
struct put {
	struct walk *walk;
	struct store_op *op;
};

struct walk {
	struct store *store;
	struct ring *ring;
	struct past *past;
	walk_done *done;
	void *arg;
	struct store_op *list;
	struct put puts[WALK_PAGE];
	size_t under_way;
	bool more, failed;
	uint64_t resealed;
	char last[STORE_KEY_MAX + 1];
};

static void on_page(void *arg, const struct store_result *result);

static bool begin_page(struct walk *walk)
{
	walk->list = store_list(walk->store, RECORD_PREFIX, walk->last, WALK_PAGE, on_page, walk);
	return walk->list != NULL;
}

/* The last thing that its caller does: the walk may be gone afterwards. */
static void go_on(struct walk *walk)
{
	if (!walk->failed && walk->more && begin_page(walk))
		return;
	walk->done(walk->arg, !walk->failed && !walk->more, walk->resealed);
}

/* Another value is there now, or none: whoever wrote it knew the epoch. */
static void on_put(void *arg, const struct store_result *result)
{
	struct put *put = arg;
	struct walk *walk = put->walk;

	put->op = NULL;
	if (result->error == PM_OK)
		walk->resealed++;
	else if (result->error != PM_E_STATE && result->error != PM_E_ARG)
		walk->failed = true;
	if (--walk->under_way == 0)
		go_on(walk);
}

static void start_put(struct walk *walk, struct put *put, const struct store_entry *e,
	const struct record *record, const uint8_t *bytes, size_t len)
{
	put->walk = walk;
	put->op = store_put(
		walk->store, e->key, bytes, len, record->expires, e->revision, on_put, put);
	if (put->op)
		walk->under_way++;
	else
		walk->failed = true;
}

static void reseal(struct walk *walk, struct put *put, const struct store_entry *e)
{
	const char *id = e->key + strlen(RECORD_PREFIX);
	struct record_value value = {0};
	struct record record;
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = record_open(walk->ring, id, e->value, e->len, &record, &value);

	if (r == PM_E_NOMEM || r == PM_E_CRYPTO) {
		walk->failed = true;
		return;
	}
	/* Nobody can open it, so nobody gets it: it goes when its time comes. */
	if (r < 0) {
		log_event(LOG_LEVEL_WARN, "value not authentic", "id", record_is_id(id) ? id : "?",
			NULL);
		return;
	}
	/* What was ended, and a store shows again, grows old with its epoch. */
	if (record.expires > clock_seconds() && !past_is_over(walk->past, id, record.created)) {
		r = record_seal(walk->ring, id, &record, &value, &bytes, &len);
		if (r == PM_OK)
			start_put(walk, put, e, &record, bytes, len);
		else
			walk->failed = true;
	}
	record_value_free(&value);
	free(bytes);
}

static void on_page(void *arg, const struct store_result *result)
{
	struct walk *walk = arg;
	uint32_t epoch;

	walk->list = NULL;
	walk->failed = result->error < 0;
	walk->more = result->more;
	for (size_t i = 0; i < result->count && !walk->failed; i++) {
		const struct store_entry *e = &result->entries[i];

		if (record_epoch(e->value, e->len, &epoch) < 0 || epoch < ring_epoch(walk->ring))
			reseal(walk, &walk->puts[i], e);
		strcpy(walk->last, e->key); /* the store's keys are no longer */
	}
	if (!walk->under_way)
		go_on(walk);
}

struct walk *walk_new(
	struct store *store, struct ring *ring, struct past *past, walk_done *done, void *arg)
{
	struct walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return NULL;
	walk->store = store;
	walk->ring = ring;
	walk->past = past;
	walk->done = done;
	walk->arg = arg;
	if (begin_page(walk))
		return walk;
	free(walk);
	return NULL;
}

void walk_free(struct walk *walk)
{
	if (!walk)
		return;
	if (walk->list)
		store_cancel(walk->list);
	for (size_t i = 0; i < WALK_PAGE; i++)
		if (walk->puts[i].op)
			store_cancel(walk->puts[i].op);
	free(walk);
}
