/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/replay.h"

#include <pthread.h>
#include <stdlib.h>

#include <pm/exchange.h>

#include "base/rd.h"
#include "base/report.h"
#include "base/time.h"
#include "crypto/crypto.h"

/* The number of an entry, from 1 on, or NONE: zeroed memory is an empty table. */
typedef uint32_t slot;
#define NONE  0
#define WORDS (PM_REPLAY_KEY_SIZE / sizeof(uint32_t))

struct entry {
	uint8_t header[PM_REPLAY_KEY_SIZE];
	int64_t issued_at;
	slot next; /* of its bucket, or of the free ones */
};

struct pm_replay {
	pthread_mutex_t lock;
	slot capacity, buckets;
	slot unused;  /* the first entry that was freed */
	slot touched; /* entries that were ever used: the memory of others is not there yet */
	int64_t window;
	int64_t floor;			 /* what was issued up to then may have been forgotten */
	int64_t cleared;		 /* when old entries were last looked for */
	uint64_t multipliers[WORDS + 1]; /* and a summand */
	slot *heads;
	struct entry *entries;
};

static struct entry *entry(const struct pm_replay *replay, slot i)
{
	return &replay->entries[i - 1];
}

static bool are_limits(size_t entries, uint32_t window)
{
	return entries && entries <= PM_EXCHANGE_REPLAY_MAX && window &&
	       window <= PM_EXCHANGE_WINDOW_MAX;
}

int pm_replay_new(size_t entries, uint32_t window, int64_t start, struct pm_replay **ret)
{
	pm_cleanup(pm_replay) struct pm_replay *replay = NULL;

	if (!are_limits(entries, window))
		return PM_E_ARG;
	replay = pm_alloc(sizeof(*replay));
	if (!replay)
		return PM_E_NOMEM;
	pthread_mutex_init(&replay->lock, NULL); /* can't fail with default attributes on Linux */
	replay->capacity = (slot)entries;
	replay->buckets = (slot)entries;
	replay->window = window;
	replay->floor = start;
	replay->cleared = INT64_MIN;
	pm_random(replay->multipliers, sizeof(replay->multipliers));
	replay->heads = pm_alloc(replay->buckets * sizeof(*replay->heads));
	replay->entries = pm_alloc(replay->capacity * sizeof(*replay->entries));
	if (!replay->heads || !replay->entries)
		return PM_E_NOMEM;
	*ret = pm_steal(replay);
	return PM_OK;
}

void pm_replay_free(struct pm_replay *replay)
{
	if (!replay)
		return;
	pthread_mutex_destroy(&replay->lock);
	free(replay->heads);
	free(replay->entries);
	free(replay);
}

/*
 * Clients choose their headers: with secret multipliers none can choose a bucket too and make a
 * worker walk long chains (multilinear hashing modulo 2^64, of which the high half is universal).
 */
static slot *bucket(const struct pm_replay *replay, const uint8_t *header)
{
	struct pm_rd rd = pm_rd(pm_view(header, PM_REPLAY_KEY_SIZE));
	uint64_t h = replay->multipliers[WORDS];

	for (size_t i = 0; i < WORDS; i++)
		h += pm_rd_le32(&rd) * replay->multipliers[i];
	return &replay->heads[(h >> 32) * replay->buckets >> 32];
}

static bool is_known(const struct pm_replay *replay, const uint8_t *header)
{
	struct pm_view wanted = pm_view(header, PM_REPLAY_KEY_SIZE);

	for (slot i = *bucket(replay, header); i != NONE; i = entry(replay, i)->next) {
		if (pm_view_equal(pm_view(entry(replay, i)->header, PM_REPLAY_KEY_SIZE), wanted))
			return true;
	}
	return false;
}

static void forget(struct pm_replay *replay, slot *link)
{
	struct entry *e = entry(replay, *link);
	slot i = *link;

	/*
	 * Should the clock ever go back, what is forgotten now would be young again: so nothing
	 * that old is admitted any more, whatever the clock says.
	 */
	if (e->issued_at > replay->floor)
		replay->floor = e->issued_at;
	*link = e->next;
	e->next = replay->unused;
	replay->unused = i;
}

/* Frees what is too old. Walks all entries, so it is done once a second at most. */
static void clear_old(struct pm_replay *replay, int64_t now)
{
	if (replay->cleared == now)
		return;
	replay->cleared = now;
	for (slot b = 0; b < replay->buckets; b++) {
		slot *link = &replay->heads[b];

		while (*link != NONE) {
			struct entry *e = entry(replay, *link);

			if (e->issued_at < now - replay->window)
				forget(replay, link);
			else
				link = &e->next;
		}
	}
}

static slot take_unused(struct pm_replay *replay)
{
	slot i = replay->unused;

	if (i != NONE)
		replay->unused = entry(replay, i)->next;
	else if (replay->touched < replay->capacity)
		i = ++replay->touched;
	return i;
}

static int remember(struct pm_replay *replay, const uint8_t *header, int64_t issued_at, int64_t now)
{
	struct entry *e;
	slot *head = bucket(replay, header);
	slot i;

	if (replay->unused == NONE && replay->touched == replay->capacity)
		clear_old(replay, now);
	i = take_unused(replay);
	if (i == NONE)
		return PM_E_LIMIT;
	e = entry(replay, i);
	pm_copy(e->header, header, PM_REPLAY_KEY_SIZE);
	e->issued_at = issued_at;
	e->next = *head;
	*head = i;
	return PM_OK;
}

static int check_age(
	const struct pm_replay *replay, int64_t issued_at, int64_t now, struct pm_report *report)
{
	if (issued_at < now - replay->window)
		return pm_fail(report, PM_E_STALE, "sealed.issued_at",
			pm_time(now - replay->window).s, "%s", pm_time(issued_at).s);
	if (issued_at > now + PM_EXCHANGE_SKEW)
		return pm_fail(report, PM_E_STALE, "sealed.issued_at", pm_time(now).s, "%s",
			pm_time(issued_at).s);
	if (issued_at <= replay->floor)
		return pm_fail(report, PM_E_STALE, "sealed.issued_at",
			"a time that the replay cache covers", "%s", pm_time(issued_at).s);
	return PM_OK;
}

static int admit(struct pm_replay *replay, const uint8_t *header, int64_t issued_at, int64_t now,
	struct pm_report *report)
{
	int r = check_age(replay, issued_at, now, report);

	if (r < 0)
		return r;
	if (is_known(replay, header))
		return pm_fail(report, PM_E_REJECTED, "sealed.replay", "a request seen first now",
			"one seen before");
	r = remember(replay, header, issued_at, now);
	if (r < 0)
		return pm_fail(report, r, "sealed.replay", "room in the replay cache",
			"%u requests", replay->capacity);
	return PM_OK;
}

int pm_replay_admit(struct pm_replay *replay, const uint8_t *header, int64_t issued_at, int64_t now,
	struct pm_report *report)
{
	int r;

	/* Sums with the window can't wrap: the years are those of heads. */
	if (now < 0 || now > INT64_MAX / 2)
		return PM_E_ARG;
	pthread_mutex_lock(&replay->lock);
	r = admit(replay, header, issued_at, now, report);
	pthread_mutex_unlock(&replay->lock);
	return r;
}
