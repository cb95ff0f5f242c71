/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inference secrets that this worker holds. Who fills the table is a provider: a file, or a key
 * exchange with this process, or a secret service; each may insert and remove from any thread.
 */
#ifndef PROXY_KEYS_H
#define PROXY_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pm/envelope.h>

/* Most secrets that are held at a time. */
#define KEYS_MAX 65536
/* Ids of secrets that were used and are gone that are remembered. */
#define KEYS_SPENT 1048576
/*
 * Most secrets under which something came, of those that live. Each has guarded pages of its own,
 * and the kernel gives a process some 65,000 pieces of memory (vm.max_map_count) for all it does.
 * Whoever makes secrets to fill this keeps nobody out: the one that was not used for longest, and
 * that nobody uses just now, makes room, and its owner agrees on a new one.
 */
#define KEYS_OPENED_MAX 4096
/*
 * Most secrets that served field messages, of those that end: they never make room, see below. The
 * ids of so many more are remembered: of at least 128 hours, as each lives for one.
 */
#define KEYS_FIELD_MAX	 2048
#define KEYS_FIELD_SPENT 262144
/* An expiry for those that have none. */
#define KEYS_FOREVER INT64_MAX

/* Longest id that both formats allow. */
#define KEYS_ID_MAX PM_FIELD_ID_MAX

struct keys;
/* A secret; whoever found it holds it until key_unref(). */
struct key;

/* Requests in field messages bear no time: a secret remembers all it served, so many at most. */
#define KEYS_FIELD_REQUESTS 1048576

struct keys_rules {
	/* How many sealed requests of one secret are remembered, and for how many seconds. */
	size_t replay_entries;
	uint32_t replay_window;
	size_t spent; /* as KEYS_SPENT */
};

/* 0; PM_E_NOMEM, PM_E_CRYPTO. */
int keys_new(const struct keys_rules *rules, struct keys **ret_keys);
void keys_free(struct keys *keys);

/*
 * What was answered under a secret is remembered with it, and goes when it makes room. A request
 * must not be answered again after that: a sealed one bears its time, so a secret that comes back
 * answers none of before; one in field messages bears none, so such a secret never makes room, and
 * never comes back. Times are the latest that keys_find() and keys_purge() were told: setting the
 * clock back revives nothing.
 */

/*
 * Adds a secret of 32 bytes. expires is in seconds since 1970, KEYS_FOREVER for one that shall
 * never make room; sealed requests that were issued up to fresh_since are refused: when the secret
 * was held by another process before, that may have answered them. 0; PM_E_ARG for an id that is
 * none, PM_E_REJECTED when the id is there with another secret, was there until a moment ago, or
 * served field messages, PM_E_LIMIT when the table is full of secrets that nobody used and are not
 * on trial, PM_E_NOMEM, PM_E_CRYPTO.
 */
int keys_insert(struct keys *keys, const char *id, const uint8_t *secret, int64_t expires,
	int64_t fresh_since);

/*
 * keys_insert() of a secret that serves no longer than its lease, which is a number above 0. Also
 * of one that is there: it then has the new lease. What was answered under it is remembered while
 * it does not serve.
 */
int keys_insert_leased(struct keys *keys, const char *id, const uint8_t *secret, int64_t expires,
	int64_t fresh_since, uint64_t lease);

/* All leases up to floor have ended, but for the one that is held; 0: none is. */
void keys_set_leases(struct keys *keys, uint64_t floor, uint64_t held);

/*
 * A secret that was just made, so that nothing can have been answered under it. Whoever asked for
 * it may have meant nothing but to fill the table: it lives until trial, and until expires once
 * key_confirm() was called. A confirmed id never comes back, for what was answered under it would
 * be forgotten. 0; as keys_insert(), and PM_E_REJECTED for such an id.
 */
int keys_insert_trial(
	struct keys *keys, const char *id, const uint8_t *secret, int64_t trial, int64_t expires);

enum key_use { KEY_USE_SEALED, KEY_USE_FIELD };

/*
 * Something authentic came under the secret. False when it is not in the table any more: the same
 * secret may be there anew, and remembers nothing of this one; what came must not be answered. Also
 * when too many serve field messages.
 */
bool key_confirm(struct keys *keys, struct key *key, enum key_use use);

/* Takes a secret away. What is under way with it goes on. */
void keys_remove(struct keys *keys, const char *id);

/* Takes those away that have expired, and wipes what nobody uses any more. */
void keys_purge(struct keys *keys, int64_t now);

size_t keys_count(struct keys *keys);

/* The secret of that id, when there is one that has not expired and has its lease; or NULL. */
struct key *keys_find(struct keys *keys, const char *id, int64_t now);
void key_unref(struct keys *keys, struct key *key);

/* Both are made when they are asked for first. NULL without memory, or when too many are opened. */
struct pm_field_key *key_field(struct keys *keys, struct key *key);
struct pm_exchange_key *key_sealed(struct keys *keys, struct key *key);
/* 32 bytes. */
const uint8_t *key_secret(const struct key *key);

#endif
