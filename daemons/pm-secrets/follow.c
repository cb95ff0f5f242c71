/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/follow.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

/* Before a store that does not answer is asked again. */
#define AGAIN_MILLISECONDS 250
/* Secrets that are looked at together. */
#define IDS 64

struct follow;

struct look {
	struct follow *follow;
	struct store_op *op;
	char id[PM_COMMAND_ID_MAX + 1];
};

struct follow {
	struct loop *loop;
	struct store *store;
	struct hub *hub;
	struct event *again;
	struct store_op *op; /* that asks where to begin */
	struct store_watch *watch;
	/* Looking at what there is: from a place of the hub on, or done. */
	bool is_looking;
	size_t place, under_way;
	struct look looks[IDS];
	_Atomic(int64_t) lost; /* since when changes may be missed; 0: none is */
};

static void look_on(struct follow *f);

static void later(struct follow *f)
{
	struct timeval time = loop_time(AGAIN_MILLISECONDS);

	evtimer_add(f->again, &time);
}

static void lose_track(struct follow *f)
{
	if (!atomic_load(&f->lost))
		atomic_store(&f->lost, loop_now());
}

static void begin_anew(struct follow *f)
{
	lose_track(f);
	if (f->watch)
		store_unwatch(f->watch);
	f->watch = NULL;
	later(f);
}

/* The record's owner is another when another value has taken the place. */
static void tell(
	struct follow *f, const char *id, const uint8_t *bytes, size_t len, uint64_t revision)
{
	struct record record;
	int64_t now = clock_seconds();

	if (bytes && record_read_head(bytes, len, &record) == PM_OK)
		hub_changed(f->hub, id, record.owner, revision, now);
	else
		hub_changed(f->hub, id, NULL, revision, now);
}

/* --- looking at what there is ---------------------------------------------------------------- */

static void on_looked(void *arg, const struct store_result *result)
{
	struct look *look = arg;
	struct follow *f = look->follow;

	look->op = NULL;
	if (result->error == PM_OK)
		tell(f, look->id, result->entries[0].value, result->entries[0].len,
			result->revision);
	else if (result->error == PM_E_MISSING)
		tell(f, look->id, NULL, 0, result->revision);
	else if (f->watch)
		begin_anew(f);
	if (--f->under_way == 0 && f->watch)
		look_on(f);
}

static void look_at(struct follow *f, struct look *look, const char *id)
{
	char key[RECORD_KEY_SIZE];

	look->follow = f;
	strcpy(look->id, id); /* of the hub */
	record_key(id, key);
	look->op = store_get(f->store, key, on_looked, look);
	if (look->op)
		f->under_way++;
	else
		begin_anew(f);
}

static void look_on(struct follow *f)
{
	char ids[IDS][PM_COMMAND_ID_MAX + 1];
	size_t count = f->is_looking ? hub_ids(f->hub, f->place, IDS, ids, &f->place) : 0;

	f->is_looking = count && f->place;
	if (!count)
		atomic_store(&f->lost, 0);
	for (size_t i = 0; i < count; i++)
		look_at(f, &f->looks[i], ids[i]);
}

/* --- following ------------------------------------------------------------------------------- */

static void on_event(void *arg, const struct store_entry *entry)
{
	struct follow *f = arg;

	tell(f, entry->key + strlen(RECORD_PREFIX), entry->value, entry->len, entry->revision);
}

static void on_lost(void *arg, const char *reason)
{
	struct follow *f = arg;

	log_event(LOG_LEVEL_WARN, "changes lost", "reason", reason, NULL);
	f->watch = NULL;
	lose_track(f);
	later(f);
}

/* Changes first, from here on; then what was there before them. */
static void on_begun(void *arg, const struct store_result *result)
{
	struct follow *f = arg;

	f->op = NULL;
	if (result->error == PM_OK)
		f->watch = store_watch(
			f->store, RECORD_PREFIX, result->revision, on_event, on_lost, f);
	if (!f->watch) {
		later(f);
		return;
	}
	hub_missed(f->hub, result->revision);
	f->place = 0;
	f->is_looking = true;
	if (!f->under_way)
		look_on(f);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct follow *f = arg;

	(void)fd;
	(void)what;
	if (f->watch || f->op)
		return;
	f->op = store_list(f->store, RECORD_PREFIX, NULL, 1, on_begun, f);
	if (!f->op)
		later(f);
}

struct follow *follow_new(struct loop *loop, struct store *store, struct hub *hub)
{
	struct follow *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->loop = loop;
	f->store = store;
	f->hub = hub;
	lose_track(f);
	f->again = evtimer_new(loop->base, on_again, f);
	if (!f->again) {
		free(f);
		return NULL;
	}
	event_active(f->again, 0, 0);
	return f;
}

bool follow_is_lost(const struct follow *follow, int64_t milliseconds)
{
	int64_t lost = atomic_load(&follow->lost);

	return lost && loop_now() - lost >= milliseconds;
}

void follow_free(struct follow *f)
{
	if (!f)
		return;
	if (f->op)
		store_cancel(f->op);
	if (f->watch)
		store_unwatch(f->watch);
	for (size_t i = 0; i < IDS; i++)
		if (f->looks[i].op)
			store_cancel(f->looks[i].op);
	event_free(f->again);
	free(f);
}
