/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-proxy/keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "pm-proxy/spent.h"
#include "pm-proxy/vault.h"

#define BUCKETS 16384u

/*
 * Two queues: of trials in the order in which they began, and of what was opened and may make room
 * in the order of its last use.
 */
enum queue { TRIALS, USED, QUEUES };

struct hook {
	struct key *next, **back; /* back: what points to this one, or NULL */
};

struct key {
	struct key *next; /* of its bucket */
	struct hook hooks[QUEUES];
	unsigned int references;
	bool is_listed, is_opened, serves_field;
	int64_t expires, fresh_since;
	uint64_t lease;	   /* 0: it needs none */
	int64_t confirmed; /* its expiry from then on, or 0 */
	struct pm_field_key *field;
	struct pm_exchange_key *sealed;
	const uint8_t *secret;
	char id[KEYS_ID_MAX + 1];
};

struct keys {
	pthread_mutex_t lock;
	struct keys_rules rules;
	struct vault *vault;
	struct spent *spent;	   /* were used, and are gone */
	struct spent *field_spent; /* served field messages */
	int64_t latest;		   /* the time, which never goes back */
	int64_t floor;		   /* what was issued up to then may have been forgotten */
	uint64_t lease_floor, lease_held;
	size_t count, opened, field_count;
	struct key *first[QUEUES], **last[QUEUES];
	struct key *buckets[BUCKETS];
};

/* Keys beyond those in the table live in exchanges that are under way. */
#define SECRETS_MAX (2 * KEYS_MAX)

int keys_new(const struct keys_rules *rules, struct keys **ret_keys)
{
	struct keys *keys = calloc(1, sizeof(*keys));

	if (!keys)
		return PM_E_NOMEM;
	keys->rules = *rules;
	keys->vault = vault_new(SECRETS_MAX);
	keys->spent = spent_new(rules->spent);
	keys->field_spent = spent_new(KEYS_FIELD_SPENT);
	if (!keys->vault || !keys->spent || !keys->field_spent) {
		vault_free(keys->vault);
		spent_free(keys->spent);
		spent_free(keys->field_spent);
		free(keys);
		return PM_E_NOMEM;
	}
	keys->latest = keys->floor = INT64_MIN;
	for (int i = 0; i < QUEUES; i++)
		keys->last[i] = &keys->first[i];
	pthread_mutex_init(&keys->lock, NULL);
	*ret_keys = keys;
	return PM_OK;
}

/* Ids are hashes, and who chooses one badly is found a little later. */
static struct key **bucket_of(struct keys *keys, const char *id)
{
	uint32_t hash = 2166136261u;

	for (; *id; id++)
		hash = (hash ^ (uint8_t)*id) * 16777619u;
	return &keys->buckets[hash % BUCKETS];
}

/* In a time that says nothing of where they differ. */
static bool is_same(const uint8_t *a, const uint8_t *b)
{
	unsigned int difference = 0;

	for (size_t i = 0; i < VAULT_SECRET_SIZE; i++)
		difference |= (unsigned int)(a[i] ^ b[i]);
	return difference == 0;
}

/* --- with the lock held ---------------------------------------------------------------------- */

static void destroy(struct keys *keys, struct key *key)
{
	keys->opened -= key->is_opened;
	keys->field_count -= key->serves_field;
	pm_field_key_free(key->field);
	pm_exchange_key_free(key->sealed);
	if (key->secret)
		vault_drop(keys->vault, key->secret);
	free(key);
}

static void unref(struct keys *keys, struct key *key)
{
	if (--key->references == 0)
		destroy(keys, key);
}

static void join(struct keys *keys, enum queue queue, struct key *key)
{
	struct hook *hook = &key->hooks[queue];

	hook->back = keys->last[queue];
	*hook->back = key;
	keys->last[queue] = &hook->next;
}

