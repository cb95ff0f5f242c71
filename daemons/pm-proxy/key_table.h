/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table behind keys.h: what is in it, who makes room, who is forgotten. All with the lock held.
 * For keys.c.
 */
#ifndef PROXY_KEY_TABLE_H
#define PROXY_KEY_TABLE_H

#include <pthread.h>

#include <pm/table.h>

#include "pm-proxy/keys.h"
#include "pm-proxy/spent.h"
#include "pm-proxy/vault.h"

#define KEY_TABLE_BUCKETS 16384u

/*
 * Two queues: of trials in the order in which they began, and of what was opened and may make room
 * in the order of its last use.
 */
enum key_queue { KEY_TRIALS, KEY_USED, KEY_QUEUES };

struct key_hook {
	struct key *next, **back; /* back: what points to this one, or NULL */
};

struct key {
	struct key *next; /* of its bucket */
	struct key_hook hooks[KEY_QUEUES];
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
	struct key *first[KEY_QUEUES], **last[KEY_QUEUES];
	uint8_t seed[PM_TABLE_SEED_SIZE];
	struct key *buckets[KEY_TABLE_BUCKETS];
};

static inline int64_t key_later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* In a time that says nothing of where they differ. */
bool key_is_same(const uint8_t *a, const uint8_t *b);

/* Where the key of that id is, or would be. */
struct key **key_table_find(struct keys *keys, const char *id);

/*
 * Also of a secret that is there already: its time may be longer now. In a full table the oldest
 * on trial makes room: whoever fills it with secrets that he never uses keeps nobody out. As
 * keys_insert().
 */
int key_table_insert(struct keys *keys, const char *id, const uint8_t *secret, int64_t expires,
	int64_t fresh_since);

/* It is not found any more, and goes when nobody uses it. */
void key_table_remove(struct keys *keys, struct key **link);

/* Removes what has expired. */
void key_table_purge(struct keys *keys, int64_t now);

/* The first of a queue that nobody uses just now makes room; false when there is none. */
bool key_table_make_room(struct keys *keys, enum key_queue queue);

void key_table_join(struct keys *keys, enum key_queue queue, struct key *key);
/* Fine when it is not in the queue. */
void key_table_leave(struct keys *keys, enum key_queue queue, struct key *key);

void key_table_unref(struct keys *keys, struct key *key);

#endif
