/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/nonce_set.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/rd.h"
#include "crypto/crypto.h"

/* Entries that the first allocation holds. */
#define FIRST 64

/* Index of an entry, or NONE. */
typedef uint32_t slot;
#define NONE  UINT32_MAX
#define WORDS (PM_NONCE_SIZE / sizeof(uint32_t))

struct entry {
	uint8_t nonce[PM_NONCE_SIZE];
	slot next; /* of its bucket */
};

/* As many buckets as entries. */
struct table {
	slot *heads;
	struct entry *entries;
	size_t capacity;
};

struct pm_nonce_set {
	pthread_mutex_t lock;
	size_t max, count;
	struct table table;
	uint64_t multipliers[WORDS + 1]; /* and a summand */
};

static void free_table(struct table *table)
{
	free(table->heads);
	free(table->entries);
	*table = (struct table){0};
}

int pm_nonce_set_new(size_t max, struct pm_nonce_set **ret)
{
	struct pm_nonce_set *set;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	set = pm_alloc(sizeof(*set));
	if (!set)
		return PM_E_NOMEM;
	pthread_mutex_init(&set->lock, NULL); /* can't fail with default attributes on Linux */
	set->max = max;
	pm_random(set->multipliers, sizeof(set->multipliers));
	*ret = set;
	return PM_OK;
}

void pm_nonce_set_free(struct pm_nonce_set *set)
{
	if (!set)
		return;
	pthread_mutex_destroy(&set->lock);
	free_table(&set->table);
	free(set);
}

/*
 * Requesters choose their nonces: with secret multipliers none can choose a bucket too (multilinear
 * hashing modulo 2^64, of which the high half is universal).
 */
static slot *bucket(const struct pm_nonce_set *set, const struct table *table, const uint8_t *nonce)
{
	struct pm_rd rd = pm_rd(pm_view(nonce, PM_NONCE_SIZE));
	uint64_t h = set->multipliers[WORDS];

	for (size_t i = 0; i < WORDS; i++)
		h += pm_rd_le32(&rd) * set->multipliers[i];
	return &table->heads[(h >> 32) * table->capacity >> 32];
}

static bool is_known(const struct pm_nonce_set *set, const uint8_t *nonce)
{
	const struct table *table = &set->table;
	struct pm_view wanted = pm_view(nonce, PM_NONCE_SIZE);

	if (!set->count)
		return false;
	for (slot i = *bucket(set, table, nonce); i != NONE; i = table->entries[i].next)
		if (pm_view_equal(pm_view(table->entries[i].nonce, PM_NONCE_SIZE), wanted))
			return true;
	return false;
}

static void put(const struct pm_nonce_set *set, struct table *table, slot i, const uint8_t *nonce)
{
	slot *head = bucket(set, table, nonce);

	pm_copy(table->entries[i].nonce, nonce, PM_NONCE_SIZE);
	table->entries[i].next = *head;
	*head = i;
}

static int grow(struct pm_nonce_set *set)
{
	struct table grown = {.capacity = set->table.capacity ? 2 * set->table.capacity : FIRST};

	if (grown.capacity > set->max)
		grown.capacity = set->max;
	grown.heads = pm_alloc(grown.capacity * sizeof(*grown.heads));
	grown.entries = pm_alloc(grown.capacity * sizeof(*grown.entries));
	if (!grown.heads || !grown.entries) {
		free_table(&grown);
		return PM_E_NOMEM;
	}
	for (size_t i = 0; i < grown.capacity; i++)
		grown.heads[i] = NONE;
	for (size_t i = 0; i < set->count; i++)
		put(set, &grown, (slot)i, set->table.entries[i].nonce);
	free_table(&set->table);
	set->table = grown;
	return PM_OK;
}

static int admit(struct pm_nonce_set *set, const uint8_t *nonce)
{
	if (is_known(set, nonce))
		return PM_E_REJECTED;
	if (set->count >= set->max)
		return PM_E_LIMIT;
	if (set->count == set->table.capacity) {
		int r = grow(set);

		if (r < 0)
			return r;
	}
	put(set, &set->table, (slot)set->count, nonce);
	set->count++;
	return PM_OK;
}

int pm_nonce_set_admit(struct pm_nonce_set *set, const uint8_t *nonce)
{
	int r;

	pthread_mutex_lock(&set->lock);
	r = admit(set, nonce);
	pthread_mutex_unlock(&set->lock);
	return r;
}