static void leave(struct keys *keys, enum queue queue, struct key *key)
{
	struct hook *hook = &key->hooks[queue];

	if (!hook->back)
		return;
	*hook->back = hook->next;
	if (hook->next)
		hook->next->hooks[queue].back = hook->back;
	else
		keys->last[queue] = hook->back;
	*hook = (struct hook){0};
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/*
 * What was answered under it is forgotten. When the id is forgotten too, nothing of its time is
 * answered any more under a secret that comes, whatever the clock says then.
 */
static void remember(struct keys *keys, const struct key *key)
{
	int64_t forgotten;

	if (!key->is_opened || key->confirmed)
		return;
	forgotten = spent_add(keys->spent, key->id, keys->latest);
	if (forgotten != SPENT_NONE)
		keys->floor = later(keys->floor, forgotten + PM_EXCHANGE_SKEW);
}

static void unlist(struct keys *keys, struct key **link)
{
	struct key *key = *link;

	leave(keys, TRIALS, key);
	leave(keys, USED, key);
	remember(keys, key);
	*link = key->next;
	key->is_listed = false;
	keys->count--;
	unref(keys, key);
}

static struct key **find_link(struct keys *keys, const char *id)
{
	struct key **link = bucket_of(keys, id);

	while (*link && strcmp((*link)->id, id) != 0)
		link = &(*link)->next;
	return link;
}

static void purge(struct keys *keys, int64_t now)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct key **link = &keys->buckets[i];

		while (*link) {
			if ((*link)->expires <= now)
				unlist(keys, link);
			else
				link = &(*link)->next;
		}
	}
}

/* As the two formats have them: see pm_field_key_new(). */
static bool is_id(const char *id)
{
	size_t len = strlen(id);

	for (size_t i = 0; i < len; i++)
		if (id[i] <= ' ' || id[i] > '~' || strchr("\"\\:", id[i]))
			return false;
	return len && len <= KEYS_ID_MAX;
}

static int make(struct keys *keys, const char *id, const uint8_t *secret, struct key **ret_key)
{
	struct key *key;

	if (!is_id(id))
		return PM_E_ARG;
	key = calloc(1, sizeof(*key));
	if (!key)
		return PM_E_NOMEM;
	key->references = 1;
	key->secret = vault_put(keys->vault, secret);
	if (!key->secret) {
		destroy(keys, key);
		return PM_E_LIMIT;
	}
	strcpy(key->id, id); /* its length was checked */
	*ret_key = key;
	return PM_OK;
}

/* The first of a queue that nobody uses just now makes room; false when there is none. */
static bool make_room(struct keys *keys, enum queue queue)
{
	struct key *key = keys->first[queue];

	while (key && key->references > 1)
		key = key->hooks[queue].next;
	if (key)
		unlist(keys, find_link(keys, key->id));
	return key != NULL;
}

/*
 * Also of a secret that is there already: its time may be longer now. In a full table the oldest
 * on trial makes room: whoever fills it with secrets that he never uses keeps nobody out.
 */
static int insert(struct keys *keys, const char *id, const uint8_t *secret, int64_t expires,
	int64_t fresh_since)
{
	struct key **link = find_link(keys, id), *key;
	int r;

	if (*link && !is_same((*link)->secret, secret))
		return PM_E_REJECTED;
	if (*link) {
		(*link)->expires = expires;
		return PM_OK;
	}
	r = make(keys, id, secret, &key);
	if (r < 0)
		return r;
	if (keys->count >= KEYS_MAX && !make_room(keys, TRIALS) && !make_room(keys, USED)) {
		destroy(keys, key);
		return PM_E_LIMIT;
	}
	link = find_link(keys, id);
	key->expires = expires;
	key->fresh_since = later(fresh_since, keys->floor);
	key->is_listed = true;
	*link = key;
	keys->count++;
	return PM_OK;
}

/* --- the doors ------------------------------------------------------------------------------- */

