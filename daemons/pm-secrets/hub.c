/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/hub.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>
#include <pm/table.h>

#include "pm-secrets/hub_events.h"

#define BUCKETS 65536u

/* A secret that a worker has. */
struct note {
	struct note *next; /* of its bucket */
	struct worker *worker;
	int64_t expires;
	uint64_t seen;	      /* revision of the store that it is of */
	enum hub_event ended; /* 0: not yet */
	uint8_t version[RECORD_OWNER_SIZE];
	char id[PM_COMMAND_ID_MAX + 1];
};

struct hub_watch {
	struct hub_watch *next;
	struct worker *worker;
	struct hub_events events;
	void (*wake)(void *arg);
	void *arg;
};

struct worker {
	struct worker *next;
	size_t ids, watch_count;
	struct hub_watch *watches;
	int64_t heard; /* when it last fetched, or watched */
	char name[HUB_WORKER_MAX + 1];
};

struct hub {
	pthread_mutex_t lock;
	uint8_t seed[PM_TABLE_SEED_SIZE];
	size_t worker_count, note_count;
	uint64_t missed; /* revision up to which changes may not have come */
	int64_t now;	 /* of the last sweep */
	struct worker *workers;
	struct note *buckets[BUCKETS];
	uint64_t changed[BUCKETS]; /* revision of the last one, of all that may stand there */
};

struct hub *hub_new(void)
{
	struct hub *hub = calloc(1, sizeof(*hub));

	if (!hub)
		return NULL;
	if (pm_table_seed(hub->seed) < 0) {
		free(hub);
		return NULL;
	}
	pthread_mutex_init(&hub->lock, NULL);
	return hub;
}

/* --- with the lock held: workers ------------------------------------------------------------- */

static struct worker *find_worker(struct hub *hub, const char *name)
{
	struct worker *worker = hub->workers;

	while (worker && strcmp(worker->name, name) != 0)
		worker = worker->next;
	return worker;
}

/* Who has nothing and hears nothing makes room. */
static void drop_idle(struct hub *hub, struct worker *worker)
{
	struct worker **link = &hub->workers;

	if (worker->ids || worker->watch_count)
		return;
	while (*link != worker)
		link = &(*link)->next;
	*link = worker->next;
	hub->worker_count--;
	free(worker);
}

/* --- with the lock held: notes --------------------------------------------------------------- */

static size_t place_of(const struct hub *hub, const char *id)
{
	return pm_table_hash(hub->seed, id, strlen(id)) % BUCKETS;
}

static struct note **bucket_of(struct hub *hub, const char *id)
{
	return &hub->buckets[place_of(hub, id)];
}

/* Has the secret changed since an answer of that revision, or may it have? */
static bool is_late(const struct hub *hub, const char *id, uint64_t seen)
{
	return seen < hub->missed || seen < hub->changed[place_of(hub, id)];
}

static struct note *find_note(struct hub *hub, const struct worker *worker, const char *id)
{
	struct note *note = *bucket_of(hub, id);

	while (note && (note->worker != worker || strcmp(note->id, id) != 0))
		note = note->next;
	return note;
}

static void drop_note(struct hub *hub, struct note **link)
{
	struct note *note = *link;

	*link = note->next;
	note->worker->ids--;
	hub->note_count--;
	drop_idle(hub, note->worker);
	free(note);
}

/* --- with the lock held: events -------------------------------------------------------------- */

static void put_event(struct hub_watch *watch, const char *id, enum hub_event event)
{
	hub_events_put(&watch->events, id, event);
	watch->wake(watch->arg);
}

/* Tells all who watch. False when nobody does: then it waits. */
static bool tell(const struct note *note, enum hub_event event)
{
	for (struct hub_watch *w = note->worker->watches; w; w = w->next)
		put_event(w, note->id, event);
	return note->worker->watches != NULL;
}

static bool is_version(const struct note *note, const uint8_t *version)
{
	return version && !memcmp(note->version, version, RECORD_OWNER_SIZE);
}

/* Tells of them, where somebody watches. */
static void drop_where(
	struct hub *hub, bool (*is_over)(const struct note *note, const void *arg), const void *arg)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct note **link = &hub->buckets[i];

		while (*link) {
			if (!is_over(*link, arg)) {
				link = &(*link)->next;
				continue;
			}
			(void)tell(*link, (*link)->ended ? (*link)->ended : HUB_EXPIRED);
			drop_note(hub, link);
		}
	}
}

/* --- with the lock held: room ---------------------------------------------------------------- */

/* Who has been without a watch for longest, and for long enough. */
static struct worker *find_gone(const struct hub *hub)
{
	struct worker *gone = NULL;

