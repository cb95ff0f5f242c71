/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-proxy/key_table.h"

#include <stdlib.h>
#include <string.h>

/* Clients choose their ids, whether there is a secret of that id or not. */
static struct key **bucket_of(struct keys *keys, const char *id)
{
	return &keys->buckets[pm_table_hash(keys->seed, id, strlen(id)) % KEY_TABLE_BUCKETS];
}

bool key_is_same(const uint8_t *a, const uint8_t *b)
{
	unsigned int difference = 0;

	for (size_t i = 0; i < VAULT_SECRET_SIZE; i++)
		difference |= (unsigned int)(a[i] ^ b[i]);
	return difference == 0;
}

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

void key_table_unref(struct keys *keys, struct key *key)
{
	if (--key->references == 0)
		destroy(keys, key);
}

void key_table_join(struct keys *keys, enum key_queue queue, struct key *key)
{
	struct key_hook *hook = &key->hooks[queue];

	hook->back = keys->last[queue];
	*hook->back = key;
	keys->last[queue] = &hook->next;
}

void key_table_leave(struct keys *keys, enum key_queue queue, struct key *key)
{
	struct key_hook *hook = &key->hooks[queue];

	if (!hook->back)
		return;
	*hook->back = hook->next;
	if (hook->next)
		hook->next->hooks[queue].back = hook->back;
	else
		keys->last[queue] = hook->back;
	*hook = (struct key_hook){0};
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
		keys->floor = key_later(keys->floor, forgotten + PM_EXCHANGE_SKEW);
}

void key_table_remove(struct keys *keys, struct key **link)
{
	struct key *key = *link;

	key_table_leave(keys, KEY_TRIALS, key);
	key_table_leave(keys, KEY_USED, key);
	remember(keys, key);
	*link = key->next;
	key->is_listed = false;
	keys->count--;
	key_table_unref(keys, key);
}

struct key **key_table_find(struct keys *keys, const char *id)
{
	struct key **link = bucket_of(keys, id);

	while (*link && strcmp((*link)->id, id) != 0)
		link = &(*link)->next;
	return link;
}

void key_table_purge(struct keys *keys, int64_t now)
{
	for (size_t i = 0; i < KEY_TABLE_BUCKETS; i++) {
		struct key **link = &keys->buckets[i];

		while (*link) {
			if ((*link)->expires <= now)
				key_table_remove(keys, link);
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

bool key_table_make_room(struct keys *keys, enum key_queue queue)
{
	struct key *key = keys->first[queue];

	while (key && key->references > 1)
		key = key->hooks[queue].next;
	if (key)
		key_table_remove(keys, key_table_find(keys, key->id));
	return key != NULL;
}

int key_table_insert(struct keys *keys, const char *id, const uint8_t *secret, int64_t expires,
	int64_t fresh_since)
{
	struct key **link = key_table_find(keys, id), *key;
	int r;

	if (*link && !key_is_same((*link)->secret, secret))
		return PM_E_REJECTED;
	if (*link) {
		(*link)->expires = expires;
		return PM_OK;
	}
	r = make(keys, id, secret, &key);
	if (r < 0)
		return r;
	if (keys->count >= KEYS_MAX && !key_table_make_room(keys, KEY_TRIALS) &&
		!key_table_make_room(keys, KEY_USED)) {
		destroy(keys, key);
		return PM_E_LIMIT;
	}
	link = key_table_find(keys, id);
	key->expires = expires;
	key->fresh_since = key_later(fresh_since, keys->floor);
	key->is_listed = true;
	*link = key;
	keys->count++;
	return PM_OK;
}
