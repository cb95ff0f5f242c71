/* SPDX-License-Identifier: Apache-2.0 */
/* What the two parts of secrets.h share: fetching, in secrets.c, and watching. */
#ifndef PROXY_SECRETS_PARTS_H
#define PROXY_SECRETS_PARTS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/buffer.h"
#include "common/upstream.h"
#include "pm-proxy/secrets.h"

/* Ids as the service has them: of clients' secrets. */
#define SECRETS_PREFIX "inference/"
/* Largest answer, and longest line of a watch. */
#define SECRETS_ANSWER_MAX 4096
/* Longest name of an instance of the service. */
#define SECRETS_INSTANCE_MAX 64

/* What is heard of ends. */
struct secrets_watch {
	struct upstream *request; /* NULL: none */
	struct buffer line;
	bool is_up;   /* the service has begun to tell */
	int64_t ends; /* with our certificate, in seconds since 1970 */
	char instance[SECRETS_INSTANCE_MAX + 1];
	int64_t heard_at, try_at, pause; /* milliseconds */
	int fading;			 /* half leases until what was held is not, or 0 */
	uint64_t next, held, floor;	 /* leases: see keys_set_leases() */
	struct event *tick;
	int64_t half_at;
};

struct secrets_missing {
	int64_t until;
	char id[KEYS_ID_MAX + 1];
};

struct secrets {
	const char *url;
	struct mesh *mesh;
	struct keys *keys;
	int64_t started;
	atomic_size_t waiting;
	struct limit *limit; /* of what it does not know */
	atomic_uint_fast64_t fetched, missing, failed, refused, ended, lost;
	atomic_bool is_watched;

	/* of the first loop */
	struct loop *loop;
	struct upstream_pool *pool;
	bool has_identity;
	int64_t expires; /* of the identity */
	struct secrets_fetch *fetches;
	size_t fetch_count;
	struct secrets_missing misses[SECRETS_MISSING_MAX];
	size_t next_miss;
	struct secrets_watch watch;
};

/* --- secrets_watch.c --- */

/* 0; PM_E_NOMEM. */
int secrets_watch_open(struct secrets *secrets);
void secrets_watch_close(struct secrets *secrets);
/* There is an identity, or none any more. */
void secrets_watch_identity(struct secrets *secrets);
/* The watch that there is now; 0: none. */
uint64_t secrets_watch_now(const struct secrets *secrets);
/* The lease of a secret that this instance gave, who was asked under that watch. */
uint64_t secrets_watch_lease(const struct secrets *secrets, const char *instance, uint64_t since);

/* --- secrets.c --- */

/* The service says that this secret has ended. */
void secrets_ended(struct secrets *secrets, const char *id);

#endif
