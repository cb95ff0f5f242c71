/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rates: each client has a bucket of tokens that fills at a rate, and all clients together have
 * another. The table is bounded: in a full one, who has been quiet longest makes room, so who comes
 * from many addresses can refresh his own bucket, and is held by that of all.
 */
#ifndef COMMON_LIMIT_H
#define COMMON_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_exchange;
struct sockaddr;

/* Clients that are told apart at a time. */
#define LIMIT_CLIENTS 16384
/* A burst is what comes in so many seconds. */
#define LIMIT_BURST_SECONDS 2
/* Most bytes by which a client is known. */
#define LIMIT_KEY_MAX 136

struct limit_rules {
	uint32_t rate;	   /* a second for each client, at least 1 */
	uint32_t burst;	   /* at once, at least 1 */
	uint32_t all_rate; /* the same of all together */
	uint32_t all_burst;
};

/* So many a second of one, and of all; what comes in two seconds may come at once. */
struct limit_rules limit_rules(uint32_t one, uint32_t all);

/* Thread safe. */
struct limit;

/* Nobody knows who shares a place with whom. NULL without memory. */
struct limit *limit_new(const struct limit_rules *rules);
void limit_free(struct limit *limit);

/* May this client do one more thing? now in milliseconds of a clock that only moves forward. */
bool limit_take(struct limit *limit, const void *key, size_t len, int64_t now);

/* What it did was nothing of which there should be few: it does not count. */
void limit_give(struct limit *limit, const void *key, size_t len);

/*
 * By what a client of an address is known: IPv4 by all of it, IPv6 by its first 64 bits, which one
 * customer has, and all that come by Unix sockets as one. Bytes written.
 */
size_t limit_key_of_address(const struct sockaddr *address, uint8_t ret[LIMIT_KEY_MAX]);

/*
 * By what the client of a request is known: the address of its connection, or what the gateway in
 * front of us says in a field, which is trusted for nothing but to share out what there is, and for
 * that only where it stands there once. field may be NULL. Bytes written.
 */
size_t limit_key_of_client(
	const struct http_exchange *x, const char *field, uint8_t ret[LIMIT_KEY_MAX]);

/* --- limit_options.c: 0, or 2 when it said what is wrong --- */

/* --...-rate N: what comes in two seconds may come at once. */
int option_rate(const char *name, const char *value, uint32_t *ret_rate, uint32_t *ret_burst);
/* --client-field NAME. */
int option_field(const char *value, const char **ret);

#endif
