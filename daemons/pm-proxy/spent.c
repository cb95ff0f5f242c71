/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-proxy/spent.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>
#include <pm/table.h>

#define BUCKETS 262144u

/* Places are counted from 1, so that zeroed memory is an empty table. */
struct entry {
	uint32_t next; /* of its bucket */
	char id[SPENT_ID_SIZE];
	int64_t time;
};

struct spent {
	size_t count, used, oldest;
	struct entry *entries; /* a ring */
	uint8_t seed[PM_TABLE_SEED_SIZE];
	uint32_t buckets[BUCKETS];
};

void spent_free(struct spent *spent)
{
	if (!spent)
		return;
	free(spent->entries);
	free(spent);
}

struct spent *spent_new(size_t count)
{
	struct spent *spent = calloc(1, sizeof(*spent));

	if (!spent)
		return NULL;
	spent->count = count;
	spent->entries = calloc(count, sizeof(*spent->entries));
	if (spent->entries && pm_table_seed(spent->seed) == PM_OK)
		return spent;
	spent_free(spent);
	return NULL;
}

static uint32_t *bucket_of(struct spent *spent, const char *id)
{
	uint64_t hash = pm_table_hash(spent->seed, id, strnlen(id, SPENT_ID_SIZE));

	return &spent->buckets[hash % BUCKETS];
}

static struct entry *find(const struct spent *spent, const char *id)
{
	uint32_t at = *bucket_of((struct spent *)(uintptr_t)spent, id);

	while (at && strncmp(spent->entries[at - 1].id, id, SPENT_ID_SIZE) != 0)
		at = spent->entries[at - 1].next;
	return at ? &spent->entries[at - 1] : NULL;
}

bool spent_has(const struct spent *spent, const char *id, int64_t *ret_time)
{
	const struct entry *found = find(spent, id);

	if (found && ret_time)
		*ret_time = found->time;
	return found != NULL;
}

/* Takes the entry at that place out of its bucket; its time. */
static int64_t forget(struct spent *spent, uint32_t place)
{
	uint32_t *link = bucket_of(spent, spent->entries[place - 1].id);

	while (*link != place)
		link = &spent->entries[*link - 1].next;
	*link = spent->entries[place - 1].next;
	return spent->entries[place - 1].time;
}

static void put(struct spent *spent, uint32_t place, const char *id, int64_t time)
{
	struct entry *entry = &spent->entries[place - 1];
	uint32_t *bucket = bucket_of(spent, id);

	memset(entry->id, 0, SPENT_ID_SIZE);
	memcpy(entry->id, id, strnlen(id, SPENT_ID_SIZE));
	entry->time = time;
	entry->next = *bucket;
	*bucket = place;
}

int64_t spent_add(struct spent *spent, const char *id, int64_t time)
{
	uint32_t place = (uint32_t)spent->oldest + 1;
	struct entry *known = find(spent, id);
	int64_t forgotten = SPENT_NONE;

	if (known) {
		known->time = time;
		return SPENT_NONE;
	}
	if (spent->used == spent->count)
		forgotten = forget(spent, place);
	else
		spent->used++;
	put(spent, place, id, time);
	spent->oldest = place % spent->count;
	return forgotten;
}