	for (struct worker *w = hub->workers; w; w = w->next)
		if (!w->watch_count && hub->now - w->heard >= HUB_GONE &&
			(!gone || w->heard < gone->heard))
			gone = w;
	return gone;
}

static bool is_of(const struct note *note, const void *arg)
{
	return note->worker == arg;
}

/* With its last note it goes itself: it has no watch. */
static bool drop_gone(struct hub *hub)
{
	const struct worker *gone = find_gone(hub);

	if (gone)
		drop_where(hub, is_of, gone);
	return gone != NULL;
}

static int add_worker(struct hub *hub, const char *name, struct worker **ret)
{
	struct worker *worker;

	if (strlen(name) > HUB_WORKER_MAX)
		return PM_E_LIMIT;
	if (hub->worker_count >= HUB_WORKERS_MAX && !drop_gone(hub))
		return PM_E_LIMIT;
	worker = calloc(1, sizeof(*worker));
	if (!worker)
		return PM_E_NOMEM;
	strcpy(worker->name, name); /* its length was checked */
	worker->next = hub->workers;
	hub->workers = worker;
	hub->worker_count++;
	*ret = worker;
	return PM_OK;
}

static int get_worker(struct hub *hub, const char *name, struct worker **ret)
{
	struct worker *worker = find_worker(hub, name);
	int r = worker ? PM_OK : add_worker(hub, name, &worker);

	if (r < 0)
		return r;
	worker->heard = hub->now;
	*ret = worker;
	return PM_OK;
}

static int add_note(struct hub *hub, struct worker *worker, const char *id, struct note **ret)
{
	struct note **bucket = bucket_of(hub, id), *note;

	if (worker->ids >= HUB_IDS_MAX || strlen(id) > PM_COMMAND_ID_MAX)
		return PM_E_LIMIT;
	if (hub->note_count >= HUB_NOTES_MAX && !drop_gone(hub))
		return PM_E_LIMIT;
	note = calloc(1, sizeof(*note));
	if (!note)
		return PM_E_NOMEM;
	note->worker = worker;
	strcpy(note->id, id); /* its length was checked */
	note->next = *bucket;
	*bucket = note;
	worker->ids++;
	hub->note_count++;
	*ret = note;
	return PM_OK;
}

/* --- the doors ------------------------------------------------------------------------------- */

void hub_missed(struct hub *hub, uint64_t revision)
{
	pthread_mutex_lock(&hub->lock);
	if (hub->missed < revision)
		hub->missed = revision;
	pthread_mutex_unlock(&hub->lock);
}

/* The note of it, made where there is none. */
static int get_note(struct hub *hub, const char *worker, const char *id, struct note **ret)
{
	struct worker *who;
	int r = get_worker(hub, worker, &who);

	if (r < 0)
		return r;
	*ret = find_note(hub, who, id);
	if (*ret)
		return PM_OK;
	r = add_note(hub, who, id, ret);
	if (r < 0)
		drop_idle(hub, who);
	return r;
}

int hub_note(struct hub *hub, const char *worker, const char *id,
	const uint8_t version[RECORD_OWNER_SIZE], int64_t expires, uint64_t seen)
{
	struct note *note = NULL;
	int r;

	pthread_mutex_lock(&hub->lock);
	r = is_late(hub, id, seen) ? PM_E_STALE : get_note(hub, worker, id, &note);
	if (r == PM_OK) {
		note->ended = 0;
		note->expires = expires;
		note->seen = seen;
		memcpy(note->version, version, RECORD_OWNER_SIZE);
	}
	pthread_mutex_unlock(&hub->lock);
	return r;
}

bool hub_has(struct hub *hub, const char *worker, const char *id,
	const uint8_t version[RECORD_OWNER_SIZE])
{
	const struct worker *who;
	const struct note *note;
	bool has;

	pthread_mutex_lock(&hub->lock);
	who = find_worker(hub, worker);
	note = who ? find_note(hub, who, id) : NULL;
	has = note && !note->ended && is_version(note, version);
	pthread_mutex_unlock(&hub->lock);
	return has;
}

/* Is this note one that ends by it? */
static bool is_ending(const struct note *note, const char *id, const uint8_t *version,
	uint64_t revision, int64_t now)
{
	return !note->ended && !strcmp(note->id, id) && note->seen < revision &&
	       !is_version(note, version) && note->expires > now;
}

/* With the lock held. */
static void end_notes(
	struct hub *hub, const char *id, const uint8_t *version, uint64_t revision, int64_t now)
{
	struct note **link = bucket_of(hub, id);

	while (*link) {
		struct note *note = *link;

		if (!is_ending(note, id, version, revision, now)) {
			link = &note->next;
			continue;
		}
		note->ended = HUB_REVOKED;
		if (tell(note, HUB_REVOKED))
			drop_note(hub, link);
		else
			link = &note->next;
	}
}

