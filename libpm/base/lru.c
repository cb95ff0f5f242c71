/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lru.h"

#include <pthread.h>
#include <stdlib.h>

/* Index of an entry, or NONE. */
typedef uint32_t slot;
#define NONE UINT32_MAX

struct entry {
	uint8_t key[PM_LRU_KEY_SIZE];
	struct pm_shared *shared;
	slot next_in_bucket;
	slot newer, older;
};

struct pm_lru {
	pthread_mutex_t lock;
	slot count, capacity, buckets;
	slot newest, oldest;
	slot *heads;
	struct entry *entries;
};

void pm_shared_init(struct pm_shared *shared, void (*destroy)(struct pm_shared *shared))
{
	atomic_init(&shared->refs, 1);
	shared->destroy = destroy;
}

void pm_shared_ref(struct pm_shared *shared)
{
	atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
}

void pm_shared_unref(struct pm_shared *shared)
{
	if (shared && atomic_fetch_sub_explicit(&shared->refs, 1, memory_order_acq_rel) == 1)
		shared->destroy(shared);
}

int pm_lru_new(size_t entries, struct pm_lru **ret)
{
	pm_cleanup(pm_lru) struct pm_lru *lru = NULL;

	if (!entries || entries > PM_LRU_ENTRIES_MAX)
		return PM_E_ARG;
	lru = pm_alloc(sizeof(*lru));
	if (!lru)
		return PM_E_NOMEM;
	pthread_mutex_init(&lru->lock, NULL); /* can't fail with default attributes on Linux */
	lru->capacity = (slot)entries;
	lru->buckets = (slot)(2 * entries);
	lru->newest = lru->oldest = NONE;
	lru->entries = pm_alloc(lru->capacity * sizeof(*lru->entries));
	lru->heads = pm_alloc(lru->buckets * sizeof(*lru->heads));
	if (!lru->entries || !lru->heads)
		return PM_E_NOMEM;
	for (slot i = 0; i < lru->buckets; i++)
		lru->heads[i] = NONE;
	*ret = pm_steal(lru);
	return PM_OK;
}

void pm_lru_free(struct pm_lru *lru)
{
	if (!lru)
		return;
	for (slot i = 0; i < lru->count; i++)
		pm_shared_unref(lru->entries[i].shared);
	pthread_mutex_destroy(&lru->lock);
	free(lru->entries);
	free(lru->heads);
	free(lru);
}

static slot *bucket(const struct pm_lru *lru, const uint8_t *key)
{
	uint32_t h =
		(uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 | key[3];

	return &lru->heads[h % lru->buckets];
}

static slot find(const struct pm_lru *lru, const uint8_t *key)
{
	slot i = *bucket(lru, key);

	while (i != NONE && !pm_ct_equal(lru->entries[i].key, key, PM_LRU_KEY_SIZE))
		i = lru->entries[i].next_in_bucket;
	return i;
}

static void unlink_age(struct pm_lru *lru, slot i)
{
	struct entry *e = &lru->entries[i];

	*(e->newer == NONE ? &lru->newest : &lru->entries[e->newer].older) = e->older;
	*(e->older == NONE ? &lru->oldest : &lru->entries[e->older].newer) = e->newer;
}

static void link_newest(struct pm_lru *lru, slot i)
{
	struct entry *e = &lru->entries[i];

	e->newer = NONE;
	e->older = lru->newest;
	*(lru->newest == NONE ? &lru->oldest : &lru->entries[lru->newest].newer) = i;
	lru->newest = i;
}

static void unlink_bucket(struct pm_lru *lru, slot i)
{
	slot *at = bucket(lru, lru->entries[i].key);

	while (*at != i)
		at = &lru->entries[*at].next_in_bucket;
	*at = lru->entries[i].next_in_bucket;
}

/* A slot that is linked nowhere and holds nothing; what it held goes to *ret_old. */
static slot take_slot(struct pm_lru *lru, struct pm_shared **ret_old)
{
	slot i = lru->oldest;

	if (lru->count < lru->capacity)
		return lru->count++;
	unlink_age(lru, i);
	unlink_bucket(lru, i);
	*ret_old = lru->entries[i].shared;
	return i;
}

struct pm_shared *pm_lru_get(struct pm_lru *lru, const uint8_t *key)
{
	struct pm_shared *found = NULL;
	slot i;

	pthread_mutex_lock(&lru->lock);
	i = find(lru, key);
	if (i != NONE) {
		found = lru->entries[i].shared;
		pm_shared_ref(found);
		unlink_age(lru, i);
		link_newest(lru, i);
	}
	pthread_mutex_unlock(&lru->lock);
	return found;
}

static void insert(struct pm_lru *lru, const uint8_t *key, struct pm_shared *shared,
	struct pm_shared **ret_old)
{
	slot i = take_slot(lru, ret_old), *head = bucket(lru, key);
	struct entry *e = &lru->entries[i];

	pm_copy(e->key, key, PM_LRU_KEY_SIZE);
	e->shared = shared;
	e->next_in_bucket = *head;
	*head = i;
	link_newest(lru, i);
}

void pm_lru_put(struct pm_lru *lru, const uint8_t *key, struct pm_shared *shared)
{
	struct pm_shared *old = NULL;
	slot i;

	pm_shared_ref(shared);
	pthread_mutex_lock(&lru->lock);
	i = find(lru, key);
	if (i == NONE) {
		insert(lru, key, shared, &old);
	} else {
		old = lru->entries[i].shared;
		lru->entries[i].shared = shared;
		unlink_age(lru, i);
		link_newest(lru, i);
	}
	pthread_mutex_unlock(&lru->lock);
	pm_shared_unref(old); /* outside of the lock: it may take long */
}
