/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-proxy/keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "pm-proxy/spent.h"
#include "pm-proxy/vault.h"

#define BUCKETS 16384u

struct key {
	struct key *next;   /* of its bucket */
	struct key *newer;  /* while it is on trial: the next that began its own */
	struct key **older; /* and what points to this one, or NULL */
	unsigned int references;
	bool is_listed, is_opened;
	int64_t expires, fresh_since;
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
	struct spent *spent; /* on trial once, and then confirmed */
	size_t count, opened;
	struct key *first_trial, **last_trial; /* in the order in which they began */
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
	keys->spent = spent_new(KEYS_SPENT);
	if (!keys->vault || !keys->spent) {
		vault_free(keys->vault);
		spent_free(keys->spent);
		free(keys);
		return PM_E_NOMEM;
	}
	keys->last_trial = &keys->first_trial;
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

static void begin_trial(struct keys *keys, struct key *key, int64_t confirmed)
{
	key->confirmed = confirmed;
	key->older = keys->last_trial;
	*key->older = key;
	keys->last_trial = &key->newer;
}

static void leave_trials(struct keys *keys, struct key *key)
{
	if (!key->older)
		return;
	*key->older = key->newer;
	if (key->newer)
		key->newer->older = key->older;
	else
		keys->last_trial = key->older;
	key->newer = NULL;
	key->older = NULL;
}

static void unlist(struct keys *keys, struct key **link)
{
	struct key *key = *link;

	leave_trials(keys, key);
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
	if (keys->count >= KEYS_MAX && !keys->first_trial)
		return PM_E_LIMIT;
	r = make(keys, id, secret, &key);
	if (r < 0)
		return r;
	if (keys->count >= KEYS_MAX)
		unlist(keys, find_link(keys, keys->first_trial->id));
	link = find_link(keys, id);
	key->expires = expires;
	key->fresh_since = fresh_since;
	key->is_listed = true;
	*link = key;
	keys->count++;
	return PM_OK;
}

/* --- the doors ------------------------------------------------------------------------------- */

int keys_insert(struct keys *keys, const char *id, const uint8_t *secret, int64_t expires,
	int64_t fresh_since)
{
	int r;

	pthread_mutex_lock(&keys->lock);
	r = insert(keys, id, secret, expires, fresh_since);
	pthread_mutex_unlock(&keys->lock);
	return r;
}

int keys_insert_trial(
	struct keys *keys, const char *id, const uint8_t *secret, int64_t trial, int64_t expires)
{
	struct key *key;
	int r = PM_OK;

	pthread_mutex_lock(&keys->lock);
	key = *find_link(keys, id);
	if (!key && spent_has(keys->spent, id)) {
		r = PM_E_REJECTED;
	} else if (!key) {
		r = insert(keys, id, secret, trial, trial - PM_EXCHANGE_WINDOW_MAX);
		if (r == PM_OK)
			begin_trial(keys, *find_link(keys, id), expires);
	} else if (!is_same(key->secret, secret)) {
		r = PM_E_REJECTED;
	}
	pthread_mutex_unlock(&keys->lock);
	return r;
}

/* With the lock held. */
static void end_trial(struct keys *keys, struct key *key)
{
	leave_trials(keys, key);
	spent_add(keys->spent, key->id);
	key->expires = key->confirmed;
	key->confirmed = 0;
}

bool key_confirm(struct keys *keys, struct key *key)
{
	bool ok;

	pthread_mutex_lock(&keys->lock);
	ok = !key->confirmed || key->is_listed;
	if (ok && key->confirmed)
		end_trial(keys, key);
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

struct key *keys_find(struct keys *keys, const char *id, int64_t now)
{
	struct key *key;

	pthread_mutex_lock(&keys->lock);
	key = *find_link(keys, id);
	if (key && key->expires <= now)
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

/*
 * With the lock held: may this one have keys of its own? Those on trial make room for it, and what
 * is gone counts until nobody holds it.
 */
static bool open_key(struct keys *keys, struct key *key)
{
	if (key->is_opened)
		return true;
	while (keys->opened >= KEYS_OPENED_MAX && keys->first_trial)
		unlist(keys, find_link(keys, keys->first_trial->id));
	if (keys->opened >= KEYS_OPENED_MAX)
		return false;
	keys->opened++;
	key->is_opened = true;
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
