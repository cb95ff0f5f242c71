/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-proxy/key_table.h"

#include <stdlib.h>
#include <string.h>

/* Keys beyond those in the table live in exchanges that are under way. */
#define SECRETS_MAX (2 * KEYS_MAX)

int keys_new(const struct keys_rules *rules, struct keys **ret_keys)
{
	struct keys *keys = calloc(1, sizeof(*keys));
	int r;

	if (!keys)
		return PM_E_NOMEM;
	keys->rules = *rules;
	keys->vault = vault_new(SECRETS_MAX);
	keys->spent = spent_new(rules->spent);
	keys->field_spent = spent_new(KEYS_FIELD_SPENT);
	r = keys->vault && keys->spent && keys->field_spent ? pm_table_seed(keys->seed)
							    : PM_E_NOMEM;
	if (r < 0) {
		vault_free(keys->vault);
		spent_free(keys->spent);
		spent_free(keys->field_spent);
		free(keys);
		return r;
	}
	keys->latest = keys->floor = INT64_MIN;
	for (int i = 0; i < KEY_QUEUES; i++)
		keys->last[i] = &keys->first[i];
	pthread_mutex_init(&keys->lock, NULL);
	*ret_keys = keys;
	return PM_OK;
}

/* --- the doors ------------------------------------------------------------------------------- */

/* One that was there before may come back when nothing of its time is fresh any more. */
static int insert_again(struct keys *keys, const char *id, const uint8_t *secret, int64_t expires,
	int64_t fresh_since)
{
	bool is_listed = *key_table_find(keys, id) != NULL;
	int64_t gone;

	if (!is_listed && spent_has(keys->field_spent, id, NULL))
		return PM_E_REJECTED;
	if (!is_listed && spent_has(keys->spent, id, &gone)) {
		if (gone + PM_EXCHANGE_SKEW >= keys->latest)
			return PM_E_REJECTED;
		fresh_since = key_later(fresh_since, gone + PM_EXCHANGE_SKEW);
	}
	return key_table_insert(keys, id, secret, expires, fresh_since);
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
		(*key_table_find(keys, id))->lease = lease;
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
	key = *key_table_find(keys, id);
	if (!key && is_spent(keys, id)) {
		r = PM_E_REJECTED;
	} else if (!key) {
		r = key_table_insert(keys, id, secret, trial, trial - PM_EXCHANGE_WINDOW_MAX);
		if (r == PM_OK) {
			key = *key_table_find(keys, id);
			key->confirmed = expires;
			key_table_join(keys, KEY_TRIALS, key);
		}
	} else if (!key_is_same(key->secret, secret)) {
		r = PM_E_REJECTED;
	}
	pthread_mutex_unlock(&keys->lock);
	return r;
}

/* With the lock held. */
static void end_trial(struct keys *keys, struct key *key)
{
	key_table_leave(keys, KEY_TRIALS, key);
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
	key_table_leave(keys, KEY_USED, key);
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
	if (key->hooks[KEY_USED].back) {
		key_table_leave(keys, KEY_USED, key);
		key_table_join(keys, KEY_USED, key);
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
	link = key_table_find(keys, id);
	if (*link)
		key_table_remove(keys, link);
	pthread_mutex_unlock(&keys->lock);
}

void keys_purge(struct keys *keys, int64_t now)
{
	pthread_mutex_lock(&keys->lock);
	keys->latest = key_later(keys->latest, now);
	key_table_purge(keys, now);
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
	keys->latest = key_later(keys->latest, now);
	key = *key_table_find(keys, id);
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
	key_table_unref(keys, key);
	pthread_mutex_unlock(&keys->lock);
}

void keys_free(struct keys *keys)
{
	if (!keys)
		return;
	key_table_purge(keys, KEYS_FOREVER);
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
	if (keys->opened >= KEYS_OPENED_MAX && !key_table_make_room(keys, KEY_USED))
		return false;
	keys->opened++;
	key->is_opened = true;
	if (key->is_listed && key->expires != KEYS_FOREVER)
		key_table_join(keys, KEY_USED, key);
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
