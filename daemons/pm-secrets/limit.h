/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rates: each client has a bucket of tokens that fills at a rate, and all clients together have
 * another. The table is bounded: in a full one, who has been quiet longest makes room, so who comes
 * from many addresses can refresh his own bucket, and is held by that of all.
 */
#ifndef SECRETS_LIMIT_H
#define SECRETS_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;

/* Clients that are told apart at a time. */
#define LIMIT_CLIENTS 16384
/* Most bytes by which a client is known. */
#define LIMIT_KEY_MAX 136

struct limit_rules {
	uint32_t rate;	   /* a second for each client, at least 1 */
	uint32_t burst;	   /* at once, at least 1 */
	uint32_t all_rate; /* the same of all together */
	uint32_t all_burst;
};

/* Thread safe. */
struct limit;

/* Nobody knows who shares a place with whom. NULL without memory. */
struct limit *limit_new(const struct limit_rules *rules);
void limit_free(struct limit *limit);

/* May this client do one more thing? now in milliseconds of a clock that only moves forward. */
bool limit_take(struct limit *limit, const void *key, size_t len, int64_t now);

/*
 * By what a client of an address is known: IPv4 by all of it, IPv6 by its first 64 bits, which one
 * customer has, and all that come by Unix sockets as one. Bytes written.
 */
size_t limit_key_of_address(const struct sockaddr *address, uint8_t ret[LIMIT_KEY_MAX]);

#endif