void hub_changed(
	struct hub *hub, const char *id, const uint8_t *version, uint64_t revision, int64_t now)
{
	pthread_mutex_lock(&hub->lock);
	if (hub->changed[place_of(hub, id)] < revision)
		hub->changed[place_of(hub, id)] = revision;
	end_notes(hub, id, version, revision, now);
	pthread_mutex_unlock(&hub->lock);
}

void hub_ended(struct hub *hub, const char *id, int64_t now)
{
	pthread_mutex_lock(&hub->lock);
	end_notes(hub, id, NULL, UINT64_MAX, now);
	pthread_mutex_unlock(&hub->lock);
}

static bool is_expired(const struct note *note, const void *arg)
{
	return note->expires <= *(const int64_t *)arg;
}

void hub_sweep(struct hub *hub, int64_t now)
{
	pthread_mutex_lock(&hub->lock);
	hub->now = now;
	drop_where(hub, is_expired, &now);
	pthread_mutex_unlock(&hub->lock);
}

static bool has_id(char (*ids)[PM_COMMAND_ID_MAX + 1], size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(ids[i], id))
			return true;
	return false;
}

/* Of one bucket, each once; what has no room waits for the next time that all is looked at. */
static size_t ids_of(const struct note *note, size_t most, char (*ret_ids)[PM_COMMAND_ID_MAX + 1])
{
	size_t count = 0;

	for (; note && count < most; note = note->next)
		if (!note->ended && !has_id(ret_ids, count, note->id))
			strcpy(ret_ids[count++], note->id); /* as long as those of notes */
	return count;
}

size_t hub_ids(struct hub *hub, size_t from, size_t most, char (*ret_ids)[PM_COMMAND_ID_MAX + 1],
	size_t *ret_next)
{
	size_t count = 0, at = from;

	pthread_mutex_lock(&hub->lock);
	/* A bucket as a whole: it is the place to go on. One without room is taken once more. */
	for (; at < BUCKETS && count < most; at++) {
		size_t here = ids_of(hub->buckets[at], most - count, ret_ids + count);

		if (count && count + here == most)
			break;
		count += here;
	}
	pthread_mutex_unlock(&hub->lock);
	*ret_next = at < BUCKETS ? at : 0;
	return count;
}

/* What ended while nobody watched. */
static bool is_waiting(const struct note *note, const void *arg)
{
	return note->worker == arg && note->ended;
}

static struct hub_watch *add_watch(
	struct hub *hub, const char *name, void (*wake)(void *arg), void *arg)
{
	struct worker *worker;
	struct hub_watch *watch;

	if (get_worker(hub, name, &worker) < 0)
		return NULL;
	watch = worker->watch_count < HUB_WATCHES_MAX ? calloc(1, sizeof(*watch)) : NULL;
	if (!watch) {
		drop_idle(hub, worker);
		return NULL;
	}
	*watch = (struct hub_watch){.next = worker->watches, .worker = worker};
	watch->wake = wake;
	watch->arg = arg;
	worker->watches = watch;
	worker->watch_count++;
	drop_where(hub, is_waiting, worker);
	return watch;
}

struct hub_watch *hub_watch(struct hub *hub, const char *worker, void (*wake)(void *arg), void *arg)
{
	struct hub_watch *watch;

	pthread_mutex_lock(&hub->lock);
	watch = add_watch(hub, worker, wake, arg);
	pthread_mutex_unlock(&hub->lock);
	return watch;
}

void hub_unwatch(struct hub *hub, struct hub_watch *watch)
{
	struct worker *worker = watch->worker;
	struct hub_watch **link = &worker->watches;

	pthread_mutex_lock(&hub->lock);
	while (*link != watch)
		link = &(*link)->next;
	*link = watch->next;
	worker->watch_count--;
	worker->heard = hub->now;
	drop_idle(hub, worker);
	pthread_mutex_unlock(&hub->lock);
	hub_events_clear(&watch->events);
	free(watch);
}

bool hub_take(struct hub *hub, struct hub_watch *watch, char ret_id[PM_COMMAND_ID_MAX + 1],
	enum hub_event *ret_event, bool *ret_lost)
{
	bool is_there;

	pthread_mutex_lock(&hub->lock);
	*ret_lost = watch->events.is_lost;
	is_there = hub_events_take(&watch->events, ret_id, ret_event);
	pthread_mutex_unlock(&hub->lock);
	return is_there;
}

size_t hub_count(struct hub *hub)
{
	size_t count;

	pthread_mutex_lock(&hub->lock);
	count = hub->note_count;
	pthread_mutex_unlock(&hub->lock);
	return count;
}

void hub_free(struct hub *hub)
{
	if (!hub)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (hub->buckets[i])
			drop_note(hub, &hub->buckets[i]);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}