/* One that was there before may come back when nothing of its time is fresh any more. */
static int insert_again(struct keys *keys, const char *id, const uint8_t *secret, int64_t expires,
	int64_t fresh_since)
{
	bool is_listed = *find_link(keys, id) != NULL;
	int64_t gone;

	if (!is_listed && spent_has(keys->field_spent, id, NULL))
		return PM_E_REJECTED;
	if (!is_listed && spent_has(keys->spent, id, &gone)) {
		if (gone + PM_EXCHANGE_SKEW >= keys->latest)
			return PM_E_REJECTED;
		fresh_since = later(fresh_since, gone + PM_EXCHANGE_SKEW);
	}
	return insert(keys, id, secret, expires, fresh_since);
}

int keys_insert(struct keys *keys, const char *id, const uint8_t *secret, int64_t expires,
	int64_t fresh_since)
{
	int r;

	pthread_mutex_lock(&keys->lock);
	r = insert_again(keys, id, secret, expires, fresh_since);
	pthread_mutex_unlock(&keys->lock);
	return r;
}

int keys_insert_leased(struct keys *keys, const char *id, const uint8_t *secret, int64_t expires,
	int64_t fresh_since, uint64_t lease)
{
	int r;

	pthread_mutex_lock(&keys->lock);
	r = insert_again(keys, id, secret, expires, fresh_since);
	if (r == PM_OK)
		(*find_link(keys, id))->lease = lease;
	pthread_mutex_unlock(&keys->lock);
	return r;
}

void keys_set_leases(struct keys *keys, uint64_t floor, uint64_t held)
{
	pthread_mutex_lock(&keys->lock);
	keys->lease_floor = floor;
	keys->lease_held = held;
	pthread_mutex_unlock(&keys->lock);
}

static bool is_spent(const struct keys *keys, const char *id)
{
	return spent_has(keys->spent, id, NULL) || spent_has(keys->field_spent, id, NULL);
}

int keys_insert_trial(
	struct keys *keys, const char *id, const uint8_t *secret, int64_t trial, int64_t expires)
{
	struct key *key;
	int r = PM_OK;

	pthread_mutex_lock(&keys->lock);
	key = *find_link(keys, id);
	if (!key && is_spent(keys, id)) {
		r = PM_E_REJECTED;
	} else if (!key) {
		r = insert(keys, id, secret, trial, trial - PM_EXCHANGE_WINDOW_MAX);
		if (r == PM_OK) {
			key = *find_link(keys, id);
			key->confirmed = expires;
			join(keys, TRIALS, key);
		}
	} else if (!is_same(key->secret, secret)) {
		r = PM_E_REJECTED;
	}
	pthread_mutex_unlock(&keys->lock);
	return r;
}

/* With the lock held. */
static void end_trial(struct keys *keys, struct key *key)
{
	leave(keys, TRIALS, key);
	key->expires = key->confirmed;
	key->confirmed = 0;
}

/* With the lock held. */
static bool begin_field(struct keys *keys, struct key *key)
{
	if (key->serves_field || key->expires == KEYS_FOREVER)
		return true;
	if (keys->field_count >= KEYS_FIELD_MAX)
		return false;
	keys->field_count++;
	key->serves_field = true;
	leave(keys, USED, key);
	(void)spent_add(keys->field_spent, key->id, keys->latest);
	return true;
}

/* With the lock held. */
static bool confirm(struct keys *keys, struct key *key, enum key_use use)
{
	if (!key->is_listed || (use == KEY_USE_FIELD && !begin_field(keys, key)))
		return false;
	if (key->confirmed)
		end_trial(keys, key);
	if (key->hooks[USED].back) {
		leave(keys, USED, key);
		join(keys, USED, key);
	}
	return true;
}

bool key_confirm(struct keys *keys, struct key *key, enum key_use use)
{
	bool ok;

	pthread_mutex_lock(&keys->lock);
	ok = confirm(keys, key, use);
	pthread_mutex_unlock(&keys->lock);
	return ok;
}

