/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-proxy/spent.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 262144u

/* Places are counted from 1, so that zeroed memory is an empty table. */
struct entry {
	uint32_t next; /* of its bucket */
	char id[SPENT_ID_SIZE];
};

struct spent {
	size_t count, used, oldest;
	struct entry *entries; /* a ring */
	uint32_t buckets[BUCKETS];
};

struct spent *spent_new(size_t count)
{
	struct spent *spent = calloc(1, sizeof(*spent));

	if (!spent)
		return NULL;
	spent->count = count;
	spent->entries = calloc(count, sizeof(*spent->entries));
	if (spent->entries)
		return spent;
	free(spent);
	return NULL;
}

void spent_free(struct spent *spent)
{
	if (!spent)
		return;
	free(spent->entries);
	free(spent);
}

static uint32_t *bucket_of(struct spent *spent, const char *id)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < SPENT_ID_SIZE && id[i]; i++)
		hash = (hash ^ (uint8_t)id[i]) * 16777619u;
	return &spent->buckets[hash % BUCKETS];
}

bool spent_has(const struct spent *spent, const char *id)
{
	uint32_t at = *bucket_of((struct spent *)(uintptr_t)spent, id);

	while (at && strncmp(spent->entries[at - 1].id, id, SPENT_ID_SIZE) != 0)
		at = spent->entries[at - 1].next;
	return at != 0;
}

/* Takes the entry at that place out of its bucket. */
static void forget(struct spent *spent, uint32_t place)
{
	uint32_t *link = bucket_of(spent, spent->entries[place - 1].id);

	while (*link != place)
		link = &spent->entries[*link - 1].next;
	*link = spent->entries[place - 1].next;
}

void spent_add(struct spent *spent, const char *id)
{
	uint32_t place = (uint32_t)spent->oldest + 1, *bucket;

	if (spent_has(spent, id))
		return;
	if (spent->used == spent->count)
		forget(spent, place);
	else
		spent->used++;
	bucket = bucket_of(spent, id);
	memset(spent->entries[place - 1].id, 0, SPENT_ID_SIZE);
	memcpy(spent->entries[place - 1].id, id, strnlen(id, SPENT_ID_SIZE));
	spent->entries[place - 1].next = *bucket;
	*bucket = place;
	spent->oldest = place % spent->count;
}