void keys_remove(struct keys *keys, const char *id)
{
	struct key **link;

	pthread_mutex_lock(&keys->lock);
	link = find_link(keys, id);
	if (*link)
		unlist(keys, link);
	pthread_mutex_unlock(&keys->lock);
}

void keys_purge(struct keys *keys, int64_t now)
{
	pthread_mutex_lock(&keys->lock);
	keys->latest = later(keys->latest, now);
	purge(keys, now);
	pthread_mutex_unlock(&keys->lock);
}

size_t keys_count(struct keys *keys)
{
	size_t count;

	pthread_mutex_lock(&keys->lock);
	count = keys->count;
	pthread_mutex_unlock(&keys->lock);
	return count;
}

/* With the lock held. */
static bool may_serve(const struct keys *keys, const struct key *key, int64_t now)
{
	return key->expires > now &&
	       (!key->lease || key->lease > keys->lease_floor || key->lease == keys->lease_held);
}

struct key *keys_find(struct keys *keys, const char *id, int64_t now)
{
	struct key *key;

	pthread_mutex_lock(&keys->lock);
	keys->latest = later(keys->latest, now);
	key = *find_link(keys, id);
	if (key && !may_serve(keys, key, now))
		key = NULL;
	if (key)
		key->references++;
	pthread_mutex_unlock(&keys->lock);
	return key;
}

void key_unref(struct keys *keys, struct key *key)
{
	if (!key)
		return;
	pthread_mutex_lock(&keys->lock);
	unref(keys, key);
	pthread_mutex_unlock(&keys->lock);
}

void keys_free(struct keys *keys)
{
	if (!keys)
		return;
	purge(keys, KEYS_FOREVER);
	vault_free(keys->vault);
	spent_free(keys->spent);
	spent_free(keys->field_spent);
	pthread_mutex_destroy(&keys->lock);
	free(keys);
}

/* --- one secret ------------------------------------------------------------------------------ */

const uint8_t *key_secret(const struct key *key)
{
	return key->secret;
}

static struct pm_exchange_key *make_sealed(const struct keys *keys, const struct key *key)
{
	struct pm_exchange_key *sealed;

	if (pm_exchange_key_new(key->id, key->secret, &sealed) < 0)
		return NULL;
	if (pm_exchange_key_serve(sealed, keys->rules.replay_entries, keys->rules.replay_window,
		    key->fresh_since) == PM_OK)
		return sealed;
	pm_exchange_key_free(sealed);
	return NULL;
}

static struct pm_field_key *make_field(const struct key *key)
{
	struct pm_field_key *field;

	if (pm_field_key_new(key->id, key->secret, &field) < 0)
		return NULL;
	if (pm_field_key_serve(field, KEYS_FIELD_REQUESTS) == PM_OK)
		return field;
	pm_field_key_free(field);
	return NULL;
}

/* With the lock held: may this one have keys of its own? What is gone counts while it is used. */
static bool open_key(struct keys *keys, struct key *key)
{
	if (key->is_opened)
		return true;
	if (keys->opened >= KEYS_OPENED_MAX && !make_room(keys, USED))
		return false;
	keys->opened++;
	key->is_opened = true;
	if (key->is_listed && key->expires != KEYS_FOREVER)
		join(keys, USED, key);
	return true;
}

struct pm_field_key *key_field(struct keys *keys, struct key *key)
{
	struct pm_field_key *field;

	pthread_mutex_lock(&keys->lock);
	if (!key->field && open_key(keys, key))
		key->field = make_field(key);
	field = key->field;
	pthread_mutex_unlock(&keys->lock);
	return field;
}

struct pm_exchange_key *key_sealed(struct keys *keys, struct key *key)
{
	struct pm_exchange_key *sealed;

	pthread_mutex_lock(&keys->lock);
	if (!key->sealed && open_key(keys, key))
		key->sealed = make_sealed(keys, key);
	sealed = key->sealed;
	pthread_mutex_unlock(&keys->lock);
	return sealed;
}
